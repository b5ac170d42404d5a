import type { NewAction } from '../src/documents/action.ts'

/** So many days before the demo world is filled, at this time of day (UTC). */
export type Moment = readonly [daysAgo: number, time: string]

export type DemoDocument = {
  role: 'main' | 'additional' | 'technical'
  title: string
  /** Read from demo/letters, or JSON where there is a text. */
  files: { filename: string; language?: string; text?: string }[]
}

export type DemoMessage = {
  reference: string
  /** The service that writes, or that is written to. */
  service: string
  /** The identifier by which the service knows the recipient. */
  to?: string
  /** The person who writes to the service; otherwise the service writes. */
  from?: string
  /** The reference of the message that this one answers. */
  answers?: string
  sent: Moment
  opened?: Moment
  /** What kind of post it is; general where it is left out. */
  category?: string
  /** Until when an answer is taken; without it, none is. */
  replyBy?: Date
  content: { language: string; subject: string; body: string }[]
  documents?: DemoDocument[]
  /** What the letter asks to do. */
  actions?: NewAction[]
}

export type Row = readonly [label: string, value: string]

/** A table in Markdown. The PDFs show the same rows. */
export function table(head: Row, rows: readonly Row[]): string {
  return [head, ['---', '---'], ...rows].map(([label, value]) => `| ${label} | ${value} |`).join('\n')
}

/** Days counted from the moment at which the demo world is filled, so that its letters never look old. */
export type Dates = {
  dayAt: (days: number) => Date
  /** In words. */
  on: (days: number, language?: 'en' | 'cy') => string
}

export function datesFrom(now: Date): Dates {
  const format = { en: longDate('en-GB'), cy: longDate('cy') }
  const dayAt = (days: number) => new Date(now.getTime() + days * 86_400_000)
  return { dayAt, on: (days, language = 'en') => format[language].format(dayAt(days)) }
}

function longDate(locale: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'Europe/London' })
}

export function english(subject: string, body: string) {
  return { language: 'en', subject, body }
}

export function welsh(subject: string, body: string) {
  return { language: 'cy', subject, body }
}
