import { type Language, translate } from './words.ts'

const inLondon = (options: Intl.DateTimeFormatOptions, language: Language = 'en') =>
  new Intl.DateTimeFormat(`${language}-GB`, { timeZone: 'Europe/London', ...options })
const inEach = (options: Intl.DateTimeFormatOptions) => ({ en: inLondon(options), cy: inLondon(options, 'cy') })

const day = inEach({ day: 'numeric', month: 'long', year: 'numeric' })
const clock = inLondon({ hour: 'numeric', minute: '2-digit', hourCycle: 'h12' })
const exact = inLondon({ hour: 'numeric', minute: '2-digit', second: '2-digit', hourCycle: 'h12' })
const hour = inLondon({ hour: '2-digit', hourCycle: 'h23' })

const hourMs = 3_600_000
const daysSeen = { en: new Map<number, string>(), cy: new Map<number, string>() }

/** 23 November 2026, 23 Tachwedd 2026. Remembered by the hour, as a list says it twenty times: London's day begins on a whole hour of UTC. */
export function dayInWords(time: Date, language: Language = 'en'): string {
  const key = Math.floor(time.getTime() / hourMs)
  const seen = daysSeen[language]
  let words = seen.get(key)
  if (words === undefined) {
    words = day[language].format(time)
    if (seen.size > 10_000) seen.clear()
    seen.set(key, words)
  }
  return words
}

const joinedBy = { en: ' at ', cy: ' am ' }

/** 23 November 2026 at 9:05am, 23 Tachwedd 2026 am 9:05yb */
export function timeInWords(time: Date, language: Language = 'en'): string {
  return `${dayInWords(time, language)}${joinedBy[language]}${clockInWords(time, language)}`
}

const halvesOfDay = { am: 'yb', pm: 'yp' }

/** 9:05am: in Welsh 9:05yb, y bore, or 9:05yp, y prynhawn. */
export function clockInWords(time: Date, language: Language = 'en'): string {
  return halfOfDayIn(language, clock.format(time))
}

/** 23 November 2026 at 9:05:07am, for what deadlines are counted from. */
export function exactTimeInWords(time: Date, language: Language = 'en'): string {
  return `${dayInWords(time, language)}${joinedBy[language]}${halfOfDayIn(language, exact.format(time))}`
}

function halfOfDayIn(language: Language, formatted: string): string {
  const words = formatted.replace(/\s/, '').toLowerCase()
  return language === 'en' ? words : words.replace(/am$|pm$/, (half) => halvesOfDay[half as 'am' | 'pm'])
}

/** 2 days, 1 hour and 5 minutes; of less than an hour, with its seconds. Welsh says “and” in two ways, and so is a list. */
export function lengthInWords(from: Date, to: Date, language: Language = 'en'): string {
  const t = translate(language)
  const seconds = Math.max(0, Math.round((to.getTime() - from.getTime()) / 1_000))
  const parts: [count: number, key: string][] = [
    [Math.floor(seconds / 86_400), 'dates:day'],
    [Math.floor(seconds / 3_600) % 24, 'dates:hour'],
    [Math.floor(seconds / 60) % 60, 'dates:minute'],
    [seconds < 3_600 ? seconds % 60 : 0, 'dates:second'],
  ]
  const words = parts.filter(([count]) => count > 0).map(([count, key]) => t(key, { count }))
  const last = words.pop() ?? t('dates:second', { count: 0 })
  return words.length > 0 ? `${words.join(', ')}${language === 'en' ? ' and ' : ', '}${last}` : last
}

const date = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', year: 'numeric', month: '2-digit', day: '2-digit' })

/** 2026-11-23: the day that it is in London. */
export function dayInLondon(time: Date): string {
  return date.format(time)
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

/** That minute of a day in London, or undefined where there is none: of the hour that comes twice in autumn the first, and none of that left out in spring. */
export function minuteInLondon(
  [year, month, dayOfMonth]: readonly [number, number, number],
  [hourOfDay, minute]: readonly [number, number],
): Date | undefined {
  if (endOfDay(year, month, dayOfMonth) === undefined || hourOfDay > 23 || minute > 59) return undefined
  const inWinter = new Date(Date.UTC(year, month - 1, dayOfMonth, hourOfDay, minute))
  return [new Date(inWinter.getTime() - hourMs), inWinter].find((time) => Number(hour.format(time)) === hourOfDay)
}
