import { timingSafeEqual } from 'node:crypto'
import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requireRight } from '../access/rights.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { Problem } from '../problems.ts'
import { deriveSessionKeys, formToken, openMailbox, readSession, type Session, sessionHalf } from '../sign-in/session.ts'

/** Who is signed in, as a page needs to know it. */
export type SignedIn = Session & {
  /** Goes into every form, as the field `csrf`. */
  csrfToken: string
}

declare module 'fastify' {
  interface FastifyRequest {
    signedIn: SignedIn | undefined
  }
  interface FastifyInstance {
    /** Of our own pages, and so of every form that is ours. */
    ownOrigin: string
  }
}

export type SessionOptions = { config: Config; database: Database; clock: () => Date }

/** Addresses with no page, which need not ask who is signed in. */
const withoutPages = /^\/(v1|oauth|health|assets|calendar|pay|openapi\.json|one-login|one-login-stand-in|staff-stand-in)(\/|\?|$)/

/**
 * Sets `request.signedIn` before every page. Where a helper's access has ended since the last click, this one is refused
 * whatever it asks for, and the person's own mailbox is open again.
 */
export function registerSessions(app: FastifyInstance, { config, database, clock }: SessionOptions): void {
  const keys = deriveSessionKeys(config.secretKey)
  const cookies = sessionCookies(config.baseUrl)
  app.decorate('ownOrigin', new URL(config.baseUrl).origin)
  app.decorateRequest('signedIn', undefined)
  app.addHook('onRequest', async (request) => {
    const role = roleOf(request)
    const token = request.cookies[cookies[role].name]
    if (token === undefined || withoutPages.test(request.url)) return
    const session = await readSession(database, config, token, request.id, clock())
    if (session?.role !== role) return
    request.signedIn = { ...session, csrfToken: formToken(keys, token, session.openMailbox?.grantId) }
    if (session.hasLostAccess && request.url !== '/sign-out') {
      await openMailbox(database, token, undefined, clock())
      throw new Problem('access-ended')
    }
  })
}

/** Bound to our own host where the browser can be asked for that, which it cannot over plain http. */
export function ownCookie(baseUrl: string, name: string): { name: string; options: CookieSerializeOptions } {
  const secure = baseUrl.startsWith('https:')
  return { name: secure ? `__Host-${name}` : name, options: { path: '/', httpOnly: true, sameSite: 'lax', secure } }
}

/** Of a sign-in under way; its own name follows. */
export const attemptCookie = 'digital-post-sign-in-'
/** Of what was written when a session ended. */
export const keptFormCookie = 'digital-post-kept-form'

/** Whose pages an address belongs to. */
export function roleOf({ url }: FastifyRequest): SignedIn['role'] {
  if (/^\/registrar([/?]|$)/.test(url)) return 'registrar'
  return /^\/department([/?]|$)/.test(url) ? 'staff' : 'person'
}

/**
 * They end with the browser, at the latest; the limits of time are kept by the database. One for each role: who works for a
 * public body has post of their own too.
 */
export function sessionCookies(baseUrl: string) {
  return {
    person: ownCookie(baseUrl, 'digital-post'),
    staff: ownCookie(baseUrl, 'digital-post-staff'),
    registrar: ownCookie(baseUrl, 'digital-post-registrar'),
  }
}

/** preHandler of a page for people: who is not signed in as a person signs in first. */
export async function requirePerson(request: FastifyRequest, reply: FastifyReply) {
  if (request.signedIn?.role !== 'person') return reply.redirect(signInAddress('/sign-in', request), 303)
}

/** preHandler of a page for staff. */
export async function requireStaff(request: FastifyRequest, reply: FastifyReply) {
  if (request.signedIn?.role !== 'staff') return reply.redirect(signInAddress('/department/sign-in', request), 303)
}

/** preHandler of a page for registrars, who sign in where staff do. */
export async function requireRegistrar(request: FastifyRequest, reply: FastifyReply) {
  if (request.signedIn?.role !== 'registrar') return reply.redirect(signInAddress('/registrar/sign-in', request), 303)
}

/** What was being sent is not sent again after the sign-in: only a page is come back to. */
function signInAddress(path: string, request: FastifyRequest): string {
  return request.method === 'GET' ? `${path}?to=${encodeURIComponent(request.url)}` : path
}

/** preHandler of pages for writing: who may not write here does not get to fill in a form. */
export async function requireRightToWrite(request: FastifyRequest): Promise<void> {
  if (/^(\/department)?\/(write|drafts|(letters|messages)\/:id\/(answer|forward))(\/|$)/.test(request.routeOptions.url ?? '')) {
    requireRight(request.signedIn!.actor, 'messages:write')
  }
}

/** Where people, staff and registrars begin. */
export function homeOf({ role, actor }: SignedIn): string {
  if (role === 'staff') return '/department'
  if (role === 'registrar') return '/registrar'
  return actor.rights.has('inbox:read') ? '/inbox' : '/people'
}

/** preHandler of every form: whether it comes from one of our own pages, in the same session and of the mailbox that is open. */
export async function checkForm(request: FastifyRequest): Promise<void> {
  checkFormToken(request, ((request.body ?? {}) as { csrf?: unknown }).csrf)
}

/** For forms with files, whose fields the page reads itself. */
export function checkFormToken(request: FastifyRequest, token: unknown): void {
  checkSessionOfForm(request, token)
  if (!isSame(token as string, request.signedIn!.csrfToken)) throw new Problem('mailbox-changed')
}

/** preHandler of forms to sign out and to change the mailbox, whichever is open. */
export async function checkFormOfAnyMailbox(request: FastifyRequest): Promise<void> {
  checkSessionOfForm(request, ((request.body ?? {}) as { csrf?: unknown }).csrf)
}

function checkSessionOfForm(request: FastifyRequest, token: unknown): void {
  const ofSession = (whole: string) => whole.slice(0, sessionHalf)
  const isOurs =
    typeof token === 'string' &&
    request.signedIn !== undefined &&
    isFromHere(request) &&
    isSame(ofSession(token), ofSession(request.signedIn.csrfToken))
  if (!isOurs) throw new Problem('form-expired')
}

function isSame(one: string, other: string): boolean {
  const [given, wanted] = [Buffer.from(one), Buffer.from(other)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** What the browser says about where a request comes from. A page cannot set these headers. */
export function isFromHere({ headers, server }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  // Our pages' referrer policy makes browsers write "null", which says nothing about where from; Sec-Fetch-Site does.
  if (headers.origin === 'null') return site === 'same-origin'
  return headers.origin === undefined || headers.origin === server.ownOrigin
}
