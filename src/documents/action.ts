import { type Static, Type } from 'typebox'
import type { PlainFaultCode } from '../problems.ts'
import { Line, Text } from './document.ts'

/**
 * What a letter asks its reader to do, or offers. The kinds are those of MeMo: AFTALE book, BETALING pay, UNDERSKRIV sign, BEKRAEFT
 * confirm, FORBEREDELSE prepare, SELVBETJENING self-service, INFORMATION information, TILMELDING sign-up.
 */
export const actionKinds = ['pay', 'book', 'sign', 'confirm', 'prepare', 'self-service', 'information', 'sign-up'] as const
export type ActionKind = (typeof actionKinds)[number]

const closed = { additionalProperties: false } as const
const Time = (description: string) => Type.String({ format: 'date-time', description })
export const labelLengthMax = 100
export const urlLengthMax = 2_000
/** GOV.UK Pay takes no more. */
export const penceMax = 10_000_000

const Appointment = Type.Object(
  {
    start: Time('When it begins.'),
    end: Time('When it ends.'),
    place: Type.Optional(Line(256, 'Where it is.')),
    description: Type.Optional(Text(2_000, 'What it is about, and what to bring. Plain text.')),
    organiser: Type.Optional(Line(128, 'Who the reader will meet.')),
  },
  closed,
)

export const NewAction = Type.Object(
  {
    kind: Type.Enum(actionKinds, {
      description:
        'pay: needs `url` (a GOV.UK Pay link) or `amount` and `reference`, which are paid by the GOV.UK Pay account of your service. book: needs `appointment` or `url`. ' +
        'self-service, information and sign-up: need `url`. sign, confirm and prepare: are done here, or at `url`.',
    }),
    label: Type.Object(
      {
        en: Line(labelLengthMax, 'What to do, in a few words: Pay your council tax.'),
        cy: Type.Optional(Line(labelLengthMax, 'The same in Welsh.')),
      },
      closed,
    ),
    from: Type.Optional(Time('From when it can be done. Default: at once.')),
    until: Type.Optional(Time('Until when it should be done. It can still be done later, and is shown as overdue.')),
    url: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: urlLengthMax,
        description:
          'Where it is done: https, at a site that your organisation has registered, with nothing in it that says who the reader is.',
      }),
    ),
    appointment: Type.Optional(Appointment),
    amount: Type.Optional(Type.Integer({ minimum: 1, maximum: penceMax, description: 'What is to be paid, in pence.' })),
    reference: Type.Optional(Line(255, 'Your reference of the payment, as GOV.UK Pay reports it.')),
    document: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 19, description: 'Which of `documents` it is about, counting from 0.' }),
    ),
  },
  closed,
)
export type NewAction = Static<typeof NewAction>

export const actionsMax = 10

/**
 * How it is done: paid here, answered with yes or no, declared here once and for all, done at another site, or only noted here by
 * whoever has done it.
 */
export type ActionWay = 'payment' | 'appointment' | 'declaration' | 'visit' | 'mark'

export function wayOf({ kind, url, appointment }: Pick<NewAction, 'kind' | 'url' | 'appointment'>): ActionWay {
  if (appointment !== undefined) return 'appointment'
  if (url !== undefined) return 'visit'
  if (kind === 'pay') return 'payment'
  return kind === 'sign' || kind === 'confirm' ? 'declaration' : 'mark'
}

/** What is wrong with an action, by field: as far as that can be said of it alone. `documents` is how many the message has. */
export function misfitsOfAction(action: NewAction, documents: number): { field: string; code: PlainFaultCode }[] {
  const { kind, from, until, url, appointment, amount, reference, document } = action
  const wrong: { field: string; code: PlainFaultCode }[] = []
  const say = (isWrong: boolean, field: string, code: PlainFaultCode) => isWrong && wrong.push({ field, code })
  const needsUrl = kind === 'self-service' || kind === 'information' || kind === 'sign-up'
  say(needsUrl && url === undefined, 'url', 'action-url-needed')
  say(kind === 'book' && url === undefined && appointment === undefined, 'appointment', 'action-booking-needed')
  say(kind !== 'book' && appointment !== undefined, 'appointment', 'action-appointment-unfit')
  say(kind === 'pay' && url === undefined && amount === undefined, 'amount', 'action-amount-needed')
  say(kind !== 'pay' && amount !== undefined, 'amount', 'action-amount-unfit')
  say(kind !== 'pay' && reference !== undefined, 'reference', 'action-reference-unfit')
  // GOV.UK Pay refuses it.
  say(kind === 'pay' && url === undefined && reference === undefined, 'reference', 'action-reference-needed')
  say(/https?:|www\./i.test(reference ?? ''), 'reference', 'action-reference-address')
  const ends = appointment === undefined || new Date(appointment.start) < new Date(appointment.end)
  say(!ends, 'appointment/end', 'action-appointment-order')
  say(from !== undefined && until !== undefined && !(new Date(from) < new Date(until)), 'until', 'action-until-order')
  say(document !== undefined && document >= documents, 'document', 'action-document-unknown')
  return wrong
}

