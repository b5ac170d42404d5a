import type { Db } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

/** How many letters a service may send, where nothing else is said of it in the declaration. */
export type LetterLimits = { perSecond: number; perDay: number }

/** Bulk is streams and mailings. What is urgent is single. */
export type LetterKind = 'bulk' | 'single' | 'urgent'

/**
 * Of what a service may send in a second, which part is for single letters alone, and which for bulk and for those that the first has no room for.
 * Bulk at its limit leaves them theirs, and without bulk they have the whole rate.
 */
const shares = { ofSingles: 0.1, ofAll: 0.9 } as const
/** And of a day. Of a day of a few letters that is none. */
const ofSinglesInDay = (perDay: number) => Math.floor(perDay * shares.ofSingles)

/**
 * `newMax`: how many of those asked for may be new today. `waitMs`: none of them before then. `settle` is told how many were
 * accepted and had not been before.
 */
export type Allowed = { newMax: number; waitMs: number; settle: (accepted: number) => void }

type Allowance = {
  perSecond: number
  perDay: number
  sendsUrgent: boolean
  /** A bucket for each part of the rate: a second's worth at most; below zero, what was taken in advance. */
  left: Record<keyof typeof shares, number>
  at: number
  day: string
  /** Of the day: as the database last said, and accepted here since, with what is being accepted. */
  known: number
  since: number
  /** Of `since`, what is not accepted yet. */
  underWay: number
  readAt: number
}

/** How old what is known of the other processes' letters, and of the limits, may be. From further back comes only a clock that was set. */
const knownForMs = 1_000

const byPool = new WeakMap<Db, Map<string, Promise<Allowance>>>()

/**
 * Takes letters from a service's allowance. The rate is two buckets of this process alone (`shares`): a request for more than one holds
 * passes when anything is left, and is paid off afterwards. The number of a day (UTC) is of all processes, known to a second: by as much as
 * the others accept in one, it may be passed. Bulk ends before it, where a tenth is left. What is urgent does not wait for the rate, and counts for it.
 * Throws `urgent-not-allowed`.
 */
export async function takeLetters(
  db: Db,
  senderId: string,
  count: number,
  kind: LetterKind,
  limits: LetterLimits,
  now: Date,
): Promise<Allowed> {
  const allowance = await allowanceOf(db, senderId, limits, now)
  if (kind === 'urgent' && !allowance.sendsUrgent) throw new Problem('urgent-not-allowed')
  fill(allowance, now)
  const { left, perDay } = allowance
  const bucket = kind !== 'bulk' && left.ofSingles > 0 ? 'ofSingles' : 'ofAll'
  if (left[bucket] <= 0 && kind !== 'urgent') {
    const waits = [waitFor(allowance, 'ofAll'), ...(kind === 'bulk' ? [] : [waitFor(allowance, 'ofSingles')])]
    return { newMax: 0, waitMs: Math.min(...waits), settle: () => {} }
  }
  left[bucket] -= count
  const ofDay = kind === 'bulk' ? perDay - ofSinglesInDay(perDay) : perDay
  const newMax = Math.max(0, Math.min(count, ofDay - allowance.known - allowance.since))
  allowance.since += newMax
  allowance.underWay += newMax
  return {
    newMax,
    waitMs: 0,
    settle: (accepted) => {
      allowance.underWay -= newMax
      allowance.since -= newMax - accepted
      if (accepted > 0) tellSoon(db, senderId, allowance)
    },
  }
}

function fill(allowance: Allowance, now: Date): void {
  const ms = now.getTime() - allowance.at
  // Another request was faster.
  if (ms < 0 && ms > -knownForMs) return
  const seconds = Math.max(0, ms) / 1_000
  allowance.at = now.getTime()
  for (const bucket of ['ofSingles', 'ofAll'] as const) {
    const rate = allowance.perSecond * shares[bucket]
    allowance.left[bucket] = Math.min(rate, allowance.left[bucket] + seconds * rate)
  }
}

/** Milliseconds until a bucket has a letter, or as much of one as it can hold. */
function waitFor({ perSecond, left }: Allowance, bucket: keyof typeof shares): number {
  const rate = perSecond * shares[bucket]
  return Math.ceil(((Math.min(1, rate) - left[bucket]) * 1_000) / rate)
}

