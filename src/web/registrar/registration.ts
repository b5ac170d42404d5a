import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../problems.ts'
import { changeRegistration } from '../../registry/change-registration.ts'
import type { PartyRecord } from '../../registry/read-record.ts'
import { mayChange, type Registration, type RegistrationRules } from '../../registry/registration.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import { checkReason, type Draft, readDraft, readPastDay, toHidden } from './fields.ts'
import { openRecord, showEnded } from './viewing.ts'
import { dayOf } from './words.ts'

type Action = 'exempt' | 'join' | 'close' | 'open'

const becomes: Record<Action, Registration> = { exempt: 'exempt', join: 'registered', close: 'closed', open: 'registered' }
const actions = Object.keys(becomes) as Action[]

/** Why a mailbox is closed, by whose it is. */
const closings = { person: ['death', 'other'], business: ['dissolved', 'other'] } as const

/** What may be done with the registration of a record now. */
export function actionsFor({ kind, registration, history }: PartyRecord, rules: RegistrationRules, now: Date): Action[] {
  const [last] = history
  const closing = registration === 'closed' && last !== undefined ? { at: last.at, reason: last.reason } : undefined
  const isOffered = (action: Action) => {
    const isOfClosed = registration === 'closed'
    if ((action === 'open') !== isOfClosed) return false
    const reason = action === 'close' ? 'other' : 'any'
    const change = { kind, from: registration, to: becomes[action], changer: 'registrar' as const, reason, closing }
    return mayChange(change, rules, now)
  }
  return actions.filter(isOffered)
}

/** Exempting, joining again, closing: why, then a look at what will be done, then it is done. */
export function registrationPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const action = Type.Enum(actions)
  const schema = { params: Type.Object({ id: Type.String({ format: 'uuid' }), action }) }
  const address = '/registrar/records/:id/registration/:action'
  const offered = (record: PartyRecord, action: Action) => {
    if (!actionsFor(record, config.registration, clock()).includes(action)) throw new Problem('not-found')
    return action
  }

  scope.get(address, { schema }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    return sendForm(request, reply, record, offered(record, request.params.action as Action), {})
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const action = offered(record, request.params.action as Action)
    const t = wordsFor(request)
    const { closing, errors } = readClosing(record, action, draft, clock(), t)
    const all = [...errors, ...checkReason(draft, t)]
    if (all.length > 0) return sendForm(request, reply, record, action, draft, all)
    if (draft.step !== 'do') return sendCheck(request, reply, record, action, draft, closing)
    const change = { partyId: record.id, to: becomes[action], ...noteOf(draft, closing) }
    await changeRegistration(database, request.signedIn!.actor, change, clock(), config.registration)
    return reply.redirect(`/registrar/records/${record.viewId}?done=${action}`, 303)
  })
}

type Closing = { why: (typeof closings)['person' | 'business'][number]; on: string | undefined }

function readClosing(
  { kind }: PartyRecord,
  action: Action,
  draft: Draft,
  now: Date,
  t: Translate,
): { closing?: Closing; errors: FieldError[] } {
  if (action !== 'close') return { errors: [] }
  const why = closings[kind].find((each) => each === draft.why)
  if (why === undefined) return { errors: [{ field: 'why', text: t('register-registration:why-missing') }] }
  if (why === 'other') return { closing: { why, on: undefined }, errors: [] }
  const { day, errors } = readPastDay(draft, 'on', t('register-registration:on-missing'), now, t)
  return { closing: { why, on: day }, errors }
}

/** A closing has its reason from a list, and what was typed is noted with it. */
function noteOf({ reason }: Draft, closing: Closing | undefined): { reason: string; note?: string } {
  if (closing === undefined) return { reason: reason! }
  return { reason: closing.why, note: closing.on === undefined ? reason! : `On ${dayOf(closing.on)}. ${reason}` }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  action: Action,
  draft: Draft,
  errors: FieldError[] = [],
) {
  const t = wordsFor(request)
  const data = {
    title: t(`register-registration:actions.${action}.title`, { name: record.name }),
    section: 'records' as const,
    record,
    action,
    draft,
    errors,
    closings: closings[record.kind].map((value) => ({ value, text: t(`register-registration:closing.${value}`) })),
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/registration', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  action: Action,
  draft: Draft,
  closing: Closing | undefined,
) {
  const t = wordsFor(request)
  const because = closing && t(`register-registration:closing.${closing.why}`)
  const on = closing?.on && dayOf(closing.on, languageOf(request))
  return sendPage(request, reply, 'registrar/check', {
    title: t(`register-registration:actions.${action}.question`, { name: record.name }),
    section: 'records',
    rows: [
      { key: t('register-registration:row.record'), value: record.name },
      ...(because ? [{ key: t('register-registration:row.because'), value: because }] : []),
      ...(on ? [{ key: t('register-registration:row.on'), value: on }] : []),
      { key: t('register-form:reason.row'), value: draft.reason! },
    ],
    sentences: sentences[action].map((sentence) => t(`register-registration:actions.${action}.${sentence}`)),
    button: t(`register-registration:actions.${action}.do`),
    isGrave: action === 'close',
    hidden: toHidden(draft),
    back: `/registrar/records/${record.viewId}`,
  })
}

/** What is said of what it means. */
const sentences: Record<Action, readonly ('first' | 'second')[]> = {
  exempt: ['first', 'second'],
  join: ['first'],
  close: ['first', 'second'],
  open: ['first'],
}
