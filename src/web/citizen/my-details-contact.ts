import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { personOf } from '../../access/grant.ts'
import { addContactDetail, type Refusal } from '../../alerts/add-contact-detail.ts'
import {
  type ContactDetail,
  type ContactKind,
  contactOptions,
  emailsMax,
  numberInWords,
  offeredKinds,
  readEmail,
  readMobile,
  reconfirmDays,
} from '../../alerts/contact-detail.ts'
import { listContactDetails } from '../../alerts/list-contact-details.ts'
import { reconfirmContactDetail } from '../../alerts/reconfirm-contact-detail.ts'
import { removeContactDetail } from '../../alerts/remove-contact-detail.ts'
import { resendCode } from '../../alerts/resend-code.ts'
import { type CodeOutcome, verifyContactDetail } from '../../alerts/verify-contact-detail.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'

const folder = '/my-details/contact'
const dayMs = 24 * 3_600_000
const section = 'my-details' as const
const idSchema = { params: LetterParams }
const outcomes = ['verified', 'removed', 'reconfirmed'] as const

/** Where a person is told that there is post: their own addresses, whichever mailbox is open. */
export function contactDetailPages(app: FastifyInstance, surroundings: Surroundings): void {
  listPage(app, surroundings)
  addPages(app, surroundings)
  codePages(app, surroundings)
  changePages(app, surroundings)
}

const personIn = (request: FastifyRequest) => personOf(request.signedIn!.actor)
const typedIn = (request: FastifyRequest, field: string): string => {
  const value = ((request.body ?? {}) as Record<string, unknown>)[field]
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '').trim().slice(0, 400) : ''
}

/** As the pages show one. */
function view(detail: ContactDetail, now: Date) {
  const { kind, value, verifiedAt, reconfirmedAt } = detail
  const isOld = reconfirmedAt !== undefined && now.getTime() - reconfirmedAt.getTime() > reconfirmDays * dayMs
  return { ...detail, text: kind === 'mobile' ? numberInWords(value) : value, isVerified: verifiedAt !== undefined, isOld }
}

/** The person's own of this id. Throws `not-found`. */
async function findOwn(request: FastifyRequest, { config, database, clock }: Surroundings) {
  const { id } = request.params as { id: string }
  const details = await listContactDetails(database, contactOptions(config).keys, personIn(request))
  const detail = details.find((each) => each.id === id)
  if (detail === undefined) throw new Problem('not-found')
  return view(detail, clock())
}

function listPage(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const { keys } = contactOptions(config)
  app.get(folder, async (request, reply) => {
    const { done } = request.query as { done?: string }
    const details = (await listContactDetails(database, keys, personIn(request))).map((detail) => view(detail, clock()))
    return sendPage(request, reply, 'citizen/my-details-contact', {
      title: wordsFor(request)('contact-details:title'),
      section,
      emails: details.filter(({ kind }) => kind === 'email'),
      mobiles: details.filter(({ kind }) => kind === 'mobile'),
      offered: offeredKinds(config),
      emailsMax,
      done: outcomes.find((outcome) => outcome === done),
    })
  })
}

/** The form for one address, and what it says where that cannot be taken. */
function addPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const options = contactOptions(config)
  const schema = { params: Type.Object({ kind: Type.Enum(['email', 'mobile']) }) }
  const show = (request: FastifyRequest, reply: FastifyReply, kind: ContactKind, typed = '', errors: FieldError[] = []) => {
    if (!offeredKinds(config)[kind]) throw new Problem('not-found')
    const title = wordsFor(request)(`contact-details:add-${kind}.title`)
    const data = { title, section, kind, typed, errors }
    return sendPage(request, reply, 'citizen/my-details-contact-add', data, errors.length > 0 ? 422 : 200)
  }

  scope.get(`${folder}/add/:kind`, { schema }, (request, reply) => show(request, reply, request.params.kind))

  scope.post(`${folder}/add/:kind`, { preHandler: checkForm, schema }, async (request, reply) => {
    const { kind } = request.params
    const t = wordsFor(request)
    const typed = typedIn(request, 'value')
    const refuse = (text: string) => show(request, reply, kind, typed, [{ field: 'value', text }])
    if (!offeredKinds(config)[kind]) throw new Problem('not-found')
    if (typed === '') return refuse(t(`contact-details:add-${kind}.empty`))
    const value = kind === 'email' ? readEmail(typed) : readMobile(typed)
    if (value === undefined) return refuse(t(`contact-details:add-${kind}.invalid`))
    const input = { partyId: personIn(request), kind, value, language: languageOf(request) }
    const added = await addContactDetail(database, options, input, clock())
    if ('refused' in added) return refuse(refusedInWords(added, t))
    return reply.redirect(`${folder}/${added.id}/code`, 303)
  })
}

