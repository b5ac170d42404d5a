import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { open } from '../../mailbox/open.ts'
import { Problem } from '../../problems.ts'
import { findContactPoint } from '../../registry/contact-browse.ts'
import {
  deriveKeptFormKey,
  type FormOwner,
  forgetKeptForm,
  type KeptForm,
  keepForm,
  keptMinutes,
  openFormOwner,
  readKeptForm,
} from '../../sign-in/kept-form.ts'
import { openMailbox } from '../../sign-in/session.ts'
import type { Form } from '../form.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkFormOfAnyMailbox, isFromHere, keptFormCookie, ownCookie, sessionCookies } from '../session.ts'
import { wordsFor } from '../words.ts'
import { receiveNote } from './note.ts'
import { answering, type Desk, receiveNew, receiveWriting, writingOf } from './writing.ts'
import { isJson } from './writing-page.ts'

/** Addresses of forms in which people write. */
const writingForms = /^\/(write\/:organisation\/:point|letters\/:id\/(answer|note)|drafts\/:id)$/

/** What a form may hold, in parts and in characters: more than any of ours. */
const textLengthMax = 450_000

/**
 * preHandler before that which asks for a session: where the session has ended while somebody wrote, what they typed is kept for them alone, and given
 * back when they have signed in again. A form says whose it is by what only we can seal; files that had not reached the draft are not kept.
 */
export function keepFormOfEndedSession({ config, database, clock }: Surroundings) {
  const key = deriveKeptFormKey(config.secretKey)
  const cookie = ownCookie(config.baseUrl, keptFormCookie)
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.signedIn !== undefined || request.method !== 'POST' || !writingForms.test(request.routeOptions.url ?? '')) return
    // The script keeps what it has, and says so.
    if (isJson(request)) return reply.code(401).send({ isSignedOut: true })
    if (!isFromHere(request)) return
    const fields = await readFields(request)
    const owner = openFormOwner(key, fields.get('owner') ?? '', clock())
    if (owner === undefined) return
    for (const name of ['owner', 'csrf']) fields.delete(name)
    const form: KeptForm = { owner, address: request.url.replace(/\?.*/, ''), fields: [...fields] }
    const token = await keepForm(database, key, form, clock())
    return reply
      .setCookie(cookie.name, token, { ...cookie.options, maxAge: keptMinutes * 60 })
      .redirect(`/sign-in?to=${encodeURIComponent('/kept-form')}`, 303)
  }
}

async function readFields(request: FastifyRequest): Promise<Map<string, string>> {
  if (!request.isMultipart())
    return new Map(Object.entries(request.body ?? {}).map(([name, value]) => [name, String(value)] as const))
  const fields = new Map<string, string>()
  let length = 0
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      part.file.resume()
      continue
    }
    const value = String(part.value ?? '')
    length += value.length
    if (length <= textLengthMax) fields.set(part.fieldname, value)
  }
  return fields
}

/** Back from signing in: what was typed becomes a draft, or the note that it was to be. */
export function keptFormPages(app: FastifyInstance, surroundings: Desk): void {
  const { config, database, clock } = surroundings
  const key = deriveKeptFormKey(config.secretKey)
  const cookie = ownCookie(config.baseUrl, keptFormCookie)
  const session = sessionCookies(config.baseUrl).person

  const find = async (request: FastifyRequest) => {
    const token = request.cookies[cookie.name]
    const personId = request.signedIn!.actor.by.id
    const kept = token === undefined ? undefined : await readKeptForm(database, key, { token, personId }, clock())
    return kept && { kept, token: token!, personId }
  }

  app.get('/kept-form', async (request, reply) => {
    const found = await find(request)
    const t = wordsFor(request)
    if (found === undefined)
      return sendPage(request, reply, 'citizen/kept-form-gone', { title: t('drafts:kept-gone'), section: 'sent' })
    const { actor } = request.signedIn!
    if (found.kept.owner.mailboxId !== actor.mailboxId)
      return sendPage(request, reply, 'citizen/kept-form', {
        title: t('drafts:kept-title'),
        section: 'sent',
        ...viewOwner(found.kept.owner),
      })
    try {
      await restore(request, reply, surroundings, actor, found.kept)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not-found') throw error
      // What it was about is gone: to copy, and it stays for its hour.
      const text = new Map(found.kept.fields).get('text')
      return sendPage(request, reply, 'citizen/kept-form-gone', { title: t('drafts:kept-no-place'), section: 'sent', text })
    }
    // Until it is somewhere else, it stays.
    if (reply.statusCode !== 422) await forgetKeptForm(database, found)
    return reply
  })

  /** Opens the mailbox in which it was written, where that is another. */
  app.post('/kept-form', { preHandler: checkFormOfAnyMailbox }, async (request, reply) => {
    const found = await find(request)
    if (found) {
      const { grantId, viaGrantId } = found.kept.owner
      await openMailbox(database, request.cookies[session.name]!, grantId ? { grantId, viaGrantId } : undefined, clock())
    }
    return reply.redirect('/kept-form', 303)
  })
}

const viewOwner = ({ grantId }: FormOwner) => ({ isOfAnother: grantId !== undefined })

/** As if "Save draft" had been pressed, or "Save note". */
async function restore(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Desk,
  actor: Actor,
  { address, fields }: KeptForm,
) {
  const { database, clock } = surroundings
  const form: Form = { fields: new Map([...fields, ['action', 'save']]), files: [], isTooLarge: false }
  const [, folder, first = '', second = ''] = address.split('/')
  if (folder === 'letters' && second === 'note') return restoreNote(request, reply, surroundings, first, form.fields)
  if (folder === 'write') {
    return receiveNew(
      request,
      reply,
      surroundings,
      await findContactPoint(database, actor, { organisation: first, point: second }),
      form,
    )
  }
  if (folder === 'letters') {
    const letter = await open(database, actor, first, clock())
    return receiveWriting(request, reply, surroundings, await answering(surroundings, actor, letter), form)
  }
  const draft = await findDraft(database, actor, first, clock())
  return receiveWriting(request, reply, surroundings, await writingOf(surroundings, actor, draft), form, draft.id)
}

function restoreNote(request: FastifyRequest, reply: FastifyReply, surroundings: Desk, id: string, fields: Form['fields']) {
  return receiveNote(request, reply, surroundings, { id, text: fields.get('text') ?? '', version: Number(fields.get('version')) })
}
