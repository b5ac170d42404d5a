import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { isClosedByDeath } from '../registry/find-registration.ts'
import { joinMailboxes } from '../registry/link-join.ts'
import { type Attempt, attemptMinutes, attemptName, deriveAttemptKey, openAttempt, sealAttempt } from '../sign-in/attempt.ts'
import { endSessionsOfSubject, readLogoutToken } from '../sign-in/back-channel-logout.ts'
import { packDevice, readDevice } from '../sign-in/device.ts'
import { type Arrival, finishSignIn, openOneLogin, startIdentityProof, startSignIn } from '../sign-in/one-login.ts'
import { findPerson, registerPerson } from '../sign-in/person.ts'
import { readPreferences } from '../sign-in/preferences.ts'
import { type Failure, failureOf, finishCodeFlow, signOutUrl, startCodeFlow } from '../sign-in/provider.ts'
import { deriveSessionKeys, endSession, type NewSession, startSession } from '../sign-in/session.ts'
import { findRegistrar, findStaffMember, openStaffProvider } from '../sign-in/staff.ts'
import { localPath } from './address.ts'
import { sendPage } from './page.ts'
import { attemptCookie, checkFormOfAnyMailbox, ownCookie, requirePerson, roleOf, sessionCookies } from './session.ts'
import { languageOf, rememberLanguage, wordsFor } from './words.ts'

export type SignInOptions = { config: Config; database: Database; clock: () => Date }

/** More sign-ins than this under way in one browser, and the others are forgotten: headers must not grow for ever. */
const attemptsAtOnce = 3

/** Signing in and out, for people at One Login and for staff and registrars at their own provider. */
export async function registerSignIn(app: FastifyInstance, options: SignInOptions): Promise<void> {
  const door = await openDoor(options)
  signInPeople(app, options, door)
  signInStaff(app, options, door)
  signOut(app, options, door)
  answerOneLogin(app, options, door)
  app.get('/signed-out', (request, reply) =>
    sendPage(request, reply, 'sign-in/signed-out', { title: wordsFor(request)('sign-in:signed-out.title') }),
  )
}

type Door = Awaited<ReturnType<typeof openDoor>>

/** What the routes share: the providers, and our cookies. */
async function openDoor({ config, database, clock }: SignInOptions) {
  const attemptKey = deriveAttemptKey(config.secretKey)
  const sessionKeys = deriveSessionKeys(config.secretKey)
  const cookies = sessionCookies(config.baseUrl)
  const attempt = ownCookie(config.baseUrl, attemptCookie)

  return {
    oneLogin: await openOneLogin(config),
    staffProvider: openStaffProvider(config),

    /** Sends the browser to the provider, with the attempt in a cookie. */
    async leave(request: FastifyRequest, reply: FastifyReply, starting: Promise<{ url: URL; attempt: Attempt }>) {
      const started = await starting.catch((error) => reasonOf(request, error))
      if (typeof started === 'string') return showFailure(request, reply, started)
      const others = Object.keys(request.cookies).filter((name) => name.startsWith(attempt.name))
      for (const name of others.slice(0, Math.max(0, others.length + 1 - attemptsAtOnce))) {
        reply.clearCookie(name, attempt.options)
      }
      const sealed = await sealAttempt(attemptKey, started.attempt, clock())
      const options = { ...attempt.options, maxAge: attemptMinutes * 60 }
      return reply
        .setCookie(attempt.name + attemptName(started.attempt.state), sealed, options)
        .header('cache-control', 'no-store')
        .redirect(started.url.href, 303)
    },

    /** The attempt that an answer of the provider belongs to, once. */
    async takeAttempt(request: FastifyRequest, reply: FastifyReply, answer: URLSearchParams) {
      const name = attempt.name + attemptName(answer.get('state') ?? '')
      const sealed = request.cookies[name]
      if (sealed === undefined) return undefined
      reply.clearCookie(name, attempt.options)
      return openAttempt(attemptKey, sealed, clock())
    },

    /** A new session in place of the one that this browser may have had. */
    async enter(request: FastifyRequest, reply: FastifyReply, who: Omit<NewSession, 'replaces' | 'device'>, to: string) {
      const session = cookies['staffId' in who.owner ? 'staff' : 'registrarId' in who.owner ? 'registrar' : 'person']
      const device = packDevice(readDevice(request.headers['user-agent']))
      const replaces = request.cookies[session.name]
      const token = await startSession(database, sessionKeys, { ...who, device, replaces }, clock())
      return reply.setCookie(session.name, token, session.options).header('cache-control', 'no-store').redirect(to, 303)
    },

    /** Ends the session of this browser; answers the ID token that it began with. */
    async forget(request: FastifyRequest, reply: FastifyReply) {
      const session = cookies[roleOf(request)]
      const token = request.cookies[session.name]
      reply.clearCookie(session.name, session.options)
      return token === undefined ? undefined : endSession(database, sessionKeys, token)
    },
  }
}

