import type { FastifyInstance } from 'fastify'
import { requireRight } from '../../access/rights.ts'
import { endCalendarFeed, findCalendarFeed, makeCalendarFeed } from '../../mailbox/calendar-feed.ts'
import { calendarFolder } from '../calendar.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'

const address = '/to-do/calendar'

/** Where the owner makes, replaces and removes the private address of their dates. */
export function calendarPages(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  app.get(address, async (request, reply) => {
    const feed = await findCalendarFeed(database, request.signedIn!.actor)
    return sendPage(request, reply, 'citizen/calendar', {
      title: wordsFor(request)('to-do:calendar.title'),
      section: 'to-do',
      feed,
    })
  })

  app.post(address, async (request, reply) => {
    await checkForm(request)
    const { isDiscreet } = (request.body ?? {}) as { isDiscreet?: unknown }
    const { secret } = await makeCalendarFeed(
      database,
      request.signedIn!.actor,
      { isDiscreet: isDiscreet === 'yes', language: languageOf(request) },
      clock(),
    )
    // In the answer to the form itself: it is shown once, and to come back shows the page without it.
    const url = `${config.baseUrl}${calendarFolder}/${secret}.ics`
    return sendPage(request, reply, 'citizen/calendar-address', {
      title: wordsFor(request)('to-do:calendar.new-title'),
      section: 'to-do',
      url,
    })
  })

  app.post(`${address}/remove`, async (request, reply) => {
    await checkForm(request)
    requireRight(request.signedIn!.actor, 'actions:take')
    await endCalendarFeed(database, request.signedIn!.actor)
    return reply.redirect(address, 303)
  })
}
