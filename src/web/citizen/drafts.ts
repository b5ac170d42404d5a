import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { sendDraft } from '../../delivery/send-draft.ts'
import { isTextual } from '../../documents/document.ts'
import { deleteDraft } from '../../mailbox/delete-draft.ts'
import type { Draft } from '../../mailbox/draft.ts'
import { readDraftFile } from '../../mailbox/draft-files.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { listDrafts } from '../../mailbox/list-drafts.ts'
import { scheduleDraft } from '../../mailbox/schedule-draft.ts'
import { Problem } from '../../problems.ts'
import { FileParams, LetterParams } from '../address.ts'
import { disposition, refuseOtherSites } from '../download.ts'
import { type Form, readForm, toFieldError } from '../form.ts'
import { viewLetter } from '../letter-view.ts'
import { renderMarkdown } from '../markdown.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { receiveWriting, showWriting, type Writing, writingOf } from './writing.ts'
import { emptyWhen, formOwner, readWhen, viewFiles, type When } from './writing-page.ts'

const schema = { params: LetterParams }

/** What is being written, and what is to be sent later. */
export function draftPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const querystring = Type.Object({ deleted: Type.Optional(Type.String()) })
  scope.get('/drafts', { schema: { querystring } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const drafts = await listDrafts(database, actor)
    return sendPage(request, reply, 'citizen/drafts', {
      title: wordsFor(request)('drafts:title'),
      section: 'sent',
      drafts: drafts.map((draft) => ({ ...draft, writtenByOther: draft.writtenById === actor.by.id ? '' : draft.writtenByName })),
      isDeleted: request.query.deleted !== undefined,
    })
  })

  scope.get('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, request.params.id, clock())
    if (draft.sendAt !== null) return sendScheduled(request, reply, draft, draft.sendAt)
    return showWriting(request, reply, surroundings, await writingOf(surroundings, actor, draft), draft)
  })

  scope.post('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, request.params.id, clock())
    const writing = await writingOf(surroundings, actor, draft)
    return receiveWriting(request, reply, surroundings, writing, await readForm(request, writing.limits), draft.id)
  })

  scope.post('/drafts/:id/stop', { schema, preHandler: checkForm }, async (request, reply) => {
    await scheduleDraft(database, request.signedIn!.actor, { id: request.params.id, version: 0 }, null)
    return reply.redirect(`/drafts/${request.params.id}`, 303)
  })

  scope.get('/drafts/:id/files/:fileId', { schema: { params: FileParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, fileId } = request.params
    const { filename, mediaType, bytes } = await readDraftFile(database, request.signedIn!.actor, id, fileId)
    return reply
      .headers({
        'content-type': isTextual(mediaType) ? `${mediaType}; charset=utf-8` : mediaType,
        'content-disposition': disposition('attachment', filename),
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'no-store',
      })
      .send(bytes)
  })
  deletingPages(app, surroundings)
  checkingPages(app, surroundings)
}

function sendScheduled(request: FastifyRequest, reply: FastifyReply, draft: Draft, sendAt: Date) {
  return sendPage(request, reply, 'citizen/draft-scheduled', {
    title: wordsFor(request)('drafts:scheduled-title'),
    section: 'sent',
    draft,
    sendAt,
    body: renderMarkdown(draft.body, { firstHeading: 3, keepLineBreaks: true }),
    files: viewFiles(draft),
  })
}

function deletingPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/drafts/:id/delete', { schema }, async (request, reply) => {
    const draft = await findDraft(database, request.signedIn!.actor, request.params.id, clock())
    const title = wordsFor(request)('drafts:delete-title')
    return sendPage(request, reply, 'citizen/draft-delete', { title, section: 'sent', draft })
  })

  scope.post('/drafts/:id/delete', { schema, preHandler: checkForm }, async (request, reply) => {
    await deleteDraft(database, request.signedIn!.actor, request.params.id)
    return reply.redirect('/drafts?deleted', 303)
  })
}

/** Before a letter is handed on: whom it goes to, and what they will see. */
function checkingPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const find = async (request: FastifyRequest, id: string) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, id, clock())
    const writing = await writingOf(surroundings, actor, draft)
    if (draft.kind !== 'forward' || writing.letter === undefined) throw new Problem('not-found')
    return { draft, writing }
  }

  scope.get('/drafts/:id/check', { schema }, async (request, reply) => {
    const { draft, writing } = await find(request, request.params.id)
    if (draft.sendAt !== null) return reply.redirect(`/drafts/${draft.id}`, 303)
    return sendCheck(request, reply, surroundings, draft, writing, emptyWhen)
  })

  scope.post('/drafts/:id/check', { schema, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const body = request.body as Record<string, unknown>
    const fields: Form['fields'] = new Map(Object.entries(body).map(([name, value]) => [name, String(value)]))
    const [when, version] = [readWhen(fields), Number(fields.get('draftVersion'))]
    const { id } = request.params
    const found = await find(request, id).catch((error) => {
      if (error instanceof Problem && error.code === 'not-found') return undefined
      throw error
    })
    const again = (errors: FieldError[]) => sendCheck(request, reply, surroundings, found!.draft, found!.writing, when, errors)
    const t = wordsFor(request)
    const errors = when.check(clock(), t)
    if (found && errors.length > 0) return again(errors)
    try {
      if (found && when.at) {
        await scheduleDraft(database, actor, { id, version }, when.at)
        return reply.redirect(`/drafts/${id}`, 303)
      }
      // Pressed twice, the second finds it sent.
      const { messageId } = await sendDraft(database, keys, actor, { id, version }, clock())
      return reply.redirect(`/sent/${messageId}/confirmation`, 303)
    } catch (error) {
      if (found === undefined) throw error
      return again([toFieldError(error, [], 'to', t)])
    }
  })
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Surroundings,
  draft: Draft,
  { letter, point }: Writing,
  when: When,
  errors: FieldError[] = [],
) {
  const view = viewLetter(letter!, '/letters', 3)
  return sendPage(
    request,
    reply,
    'citizen/forward-check',
    {
      title: wordsFor(request)('forward:check-title'),
      section: 'inbox',
      draft,
      point,
      asks: (point?.asks ?? []).map(({ label }, index) => ({ label: label.en, value: draft.answers[index] ?? '' })),
      comment: draft.body.trim() === '' ? undefined : renderMarkdown(draft.body, { firstHeading: 3, keepLineBreaks: true }),
      letter: view,
      texts: letter!.content.map(({ language }) => viewLetter(letter!, '/letters', 3, language)),
      isRecipientOnly: letter!.recipientOnly,
      when,
      errors,
      owner: formOwner(request, surroundings),
    },
    errors.length > 0 ? 422 : 200,
  )
}