function signInPeople(app: FastifyInstance, { config, database, clock }: SignInOptions, door: Door): void {
  const { oneLogin } = door

  app.get('/sign-in', (request, reply) =>
    door.leave(request, reply, startSignIn(oneLogin, localPath(request, '/inbox'), clock(), languageOf(request))),
  )

  app.get('/sign-in/callback', async (request, reply) => {
    const answer = answerOf(request)
    const attempt = await door.takeAttempt(request, reply, answer)
    if (attempt === undefined || isOfStaff(attempt)) return showFailure(request, reply, 'lost')
    const arrival = await finishSignIn(oneLogin, attempt, answer, clock()).catch((error) => reasonOf(request, error))
    if (typeof arrival === 'string') {
      // One Login no longer vouches for the person who was signed in here.
      if (arrival === 'sign-in-again') await door.forget(request, reply)
      return showFailure(request, reply, arrival)
    }
    if (attempt.purpose === 'join-mailboxes') return join(request, reply, arrival, attempt.to)
    const { subject, idToken, identity } = arrival
    const known = await findPerson(database, subject)
    const partyId = known ?? (identity && (await registerPerson(database, subject, identity, clock(), config.registration)))
    if (typeof partyId === 'object') return sendTooYoung(request, reply, config)
    if (known !== undefined && (await isClosedByDeath(database, known))) return sendClosed(request, reply)
    if (partyId !== undefined) {
      const { language, isNew } = await readPreferences(database, partyId)
      if (language) rememberLanguage(reply, config.baseUrl, language)
      const to = isNew ? `/welcome?to=${encodeURIComponent(attempt.to)}` : attempt.to
      return door.enter(request, reply, { owner: { partyId }, subject, idToken }, to)
    }
    if (attempt.purpose === 'prove-identity') return showFailure(request, reply, 'not-proven')
    return door.leave(request, reply, startIdentityProof(oneLogin, attempt.to, clock(), languageOf(request)))
  })

  const joined = '/linked-services?done=joined'
  app.get('/sign-in/join', { preHandler: requirePerson }, (request, reply) =>
    door.leave(request, reply, startIdentityProof(oneLogin, joined, clock(), languageOf(request), 'join-mailboxes')),
  )

  /** Somebody with two mailboxes has proven who they are once more, and asked before that the two be one (registry/link-join.ts). */
  async function join(request: FastifyRequest, reply: FastifyReply, { subject, idToken, identity }: Arrival, to: string) {
    const own = await findPerson(database, subject)
    const partyId = own && identity && (await joinMailboxes(database, { partyId: own, identity }, clock()))
    if (partyId) return door.enter(request, reply, { owner: { partyId }, subject, idToken }, to)
    request.log.warn({ isProven: identity !== undefined }, 'two mailboxes were not joined')
    return sendPage(request, reply, 'linking/not-joined', { title: wordsFor(request)('linking:not-joined.title') }, 403)
  }
}

function sendTooYoung(request: FastifyRequest, reply: FastifyReply, { registration: { age } }: Config) {
  const title = wordsFor(request)('sign-in:too-young.title', { age })
  return sendPage(request, reply, 'sign-in/too-young', { title, age }, 403)
}

function sendClosed(request: FastifyRequest, reply: FastifyReply) {
  return sendPage(request, reply, 'sign-in/closed', { title: wordsFor(request)('sign-in:closed.title') }, 403)
}

const isOfStaff = ({ purpose }: Attempt) => purpose === 'staff-sign-in' || purpose === 'registrar-sign-in'