/** For how many seconds a service whose day is used up has to wait for the next. */
export function secondsOfDayLeft(now: Date): number {
  return Math.ceil(86_400 - (now.getTime() % 86_400_000) / 1_000)
}

async function allowanceOf(db: Db, senderId: string, limits: LetterLimits, now: Date): Promise<Allowance> {
  const all = byPool.get(db) ?? new Map<string, Promise<Allowance>>()
  byPool.set(db, all)
  const known = await all.get(senderId)
  const day = now.toISOString().slice(0, 10)
  if (known !== undefined && known.day === day && Math.abs(now.getTime() - known.readAt) < knownForMs) return known
  if (known !== undefined && known.day === day) {
    known.readAt = now.getTime()
    // What is read now is for the next: nobody waits for it.
    void read(db, senderId, limits, now).then(
      ({ letters, ...limits }) => Object.assign(known, { ...limits, known: Math.max(known.known, letters) }),
      () => {},
    )
    return known
  }
  const begun = read(db, senderId, limits, now).then(({ letters, ...limits }): Allowance => {
    const full = { ofSingles: limits.perSecond * shares.ofSingles, ofAll: limits.perSecond * shares.ofAll }
    const buckets = { left: known?.left ?? full, at: known?.at ?? now.getTime() }
    return { ...limits, ...buckets, day, known: letters, since: 0, underWay: 0, readAt: now.getTime() }
  })
  all.set(senderId, begun)
  begun.catch(() => all.delete(senderId))
  return begun
}

type LimitsRow = { lettersPerSecond: number | null; lettersPerDay: string | null; sendsUrgent: boolean; letters: string | null }

async function read(db: Db, senderId: string, limits: LetterLimits, now: Date) {
  const [row] = await readWithin<LimitsRow>(
    db,
    { senders: [senderId] },
    db`
    select letters_per_second, letters_per_day, sends_urgent,
           (select letters from sent_count where sender_id = service.id and day = ${now.toISOString().slice(0, 10)}::text::date) as letters
    from service where id = ${senderId}`,
  )
  return {
    perSecond: row?.lettersPerSecond ?? limits.perSecond,
    perDay: row?.lettersPerDay ? Number(row.lettersPerDay) : limits.perDay,
    sendsUrgent: row?.sendsUrgent ?? false,
    letters: Number(row?.letters ?? 0),
  }
}

const told = new WeakMap<Allowance, NodeJS.Timeout>()

/** Adds what was accepted here to what all know of the day, a second later: no letter waits for it, and a kill forgets that second. */
function tellSoon(db: Db, senderId: string, allowance: Allowance): void {
  if (told.has(allowance)) return
  const timer = setTimeout(() => void tell(db, senderId, allowance), knownForMs)
  timer.unref()
  told.set(allowance, timer)
}

async function tell(db: Db, senderId: string, allowance: Allowance): Promise<void> {
  clearTimeout(told.get(allowance))
  told.delete(allowance)
  const letters = allowance.since - allowance.underWay
  if (letters === 0) return
  allowance.since -= letters
  allowance.known += letters
  try {
    allowance.known = Math.max(allowance.known, await add(db, senderId, allowance.day, letters))
  } catch (error) {
    console.error('The letters of the day were not counted, and are soon.', describeError(error))
    allowance.since += letters
    allowance.known -= letters
    tellSoon(db, senderId, allowance)
  }
}

/** Before the program stops: what is not told yet. */
export async function tellLetters(db: Db): Promise<void> {
  const all = [...(byPool.get(db) ?? [])]
  byPool.delete(db)
  for (const [senderId, allowance] of all) await allowance.then((one) => tell(db, senderId, one)).catch(() => {})
}

async function add(db: Db, senderId: string, day: string, letters: number): Promise<number> {
  return within(db, { senders: [senderId] }, async (sql) => {
    const [row] = await sql<{ letters: string }[]>`
      insert into sent_count as old (sender_id, day, letters) values (${senderId}, ${day}::text::date, ${letters})
      on conflict (sender_id, day) do update set letters = old.letters + excluded.letters
      returning letters`
    return Number(row!.letters)
  })
}
