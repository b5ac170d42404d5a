import type { ProblemCode } from '../problems.ts'

/** Whether a party can be reached here. Who is unknown has no mailbox. */
export type Registration = 'registered' | 'exempt' | 'closed'
/** As senders are told: `not-yet` is registered, in the first days of a new business. */
export type RecipientStatus = Registration | 'not-yet' | 'unknown'

/** How an installation registers. */
export type RegistrationRules = {
  /** Everybody by law, or only for those categories of post that somebody consents to. */
  basis: 'law' | 'consent'
  /** From which age, in years, a person gets a mailbox. */
  age: number
  /** So long nobody can write to a new business, unless it signs in before. */
  businessGraceDays: number
  /** So long a registrar can open again what was closed in error. */
  reopenDays: number
  /** So long the content is kept after a death, and after any other closure. */
  yearsKeptAfterDeath: number
  yearsKeptAfterClosure: number
}

/** Where an installation says nothing else: those of the settings (config.ts). */
export const defaultRules: RegistrationRules = {
  basis: 'law',
  age: 15,
  businessGraceDays: 12,
  reopenDays: 30,
  yearsKeptAfterDeath: 5,
  yearsKeptAfterClosure: 10,
}

export type PartyKind = 'person' | 'business' | 'public-body'
/** The party itself, a registrar, or a register's notice. */
export type Changer = 'owner' | 'registrar' | 'notice'

/** Why a mailbox is closed. `merged` is into another of the same person, which is found in its place. */
export const death = 'death'
export const closingReasons = [death, 'dissolved', 'other'] as const
export type ClosingReason = (typeof closingReasons)[number]
/** Stands as the reason where a person changes their own registration, for which none is asked. */
export const ownWish = 'own-wish'
export const merged = 'merged'

/** Which change each may make: from → to. A closed mailbox stays closed, but for an error that is put right in time. */
const changes: Record<Changer, Record<Registration, readonly Registration[]>> = {
  owner: { registered: ['exempt'], exempt: ['registered'], closed: [] },
  registrar: { registered: ['exempt', 'closed'], exempt: ['registered', 'closed'], closed: ['registered'] },
  notice: { registered: ['closed'], exempt: ['closed'], closed: [] },
}

export type Change = {
  kind: PartyKind
  from: Registration
  to: Registration
  changer: Changer
  reason: string
  /** When and why it was closed, where it is. */
  closing: { at: Date; reason: string } | undefined
}

/** Whether a change may be made. A public body is always there; a business is exempt only by a registrar's decision. */
export function mayChange({ kind, from, to, changer, reason, closing }: Change, rules: RegistrationRules, now: Date): boolean {
  if (kind === 'public-body' || (kind === 'business' && changer === 'owner')) return false
  if (!changes[changer][from].includes(to) || reason.trim() === '') return false
  if (to === 'closed')
    return isClosingReason(reason) && (reason !== 'death' || kind === 'person') && (reason !== 'dissolved' || kind === 'business')
  if (from !== 'closed') return true
  return closing !== undefined && closing.reason !== merged && now <= daysAfter(closing.at, rules.reopenDays)
}

function isClosingReason(reason: string): reason is ClosingReason {
  return (closingReasons as readonly string[]).includes(reason)
}

/** The day until which the content of a closed mailbox is kept at least, as YYYY-MM-DD. */
export function keptUntil(reason: string, rules: RegistrationRules, now: Date): string {
  const years = reason === 'death' ? rules.yearsKeptAfterDeath : rules.yearsKeptAfterClosure
  const day = new Date(now)
  day.setUTCFullYear(now.getUTCFullYear() + years)
  return day.toISOString().slice(0, 10)
}

/** From when a new party can be written to; undefined is at once. */
export function reachableFrom(kind: PartyKind, rules: RegistrationRules, now: Date): Date | undefined {
  return kind === 'business' && rules.businessGraceDays > 0 ? daysAfter(now, rules.businessGraceDays) : undefined
}

export function daysAfter(time: Date, days: number): Date {
  return new Date(time.getTime() + days * 86_400_000)
}

const dayInLondon = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' })

/** Whether somebody born on that day (YYYY-MM-DD) has reached the age. Who was born on 29 February has on 1 March. */
export function hasReached(age: number, birthDate: string, now: Date): boolean {
  const birthday = `${String(Number(birthDate.slice(0, 4)) + age).padStart(4, '0')}${birthDate.slice(4)}`
  return birthday <= dayInLondon.format(now)
}

/** How a mailbox can be reached. */
export type Reachability = {
  registration: Registration
  /** Null is always. */
  reachableFrom: Date | null
  /** What is consented to, where the mailbox was opened by consent; otherwise null, which is everything. */
  categories: string[] | null
}

export function statusOf(mailbox: Reachability | undefined, now: Date): RecipientStatus {
  if (mailbox === undefined) return 'unknown'
  const isYoung = mailbox.reachableFrom !== null && mailbox.reachableFrom > now
  return mailbox.registration === 'registered' && isYoung ? 'not-yet' : mailbox.registration
}

const refusals: Record<RecipientStatus, ProblemCode | undefined> = {
  registered: undefined,
  'not-yet': 'recipient-not-yet',
  exempt: 'recipient-exempt',
  closed: 'recipient-closed',
  unknown: 'recipient-not-found',
}

/** Why nothing can be delivered, or nothing of this category; undefined where it can. */
export function refusalOf(mailbox: Reachability | undefined, now: Date, category?: string): ProblemCode | undefined {
  const refusal = refusals[statusOf(mailbox, now)]
  const categories = mailbox?.categories ?? null
  if (refusal !== undefined || categories === null) return refusal
  const isConsented = category === undefined ? categories.length > 0 : categories.includes(category)
  return isConsented ? undefined : 'consent-missing'
}