/** Staff and registrars have one provider, and come back from it to one address. */
function signInStaff(app: FastifyInstance, { database, clock }: SignInOptions, door: Door): void {
  const provider = door.staffProvider

  const start = (purpose: Attempt['purpose'], home: string) => (request: FastifyRequest, reply: FastifyReply) => {
    const to = localPath(request, home)
    // The provider would let the same account in again, without asking who it is.
    const parameters: Record<string, string> = 'other' in (request.query as object) ? { prompt: 'login' } : {}
    const spoken = { ...parameters, ui_locales: languageOf(request) }
    return door.leave(request, reply, startCodeFlow(provider, { purpose, to }, spoken, clock()))
  }
  app.get('/department/sign-in', start('staff-sign-in', '/department'))
  app.get('/registrar/sign-in', start('registrar-sign-in', '/registrar'))

  const findOwner = async (purpose: Attempt['purpose'], subject: string) => {
    if (purpose === 'staff-sign-in') {
      const staffId = await findStaffMember(database, subject)
      return staffId && { staffId }
    }
    const registrarId = await findRegistrar(database, subject)
    return registrarId && { registrarId }
  }

  app.get('/department/sign-in/callback', async (request, reply) => {
    const answer = answerOf(request)
    const attempt = await door.takeAttempt(request, reply, answer)
    if (attempt === undefined || !isOfStaff(attempt)) return showFailure(request, reply, 'lost')
    const startAgain = attempt.purpose === 'staff-sign-in' ? '/department/sign-in' : '/registrar/sign-in'
    const arrival = await finishCodeFlow(provider, attempt, answer, clock()).catch((error) => reasonOf(request, error))
    if (typeof arrival === 'string') return showFailure(request, reply, arrival, startAgain)
    const { subject, idToken } = arrival
    const owner = await findOwner(attempt.purpose, subject)
    if (!owner) return showFailure(request, reply, 'not-registered', `${startAgain}?other`)
    return door.enter(request, reply, { owner, subject, idToken }, attempt.to)
  })
}

/** Ends the session here first, and then at the provider: its own session would sign the next person in at this computer. */
function signOut(app: FastifyInstance, { config, clock }: SignInOptions, door: Door): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const signedOut = '/signed-out'
    if (request.signedIn === undefined) return reply.redirect(signedOut, 303)
    await checkFormOfAnyMailbox(request)
    const provider = request.signedIn.role === 'person' ? door.oneLogin.provider : door.staffProvider
    const idToken = await door.forget(request, reply)
    const there = idToken && (await signOutUrl(provider, idToken, config.baseUrl + signedOut, clock()).catch(() => undefined))
    return reply.redirect(there ? there.href : signedOut, 303)
  }
  app.post('/sign-out', handler)
  app.post('/department/sign-out', handler)
  app.post('/registrar/sign-out', handler)
}

/** What One Login itself asks of us. */
function answerOneLogin(app: FastifyInstance, { database, clock }: SignInOptions, { oneLogin }: Door): void {
  app.get('/one-login/jwks.json', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').send(oneLogin.publicKeys),
  )

  app.post('/one-login/back-channel-logout', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const token = (request.body as { logout_token?: unknown } | undefined)?.logout_token
    const order = await readLogoutToken(oneLogin, String(token), clock()).catch((error) => reasonOf(request, error))
    if (typeof order === 'string') return reply.code(400).send({ error: 'invalid_request' })
    await endSessionsOfSubject(database, order)
    return reply.code(200).send()
  })
}

function answerOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(request.url.split('?')[1])
}

type Reason = Failure | 'lost' | 'not-proven' | 'not-registered'

/** Notes in the log what failed, by name only: tokens and claims can stand in an error's details. */
function reasonOf(request: FastifyRequest, error: unknown): Reason {
  const reason = failureOf(error)
  const { name, code, error: answer, cause } = error as Record<string, unknown>
  const { code: causeCode, name: causeName } = (cause ?? {}) as Record<string, unknown>
  request.log.warn({ reason, name, code, answer, cause: causeCode ?? causeName }, 'signing in or out failed')
  return reason
}

const statusOf: Record<Reason, number> = {
  'temporarily-unavailable': 503,
  refused: 403,
  'sign-in-again': 403,
  failed: 400,
  lost: 400,
  'not-proven': 403,
  'not-registered': 403,
}

function showFailure(request: FastifyRequest, reply: FastifyReply, reason: Reason, startAgain = signInOf(request)) {
  const forStaff = startAgain !== '/sign-in'
  const who = startAgain.startsWith('/registrar') ? 'registrar' : 'staff'
  const key = reason === 'not-registered' ? `sign-in:staff.not-registered.${who}.title` : `sign-in:title.${reason}`
  const data = { title: wordsFor(request)(key), reason, startAgain, forStaff, who }
  return sendPage(request, reply, 'sign-in/failed', data, statusOf[reason])
}

function signInOf({ url }: FastifyRequest): string {
  return /^\/(department|registrar)\//.exec(url)?.[0].concat('sign-in') ?? '/sign-in'
}
