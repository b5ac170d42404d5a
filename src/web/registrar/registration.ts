import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../problems.ts'
import { changeRegistration } from '../../registry/change-registration.ts'
import type { PartyRecord } from '../../registry/read-record.ts'
import { mayChange, type Registration, type RegistrationRules } from '../../registry/registration.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkReason, type Draft, readDraft, readPastDay, toHidden } from './fields.ts'
import { openRecord, showEnded } from './viewing.ts'
import { dayOf } from './words.ts'

type Action = 'exempt' | 'join' | 'close' | 'open'

const actions: Record<Action, { to: Registration; link: string; title: (name: string) => string; button: string }> = {
  exempt: {
    to: 'exempt',
    link: 'Exempt from digital post',
    title: (name) => `Exempt ${name} from digital post`,
    button: 'Exempt from digital post',
  },
  join: { to: 'registered', link: 'Join again', title: (name) => `Let ${name} join again`, button: 'Join again' },
  close: {
    to: 'closed',
    link: 'Close the mailbox',
    title: (name) => `Close the mailbox of ${name}`,
    button: 'Close the mailbox',
  },
  open: {
    to: 'registered',
    link: 'Open the mailbox again',
    title: (name) => `Open the mailbox of ${name} again`,
    button: 'Open the mailbox again',
  },
}

/** Why a mailbox is closed, by whose it is. */
const closings = {
  person: [
    { value: 'death', text: 'The person has died' },
    { value: 'other', text: 'Another reason' },
  ],
  business: [
    { value: 'dissolved', text: 'The business has been dissolved' },
    { value: 'other', text: 'Another reason' },
  ],
}

/** What may be done with the registration of a record now. */
export function actionsFor(
  { kind, registration, history }: PartyRecord,
  rules: RegistrationRules,
  now: Date,
): { action: Action; text: string }[] {
  const [last] = history
  const closing = registration === 'closed' && last !== undefined ? { at: last.at, reason: last.reason } : undefined
  const isOffered = (action: Action) => {
    const isOfClosed = registration === 'closed'
    if ((action === 'open') !== isOfClosed) return false
    const reason = action === 'close' ? 'other' : 'any'
    const change = { kind, from: registration, to: actions[action].to, changer: 'registrar' as const, reason, closing }
    return mayChange(change, rules, now)
  }
  return (Object.keys(actions) as Action[]).filter(isOffered).map((action) => ({ action, text: actions[action].link }))
}

/** Exempting, joining again, closing: why, then a look at what will be done, then it is done. */
export function registrationPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const action = Type.Enum(['exempt', 'join', 'close', 'open'])
  const schema = { params: Type.Object({ id: Type.String({ format: 'uuid' }), action }) }
  const address = '/registrar/records/:id/registration/:action'
  const offered = (record: PartyRecord, action: Action) => {
    const isOffered = actionsFor(record, config.registration, clock()).some((each) => each.action === action)
    if (!isOffered) throw new Problem('not-found')
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
    const { closing, errors } = readClosing(record, action, draft, clock())
    const all = [...errors, ...checkReason(draft)]
    if (all.length > 0) return sendForm(request, reply, record, action, draft, all)
    if (draft.step !== 'do') return sendCheck(request, reply, record, action, draft, closing)
    const change = { partyId: record.id, to: actions[action].to, ...noteOf(draft, closing) }
    await changeRegistration(database, request.signedIn!.actor, change, clock(), config.registration)
    return reply.redirect(`/registrar/records/${record.viewId}?done=${action}`, 303)
  })
}

type Closing = { why: string; words: string; on: string | undefined }

function readClosing(
  { kind }: PartyRecord,
  action: Action,
  draft: Draft,
  now: Date,
): { closing?: Closing; errors: FieldError[] } {
  if (action !== 'close') return { errors: [] }
  const chosen = closings[kind].find(({ value }) => value === draft.why)
  if (chosen === undefined) return { errors: [{ field: 'why', text: 'Choose why the mailbox is closed' }] }
  if (chosen.value === 'other') return { closing: { why: 'other', words: chosen.text, on: undefined }, errors: [] }
  const { day, errors } = readPastDay(draft, 'on', 'on which day', now)
  return { closing: { why: chosen.value, words: chosen.text, on: day }, errors }
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
  const data = {
    title: actions[action].title(record.name),
    section: 'records' as const,
    record,
    action,
    draft,
    errors,
    closings: closings[record.kind],
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
  return sendPage(request, reply, 'registrar/check', {
    title: `${actions[action].title(record.name)}?`,
    section: 'records',
    rows: [
      { key: 'Record', value: record.name },
      ...(closing ? [{ key: 'Because', value: closing.words }] : []),
      ...(closing?.on ? [{ key: 'On', value: dayOf(closing.on) }] : []),
      { key: 'Why you do this', value: draft.reason! },
    ],
    sentences: consequences[action],
    button: actions[action].button,
    isGrave: action === 'close',
    hidden: toHidden(draft),
    back: `/registrar/records/${record.viewId}`,
  })
}

const consequences: Record<Action, string[]> = {
  exempt: [
    'Senders are told to use another channel, such as paper. Post that is here already stays, and can still be read.',
    'This holds until the owner joins again.',
  ],
  join: ['Senders can write here again at once.'],
  close: [
    'New post is refused, with the reason. Whoever was let into this mailbox is out at once. What is in it is kept for the time that the rules say.',
    'A mailbox that was closed in error can be opened again for a time, and access by others must then be given anew.',
  ],
  open: ['Senders can write here again at once. Whoever was let in before the mailbox closed is not let in again.'],
}