function refusedInWords({ refused }: Refusal, t: Translate): string {
  return t(`contact-details:refused.${refused}`, { count: emailsMax })
}

/** What was sent is entered here, or sent once more. */
function codePages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, clock } = surroundings
  const options = contactOptions(config)
  const show = async (request: FastifyRequest, reply: FastifyReply, typed = '', errors: FieldError[] = []) => {
    const detail = await findOwn(request, surroundings)
    if (detail.isVerified) return reply.redirect(`${folder}?done=verified`, 303)
    const title = wordsFor(request)(`contact-details:code.title-${detail.kind}`)
    const { sent } = request.query as { sent?: string }
    const data = { title, section, detail, typed, errors, isSentAgain: sent === 'again', isDemo: config.demo }
    return sendPage(request, reply, 'citizen/my-details-contact-code', data, errors.length > 0 ? 422 : 200)
  }

  app.get(`${folder}/:id/code`, { schema: idSchema }, (request, reply) => show(request, reply))

  app.post(`${folder}/:id/code`, { preHandler: checkForm, schema: idSchema }, async (request, reply) => {
    const { id } = request.params as { id: string }
    const t = wordsFor(request)
    const typed = typedIn(request, 'code').slice(0, 40)
    // Copied from a message, it may bring spaces along.
    const code = typed.replaceAll(/[\s-]/g, '')
    if (!/^\d{6}$/.test(code)) {
      const text = t(code === '' ? 'contact-details:code.empty' : 'contact-details:code.invalid')
      return show(request, reply, typed, [{ field: 'code', text }])
    }
    const outcome = await verifyContactDetail(database, options.keys, { partyId: personIn(request), id, code }, clock())
    if (outcome === 'verified') return reply.redirect(`${folder}?done=verified`, 303)
    return show(request, reply, typed, [{ field: 'code', text: outcomeInWords(outcome, t) }])
  })

  app.post(`${folder}/:id/resend`, { preHandler: checkForm, schema: idSchema }, async (request, reply) => {
    const { id } = request.params as { id: string }
    const input = { partyId: personIn(request), id, language: languageOf(request) }
    const sent = await resendCode(database, options, input, clock())
    if (sent === 'sent') return reply.redirect(`${folder}/${id}/code?sent=again`, 303)
    return show(request, reply, '', [{ field: 'code', text: refusedInWords(sent, wordsFor(request)) }])
  })
}

function outcomeInWords(outcome: Exclude<CodeOutcome, 'verified'>, t: Translate): string {
  return t(`contact-details:code.${outcome}`)
}

function changePages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings

  app.get(`${folder}/:id/remove`, { schema: idSchema }, async (request, reply) => {
    const detail = await findOwn(request, surroundings)
    const title = wordsFor(request)(`contact-details:remove.title-${detail.kind}`)
    return sendPage(request, reply, 'citizen/my-details-contact-remove', { title, section, detail })
  })

  app.post(`${folder}/:id/remove`, { preHandler: checkForm, schema: idSchema }, async (request, reply) => {
    const { id } = request.params as { id: string }
    await removeContactDetail(database, { partyId: personIn(request), id })
    return reply.redirect(`${folder}?done=removed`, 303)
  })

  app.post(`${folder}/:id/still-right`, { preHandler: checkForm, schema: idSchema }, async (request, reply) => {
    const { id } = request.params as { id: string }
    await reconfirmContactDetail(database, { partyId: personIn(request), id }, clock())
    return reply.redirect(`${folder}?done=reconfirmed`, 303)
  })
}
