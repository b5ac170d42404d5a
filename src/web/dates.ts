const inLondon = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', ...options })

const day = inLondon({ day: 'numeric', month: 'long', year: 'numeric' })
const clock = inLondon({ hour: 'numeric', minute: '2-digit', hourCycle: 'h12' })
const hour = inLondon({ hour: '2-digit', hourCycle: 'h23' })

const hourMs = 3_600_000
const daysSeen = new Map<number, string>()

/** 23 November 2026. Remembered by the hour, as a list says it twenty times: London's day begins on a whole hour of UTC. */
export function dayInWords(time: Date): string {
  const key = Math.floor(time.getTime() / hourMs)
  let words = daysSeen.get(key)
  if (words === undefined) {
    words = day.format(time)
    if (daysSeen.size > 10_000) daysSeen.clear()
    daysSeen.set(key, words)
  }
  return words
}

/** 23 November 2026 at 9:05am */
export function timeInWords(time: Date): string {
  return `${dayInWords(time)} at ${clockInWords(time)}`
}

/** 9:05am */
export function clockInWords(time: Date): string {
  return clock.format(time).replace(/\s/, '').toLowerCase()
}

/** The last second of a day in London, or undefined where there is no such day. */
export function endOfDay(year: number, month: number, dayOfMonth: number): Date | undefined {
  const inWinter = new Date(Date.UTC(year, month - 1, dayOfMonth, 23, 59, 59))
  if (inWinter.getUTCFullYear() !== year || inWinter.getUTCMonth() !== month - 1 || inWinter.getUTCDate() !== dayOfMonth)
    return undefined
  return hour.format(inWinter) === '23' ? inWinter : new Date(inWinter.getTime() - hourMs)
}

/** The first second of a day in London, or undefined where there is no such day. */
export function startOfDay(year: number, month: number, dayOfMonth: number): Date | undefined {
  if (endOfDay(year, month, dayOfMonth) === undefined) return undefined
  const before = new Date(Date.UTC(year, month - 1, dayOfMonth - 1))
  const end = endOfDay(before.getUTCFullYear(), before.getUTCMonth() + 1, before.getUTCDate())
  return end && new Date(end.getTime() + 1000)
}
