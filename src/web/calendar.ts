import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { isWaiting } from '../documents/action.ts'
import { type CalendarEntry, readCalendarFeed } from '../mailbox/calendar-feed.ts'
import { Problem } from '../problems.ts'
import { dayInLondon } from './dates.ts'
import { type Language, translate } from './words.ts'

export const calendarFolder = '/calendar'

/** For programs that ask every quarter of an hour, with room for several of them. */
const asksPerMinute = 30
const asksOfOneAddress = 300

export type CalendarOptions = { config: Config; database: Database; clock: () => Date }

/** The private addresses at which calendar programs read. Whoever asks has the secret and nothing else: no session, and no page. */
export function registerCalendar(app: FastifyInstance, { config, database, clock }: CalendarOptions): void {
  const limits = [limit(asksPerMinute), limit(asksOfOneAddress)] as const
  app.get(`${calendarFolder}/:file`, async (request, reply) => {
    const { file } = request.params as { file: string }
    const now = clock()
    if (!limits[1](request.ip, now) || !limits[0](hash('sha256', file), now)) {
      throw new Problem('too-many-requests')
    }
    const feed = file.endsWith('.ics') ? await readCalendarFeed(database, file.slice(0, -'.ics'.length), now) : undefined
    if (feed === undefined) throw new Problem('not-found')
    const text = writeCalendar(feed.entries, {
      ...nameOf(config),
      isDiscreet: feed.isDiscreet,
      language: feed.language === 'cy' ? 'cy' : 'en',
    })
    return reply
      .headers({
        'content-type': 'text/calendar; charset=utf-8',
        'content-disposition': 'inline; filename="to-do.ics"',
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'private, no-cache',
      })
      .send(text)
  })
}

export type CalendarName = { serviceName: string; host: string }

export function nameOf({ serviceName, baseUrl }: Pick<Config, 'serviceName' | 'baseUrl'>): CalendarName {
  return { serviceName, host: new URL(baseUrl).hostname }
}

/**
 * As RFC 5545 has it. Whatever has not changed is written the same again, with the same UID, so that a program that has it knows it. Times
 * are in UTC; what is due on a day is an event of that whole day.
 */
export function writeCalendar(
  entries: readonly CalendarEntry[],
  { serviceName, host, isDiscreet, language }: CalendarName & { isDiscreet: boolean; language: Language },
): string {
  const calendar = ical({
    name: serviceName,
    prodId: { company: 'Digital Post', product: 'To do', language: language.toUpperCase() },
  })
  calendar.method(ICalCalendarMethod.PUBLISH)
  for (const { id, said, state, stateAt, endsAt, senderName } of entries) {
    const { appointment } = said
    const label = said.label[language] ?? said.label.en
    const words = {
      summary: isDiscreet ? translate(language)('to-do:calendar.discreet-entry', { serviceName }) : `${label} (${senderName})`,
    }
    const shared = { id: `${id}@${host}`, stamp: stateAt, ...words }
    if (appointment !== undefined) {
      const { start, end, place, description } = appointment
      calendar.createEvent({
        ...shared,
        start: new Date(start),
        end: new Date(end),
        status: state === 'done' ? ICalEventStatus.CONFIRMED : ICalEventStatus.TENTATIVE,
        ...(isDiscreet ? {} : { location: place ?? null, description: description ?? null }),
      })
    } else if (endsAt !== null && isWaiting({ state })) {
      calendar.createEvent({ ...shared, start: dayOf(endsAt), allDay: true })
    }
  }
  return calendar.toString()
}

/** A day is written from the UTC parts of a date. */
function dayOf(time: Date): Date {
  return new Date(`${dayInLondon(time)}T00:00:00Z`)
}

const minuteMs = 60_000
const keysMax = 10_000

/** So many times a minute for each key. It is of this process, and forgets. */
function limit(max: number): (key: string, now: Date) => boolean {
  let began = 0
  const counts = new Map<string, number>()
  return (key, now) => {
    if (now.getTime() - began >= minuteMs || counts.size > keysMax) {
      began = now.getTime()
      counts.clear()
    }
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= max
  }
}
