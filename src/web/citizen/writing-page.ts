import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../../mailbox/draft.ts'
import type { ProblemCode } from '../../problems.ts'
import { deriveKeptFormKey, sealFormOwner } from '../../sign-in/kept-form.ts'
import { dayInLondon, minuteInLondon } from '../dates.ts'
import { endingsTaken, type Form, filesHint, inWords, toLine } from '../form.ts'
import { kindOf, sizeOf, viewConversation, viewLetter } from '../letter-view.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import type { Typed, Writing } from './writing.ts'

/** What somebody else, or another window, has saved meanwhile. */
export type Conflict = Draft

/** When it is to be sent, as it was typed. `at` is undefined for now, and where it is no time. */
export type When = {
  isLater: boolean
  day: string
  month: string
  year: string
  time: string
  at: Date | undefined
  check: (now: Date, t: Translate) => FieldError[]
}

const monthsAheadMax = 12

export function readWhen(fields: Form['fields']): When {
  const [day, month, year, time] = ['sendAt-day', 'sendAt-month', 'sendAt-year', 'sendAt-time'].map((name) =>
    toLine(fields.get(name)),
  )
  return toWhenOf(fields.get('when') === 'later', { day: day!, month: month!, year: year!, time: time! })
}

type Parts = { day: string; month: string; year: string; time: string }

function toWhenOf(isLater: boolean, parts: Parts): When {
  const at = isLater ? timeOf(parts) : undefined
  return { isLater, ...parts, at, check: (now, t) => (isLater ? checkTime(at, now, t) : []) }
}

/** 9:30, 09.30, 9.30am, 9pm, 14:00 */
function timeOf({ day, month, year, time }: Parts): Date | undefined {
  if (![day, month, year].every((part) => /^\d{1,4}$/.test(part))) return undefined
  const [, hours, minutes = '0', half] = /^(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|yb|yp)?$/i.exec(time) ?? []
  if (hours === undefined || (half && (Number(hours) > 12 || Number(hours) === 0))) return undefined
  const isAfternoon = /^(pm|yp)$/i.test(half ?? '')
  const hour = half ? (Number(hours) % 12) + (isAfternoon ? 12 : 0) : Number(hours)
  return minuteInLondon([Number(year), Number(month), Number(day)], [hour, Number(minutes)])
}

function checkTime(at: Date | undefined, now: Date, t: Translate): FieldError[] {
  const wrong = (text: string) => [{ field: 'sendAt', text }]
  if (at === undefined) return wrong(t('drafts:when-not-real'))
  if (at <= now) return wrong(t('drafts:when-past'))
  const last = new Date(now)
  last.setUTCMonth(now.getUTCMonth() + monthsAheadMax)
  return at > last ? wrong(t('drafts:when-too-late')) : []
}

export const emptyWhen = toWhenOf(false, { day: '', month: '', year: '', time: '' })

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

export function toWhen(at: Date | null): When {
  if (at === null) return emptyWhen
  const [year, month, day] = dayInLondon(at)
    .split('-')
    .map((part) => String(Number(part)))
  return toWhenOf(true, { day: day!, month: month!, year: year!, time: clock.format(at) })
}

export const isJson = (request: FastifyRequest) => request.headers.accept === 'application/json'

/** The files that are with a draft. */
export function viewFiles(t: Translate, { id, files }: Draft) {
  return files.map((file) => ({
    id: file.id,
    name: file.filename,
    about: `${kindOf(file.mediaType)}, ${aboutSize(t, file.size)}`,
    href: `/drafts/${id}/files/${file.id}`,
  }))
}

function aboutSize(t: Translate, bytes: number): string {
  const { count, unit } = sizeOf(bytes)
  return t(`letter:size.${unit}`, { size: count })
}

const templates = { new: 'citizen/write', answer: 'citizen/answer', forward: 'citizen/forward-comment' } as const

/** For the hidden field by which it is told whose form it was, when the session has ended. */
export function formOwner(request: FastifyRequest, { config, clock }: Surroundings): string {
  const { actor, openMailbox } = request.signedIn!
  const owner = {
    personId: actor.by.id,
    mailboxId: actor.mailboxId,
    grantId: openMailbox?.grantId,
    viaGrantId: openMailbox?.viaGrantId ?? undefined,
  }
  return sealFormOwner(deriveKeptFormKey(config.secretKey), owner, clock())
}

export function sendWritingPage(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Surroundings,
  writing: Writing,
  typed: Typed,
  { draft, errors = [], conflict }: { draft?: Draft | undefined; errors?: FieldError[]; conflict?: Conflict | undefined },
) {
  const t = wordsFor(request)
  const { aim, point, letter, limits } = writing
  const isKept = draft !== undefined
  const query = request.query as { saved?: unknown; stopped?: unknown }
  // Of a draft that was changed meanwhile: whoever sends this form has seen that.
  const version = conflict?.version ?? typed.version
  return sendPage(
    request,
    reply,
    templates[aim.kind],
    {
      title: t(`write:title-${aim.kind}`, { name: aim.toName }),
      section: aim.kind === 'answer' ? 'inbox' : 'write',
      aim,
      point,
      asks: (point?.asks ?? []).map((ask, index) => ({ ...ask, id: `ask-${index}`, answer: typed.answers[index] ?? '' })),
      letter: letter && viewLetter(letter, '/letters', 3),
      replyBy: letter?.replyBy,
      conversation: letter && aim.kind === 'answer' ? viewConversation(writing.thread, undefined, '/letters') : [],
      draft: { reference: typed.id, version, subject: typed.subject, text: typed.body, isKept },
      when: typed.when,
      action: isKept || conflict ? `/drafts/${typed.id}` : writing.address,
      files: draft ? viewFiles(wordsFor(request), draft) : [],
      saved: draft && query.saved !== undefined && errors.length === 0 ? draft.updatedAt : undefined,
      refused: draft?.refused && errors.length === 0 ? inWords(draft.refused as ProblemCode, '', t) : undefined,
      writtenByOther: draft && draft.writtenById !== request.signedIn!.actor.by.id ? draft.writtenByName : undefined,
      conflict,
      errors,
      owner: formOwner(request, surroundings),
      takesFiles: limits.files > 0,
      filesHint: filesHint(limits, t),
      filesMax: limits.files,
      bytesMax: limits.bytes,
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