const email = /[^\s/?&=;,]+@[^\s/?&=;,]+\.[a-z]{2,}/i
const nationalInsuranceNumber = /(?<![a-z0-9])[a-ceghj-pr-tw-z]{2}(?:[ ._+-]?\d{2}){3}[ ._+-]?[a-d](?![a-z0-9])/i
/** A shorter identifier would be found by chance. */
const identifierLengthMin = 4

/** The host, or in a demo the origin, that must be registered; undefined where the address can be none of an action. */
export function hostOfAction(address: string): string | undefined {
  const url = /[\s\p{Cc}\\]/u.test(address) ? null : URL.parse(address)
  if (url === null || url.username || url.password) return undefined
  if (url.protocol === 'https:') return url.host
  // Registered in a demo only, and of this machine only (registry/action-hosts.ts).
  return url.protocol === 'http:' ? url.origin : undefined
}

/** Whether an address says who the reader is. It stands in the history of browsers and in the logs of whoever it passes. */
export function isPersonal(address: string, identifier: string | undefined): boolean {
  const said = decoded(address)
  const bare = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
  const known = bare(identifier ?? '')
  return (
    email.test(said) || nationalInsuranceNumber.test(said) || (known.length >= identifierLengthMin && bare(said).includes(known))
  )
}

/** Also where it was encoded more than once. */
function decoded(address: string): string {
  let text = address
  for (let times = 0; times < 3; times++) {
    try {
      const next = decodeURIComponent(text.replaceAll('+', ' '))
      if (next === text) break
      text = next
    } catch {
      break
    }
  }
  return text
}

/** In the words of MeMo: RECEIVED, STARTED, COMPLETED, FAILED_WITH_ERROR, CANCELLED. */
export const actionStates = ['open', 'started', 'done', 'failed', 'cancelled'] as const
export type ActionState = (typeof actionStates)[number]

export const actionEvents = ['start', 'complete', 'decline', 'fail', 'undo'] as const
export type ActionEvent = (typeof actionEvents)[number]

type Steps = Partial<Record<ActionState, Partial<Record<ActionEvent, ActionState>>>>

/** What may follow what, for each way. What is not here cannot be; a payment that succeeded and a declaration are never taken back. */
const steps: Record<ActionWay, Steps> = {
  payment: {
    open: { start: 'started', complete: 'done', fail: 'failed' },
    started: { complete: 'done', fail: 'failed' },
    failed: { start: 'started', complete: 'done' },
  },
  appointment: {
    open: { complete: 'done', decline: 'cancelled' },
    done: { decline: 'cancelled' },
    cancelled: { complete: 'done' },
  },
  declaration: { open: { complete: 'done' } },
  visit: {
    open: { start: 'started', complete: 'done' },
    started: { complete: 'done' },
    done: { undo: 'open' },
  },
  mark: { open: { complete: 'done' }, done: { undo: 'open' } },
}

/** The state that follows, or undefined where that cannot happen. */
export function stateAfter(way: ActionWay, state: ActionState, event: ActionEvent): ActionState | undefined {
  return steps[way][state]?.[event]
}

/** What its reader may do by saying so; the rest comes from visiting an address, and from whoever takes the payment. */
const bySaying: Record<ActionWay, readonly ActionEvent[]> = {
  payment: [],
  appointment: ['complete', 'decline'],
  declaration: ['complete'],
  visit: ['complete', 'undo'],
  mark: ['complete', 'undo'],
}

export function maySay(way: ActionWay, event: ActionEvent): boolean {
  return bySaying[way].includes(event)
}

/** What is kept of an action, in JSON. */
export type StoredAction = {
  id: string
  kind: ActionKind
  /** As it was sent. */
  said: NewAction
  state: ActionState
  stateAt: string
  startsAt: string | null
  endsAt: string | null
  changedByName: string | null
}

/** An action as it is kept, with what became of it. */
export type Action = {
  id: string
  kind: ActionKind
  /** As it was sent. */
  said: NewAction
  state: ActionState
  stateAt: Date
  startsAt: Date | null
  /** Until when it should be done; of an appointment that says nothing else, when that begins. */
  endsAt: Date | null
  /** Who did it, where that was not the owner of the mailbox. */
  changedByName: string | null
}

export function isWaiting({ state }: Pick<Action, 'state'>): boolean {
  return state === 'open' || state === 'started' || state === 'failed'
}

const timeOf = (text: string | null) => (text === null ? null : new Date(text))

export function readAction({ stateAt, startsAt, endsAt, ...rest }: StoredAction): Action {
  return { ...rest, stateAt: new Date(stateAt), startsAt: timeOf(startsAt), endsAt: timeOf(endsAt) }
}

const soonMs = 7 * 24 * 3_600_000

/** What ends before this moment is to be done soon. */
export function soonFrom(now: Date): Date {
  return new Date(now.getTime() + soonMs)
}

export type Urgency = 'overdue' | 'soon' | 'later' | 'undated'

export function urgencyOf({ endsAt }: Pick<Action, 'endsAt'>, now: Date): Urgency {
  if (endsAt === null) return 'undated'
  if (endsAt < now) return 'overdue'
  return endsAt < soonFrom(now) ? 'soon' : 'later'
}

/** Until when it should be done. */
export function dueOf({ until, appointment }: NewAction): string | undefined {
  return until ?? appointment?.start
}
