import type { FastifyRequest } from 'fastify'
import {
  type Action,
  type ActionEvent,
  type ActionState,
  isWaiting,
  maySay,
  stateAfter,
  urgencyOf,
  wayOf,
} from '../documents/action.ts'
import { clockInWords, dayInLondon, dayInWords, timeInWords } from './dates.ts'
import { type Language, languageOf, type Translate, wordsFor } from './words.ts'

/** What something to do looks like on a page: in the letter, in the list and on its own page. */
export type ActionView = {
  id: string
  href: string
  label: string
  labelLanguage: Language
  kind: string
  tag: { text: string; classes: string }
  /** Until when it is to be done, or when it is, or what became of it. */
  about: string | undefined
  amount: string | undefined
  when: string | undefined
  /** Of the site where it is done. */
  site: string | undefined
  isWaiting: boolean
  /** Nothing has come of it yet, and it is not late: in the list of what there is to do, that goes without saying. */
  isPlain: boolean
  isDeclaration: boolean
  mayPay: boolean
  mayVisit: boolean
  /** What its reader may say, with the words of the button. */
  says: { event: ActionEvent; text: string; isMain: boolean }[]
  hasAppointment: boolean
}

export type ActionReader = { language: Language; t: Translate; now: Date; mayAct: boolean }

export function readerOf(request: FastifyRequest, now: Date): ActionReader {
  const mayAct = request.signedIn!.actor.rights.has('actions:take')
  return { language: languageOf(request), t: wordsFor(request), now, mayAct }
}

export function viewAction(action: Action, messageId: string, reader: ActionReader): ActionView {
  const { language, t, now, mayAct } = reader
  const { id, said, state, startsAt } = action
  const way = wayOf(said)
  const isTooEarly = startsAt !== null && startsAt > now
  const isOpen = isWaiting(action)
  const may = mayAct && !isTooEarly
  return {
    id,
    href: `/to-do/${messageId}/${id}`,
    ...labelOf(said, language),
    kind: t(`to-do:kinds.${said.kind}`),
    tag: tagOf(action, reader),
    about: aboutIn(action, reader),
    amount: said.amount === undefined ? undefined : poundsInWords(said.amount),
    when: said.appointment && spanInWords(new Date(said.appointment.start), new Date(said.appointment.end), reader),
    site: said.url === undefined ? undefined : URL.parse(said.url)?.host,
    isWaiting: isOpen,
    isPlain: state === 'open' && urgencyOf(action, now) !== 'overdue',
    isDeclaration: way === 'declaration',
    mayPay: may && way === 'payment' && isOpen,
    mayVisit: said.url !== undefined && !isTooEarly && state !== 'done',
    says: may ? saysOf(action, t) : [],
    hasAppointment: said.appointment !== undefined && state !== 'cancelled',
  }
}

/** What it is called in this language, or in English where its sender did not say. */
export function labelOf(
  { label }: Pick<Action['said'], 'label'>,
  language: Language,
): Pick<ActionView, 'label' | 'labelLanguage'> {
  const own = label[language]
  return own === undefined ? { label: label.en, labelLanguage: 'en' } : { label: own, labelLanguage: language }
}

/** £1,191.60 */
export function poundsInWords(pence: number): string {
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'GBP' }).format(pence / 100)
}

function spanInWords(start: Date, end: Date, { language, t }: ActionReader): string {
  const isOneDay = dayInLondon(start) === dayInLondon(end)
  const values = {
    start: timeInWords(start, language),
    end: isOneDay ? clockInWords(end, language) : timeInWords(end, language),
  }
  return t('to-do:span', values)
}

/** What a state is called depends on what was done. */
export function stateWord({ said, state }: Pick<Action, 'said' | 'state'>): string {
  const way = wayOf(said)
  if (state === 'done' && way === 'payment') return 'paid'
  if (state === 'done' && way === 'appointment') return 'accepted'
  if (state === 'done' && way === 'declaration') return said.kind === 'sign' ? 'signed' : 'confirmed'
  return state === 'cancelled' ? 'declined' : state
}

const colours: Record<ActionState, string> = {
  open: 'govuk-tag--blue',
  started: 'govuk-tag--teal',
  done: 'govuk-tag--green',
  failed: 'govuk-tag--red',
  cancelled: 'govuk-tag--grey',
}

function tagOf(action: Action, { t, now }: ActionReader): ActionView['tag'] {
  const isLate = action.state === 'open' && urgencyOf(action, now) === 'overdue'
  if (isLate) return { text: t('to-do:states.overdue'), classes: 'govuk-tag--red' }
  return { text: t(`to-do:states.${stateWord(action)}`), classes: colours[action.state] }
}

function aboutIn(action: Action, { language, t, now }: ActionReader): string | undefined {
  const { state, stateAt, endsAt, startsAt, said, changedByName } = action
  if (!isWaiting(action)) {
    const values = {
      state: t(`to-do:states.${stateWord({ said, state })}`),
      time: timeInWords(stateAt, language),
      name: changedByName,
    }
    return t(changedByName === null ? 'to-do:state-at' : 'to-do:state-at-by', values)
  }
  if (startsAt !== null && startsAt > now) return t('to-do:from-date', { date: dayInWords(startsAt, language) })
  if (endsAt === null || (said.appointment && said.until === undefined)) return undefined
  if (said.appointment)
    return t(endsAt < now ? 'to-do:answer-was-due' : 'to-do:answer-by', { date: dayInWords(endsAt, language) })
  return t(endsAt < now ? 'to-do:was-due' : 'to-do:by-date', { date: dayInWords(endsAt, language) })
}

function saysOf({ said, state }: Action, t: Translate): ActionView['says'] {
  const way = wayOf(said)
  const events = (['complete', 'decline', 'undo'] as const).filter(
    (event) => maySay(way, event) && stateAfter(way, state, event) !== undefined,
  )
  return events.map((event) => ({
    event,
    text: t(`to-do:buttons.${buttonOf(event, way, said.kind)}`),
    isMain: event === 'complete' && way !== 'visit',
  }))
}

function buttonOf(event: 'complete' | 'decline' | 'undo', way: ReturnType<typeof wayOf>, kind: string): string {
  if (event !== 'complete') return event
  if (way === 'appointment') return 'accept'
  if (way === 'declaration') return kind === 'sign' ? 'sign' : 'confirm'
  return 'mark'
}
