/** As dates in London, such as 2026-11-23: the first and the last day. */
export type Days = { from: string; to: string }

/** What became of the letters that a service sent on a day in London. `accepted` is always the sum of the next four. */
export type DayCount = {
  serviceId: string
  day: string
  accepted: number
  available: number
  failed: number
  /** Taken back before it was available. */
  recalled: number
  pending: number
}

/** Why a letter is pending: its time has not come, or somebody has to release its batch. Null where nothing is known but that. */
export type PendingBecause = 'scheduled' | 'held' | null

/** One that is pending for too long. What is held is not. */
export type LateLetter = {
  serviceId: string
  reference: string
  messageId: string
  since: Date
  why: Exclude<PendingBecause, 'held'>
}

export type Reconciliation = {
  /** Every day of every service, also where there was nothing. What was rejected was never accepted, and is in no other number. */
  days: (DayCount & { rejected: number })[]
  late: LateLetter[]
  /** There are more late letters than are named. */
  isLateCut: boolean
}

export const daysMax = 92
export const lateLettersMax = 1_000

const dayMs = 86_400_000

/** Each day from the first to the last. */
export function daysOf({ from, to }: Days): string[] {
  const start = Date.parse(from)
  const count = Math.floor((Date.parse(to) - start) / dayMs) + 1
  return Array.from({ length: Math.max(0, count) }, (_, index) => new Date(start + index * dayMs).toISOString().slice(0, 10))
}

/** Why days cannot be asked for, or undefined. */
export function refuseDays(days: Days): 'wrong-order' | 'too-many' | undefined {
  const count = daysOf(days).length
  if (count === 0) return 'wrong-order'
  return count > daysMax ? 'too-many' : undefined
}

/** As the API says it. Pages have words of their own. */
export function pendingInEnglish(why: PendingBecause): string {
  if (why === 'held') return 'It waits for somebody to release what it was sent with.'
  if (why === 'scheduled') return 'It is to be available at a later time, as its sender wished.'
  return 'It was accepted and has not been made available yet.'
}

/** Before a CSV file: by this mark Excel knows that it is in UTF-8. */
export const utf8Mark = '\ufeff'

/** Lines of a CSV file (RFC 4180). */
export function writeCsv(lines: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) =>
    /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

export const dayColumns = ['service', 'day', 'accepted', 'available', 'failed', 'recalled', 'pending', 'rejected'] as const
export const lateColumns = ['service', 'reference', 'message', 'since', 'why'] as const

/** In the language of who reads the file: its columns, and why a letter is late. */
type WordsFor = { columns: readonly string[]; inWords: (why: LateLetter['why']) => string }

/** `nameOf` says a service. */
export function daysAsCsv(
  { days }: Reconciliation,
  nameOf: (serviceId: string) => string,
  { columns }: Pick<WordsFor, 'columns'> = { columns: dayColumns },
): string {
  const lines = days.map(({ serviceId, day, accepted, available, failed, recalled, pending, rejected }) => [
    nameOf(serviceId),
    day,
    accepted,
    available,
    failed,
    recalled,
    pending,
    rejected,
  ])
  return writeCsv([columns, ...lines])
}

export function lateAsCsv(
  { late }: Reconciliation,
  nameOf: (serviceId: string) => string,
  { columns, inWords }: WordsFor = { columns: lateColumns, inWords: pendingInEnglish },
): string {
  const lines = late.map(({ serviceId, reference, messageId, since, why }) => [
    nameOf(serviceId),
    reference,
    messageId,
    since.toISOString(),
    inWords(why),
  ])
  return writeCsv([columns, ...lines])
}
