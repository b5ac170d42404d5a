import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { listSenders } from '../registry/list-senders.ts'
import { attemptMinutes } from '../sign-in/attempt.ts'
import { keptMinutes } from '../sign-in/kept-form.ts'
import { sendPage } from './page.ts'
import { attemptCookie, keptFormCookie, ownCookie, sessionCookies } from './session.ts'
import { languageCookie, wordsFor } from './words.ts'

/** When the accessibility statement was last gone through. Change it with the statement. */
const preparedAt = new Date('2026-11-27T12:00:00Z')

/** Pages for everybody, about the service itself: what it does with what it knows, how far everybody can use it, whom to ask. */
export function helpPages(app: FastifyInstance, { config, database }: { config: Config; database: Database }): void {
  const about = { serviceName: config.serviceName, supportEmail: config.supportEmail }
  const show = (request: FastifyRequest, reply: FastifyReply, page: string, title: string, data = {}) =>
    sendPage(request, reply, `help/${page}`, { ...about, ...data, title: wordsFor(request)(title, about) })

  app.get('/accessibility', (request, reply) => show(request, reply, 'accessibility', 'accessibility:title', { preparedAt }))

  app.get('/cookies', (request, reply) => show(request, reply, 'cookies', 'cookies:title', { cookies: cookiesOf(config) }))

  app.get('/privacy', (request, reply) =>
    show(request, reply, 'privacy', 'privacy:title', {
      years: config.evidence.years,
      yearsAfterDeath: config.registration.yearsKeptAfterDeath,
      yearsAfterClosure: config.registration.yearsKeptAfterClosure,
    }),
  )

  app.get('/is-this-letter-real', async (request, reply) =>
    show(request, reply, 'real-letter', 'real-letter:title', { senders: await listSenders(database) }),
  )

  app.get('/contact', (request, reply) => show(request, reply, 'contact', 'contact:title'))
}

/** Every cookie that we set, by the name that it has here. */
function cookiesOf({ baseUrl, sessionIdleMinutes, sessionAbsoluteMinutes }: Config) {
  const sessions = sessionCookies(baseUrl)
  const limits = { idle: sessionIdleMinutes, hours: Math.round(sessionAbsoluteMinutes / 60) }
  return [
    { key: 'session', name: sessions.person.name, limits },
    { key: 'staff', name: sessions.staff.name, limits },
    { key: 'registrar', name: sessions.registrar.name, limits },
    { key: 'attempt', name: `${ownCookie(baseUrl, attemptCookie).name}…`, limits: { minutes: attemptMinutes } },
    { key: 'kept-form', name: ownCookie(baseUrl, keptFormCookie).name, limits: { minutes: keptMinutes } },
    { key: 'language', name: ownCookie(baseUrl, languageCookie).name, limits: {} },
  ]
}
