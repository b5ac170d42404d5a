import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { openNotifyStandIn } from './alerts/notify-stand-in.ts'
import { registerLog } from './api/log.ts'
import { registerNotifyStandIn } from './api/notify-stand-in.ts'
import { describeApi } from './api/openapi.ts'
import { registerPayWebhook } from './api/pay-webhook.ts'
import { sendProblem, toProblem } from './api/problem-reply.ts'
import { batchRoutes } from './api/senders/batches.ts'
import type { ApiOptions, ApiServer } from './api/senders/door.ts'
import { getEvents } from './api/senders/get-events.ts'
import { getEvidence } from './api/senders/get-evidence.ts'
import { getInbox } from './api/senders/get-inbox.ts'
import { getMessages } from './api/senders/get-messages.ts'
import { getRecipientChanges } from './api/senders/get-recipient-changes.ts'
import { getReconciliation } from './api/senders/get-reconciliation.ts'
import { lookupRecipients } from './api/senders/lookup-recipients.ts'
import { postBatchMessages } from './api/senders/post-batch-messages.ts'
import { postMessages } from './api/senders/post-messages.ts'
import { postReceipt } from './api/senders/post-receipt.ts'
import { recallMessage } from './api/senders/recall-message.ts'
import { uploadRoutes } from './api/senders/uploads.ts'
import { webhookRoutes } from './api/senders/webhook.ts'
import { registerTokens } from './api/tokens.ts'
import { validatorCompiler } from './api/validation.ts'
import type { Config } from './config.ts'
import type { Database } from './database/connect.ts'
import { tellLetters } from './delivery/allow-letters.ts'
import { receiptMaker } from './evidence/make-receipt.ts'
import { type EvidenceSettings, openEvidence } from './evidence/open-evidence.ts'
import { webhookReach } from './evidence/post-event.ts'
import { payPages } from './mailbox/pay-api.ts'
import { Problem } from './problems.ts'
import { watchClients } from './registry/client-watch.ts'
import { deriveIdentifierKeys } from './registry/identifier.ts'
import { readSchemes } from './registry/scheme.ts'
import { buildTokenCheck } from './sign-in/system-tokens.ts'
import { registerAssets } from './web/assets.ts'
import { registerCalendar } from './web/calendar.ts'
import { registerCitizenPages } from './web/citizen/pages.ts'
import { registerDepartmentPages } from './web/department/pages.ts'
import { registerDocs } from './web/docs/reference.ts'
import { sendErrorPage } from './web/errors.ts'
import { registerLinking } from './web/linking.ts'
import { registerRegistrarPages } from './web/registrar/pages.ts'
import { setSecurityHeaders } from './web/security-headers.ts'
import { registerSessions } from './web/session.ts'
import { registerSignIn } from './web/sign-in.ts'
import { registerStatus } from './web/status.ts'
import { verifyPages } from './web/verify.ts'
import { registerLanguages } from './web/words.ts'

/** A request must have arrived whole within this: a slow sender of bytes holds a connection, and nothing else. */
const requestTimeoutMs = 120_000
/** But for these. What is read line by line has limits of its own; what is left of an upload goes on in another request. */
const longerTimeoutsMs: Record<string, number> = {
  'application/x-ndjson': Number.POSITIVE_INFINITY,
  'application/offset+octet-stream': 600_000,
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route that is open, so that a test can ask each who may come in (test/rights-matrix.test.ts). */
    routeTable: RouteEntry[]
  }
  interface FastifyContextConfig {
    /** A body that may be on its way for long: it must not stand still, and is not to have arrived within a time. */
    isLong?: boolean
  }
}
export type RouteEntry = { method: string; url: string }

/** How often, while the program stops, connections are closed on which nothing is under way any more. */
const idleCheckMs = 100

/**
 * Fastify closes those that are idle when it begins to stop. One that was answering then is kept open for whoever asked to ask again, and the
 * program would wait until they hang up.
 */
function closeIdleConnections(app: FastifyInstance): void {
  // Browsers open connections ahead of need: one on which nothing was ever asked is none of those that Node calls idle.
  const unused = new Set<Socket>()
  app.server.on('connection', (socket) => unused.add(socket.once('close', () => unused.delete(socket))))
  app.server.on('request', ({ socket }) => unused.delete(socket))
  app.addHook('preClose', (done) => {
    const timer = setInterval(() => {
      app.server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    }, idleCheckMs)
    app.server.once('close', () => clearInterval(timer))
    timer.unref()
    done()
  })
}

/** Puts the rooms together and opens the doors. The same for production and for tests. */
export async function buildApp(config: Config, database: Database, clock = () => new Date()): Promise<FastifyInstance> {
  const keys = deriveIdentifierKeys(config.secretKey, readSchemes(config.identifierSchemes, config))
  const app = fastify({
    logger: config.logLevel === 'silent' ? false : { level: config.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: config.trustProxy,
    // Node has one limit for all requests. See limitArrival.
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.decorate('routeTable', [] as RouteEntry[])
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) app.routeTable.push({ method: each, url })
  })
  app.setValidatorCompiler(validatorCompiler)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('request-id', request.id)
    done()
  })
  limitArrival(app)
  closeIdleConnections(app)
  setSecurityHeaders(app, isForSystems, {
    baseUrl: config.baseUrl,
    formOrigins: [...signInOrigins(config), ...payOrigins(config)],
  })
  app.addHook('onResponse', (request, reply, done) => {
    logResponse(request, reply)
    done()
  })
  const sendError = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    isForSystems(request) ? sendProblem(request, reply, error) : sendErrorPage(request, reply, error)
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) => sendError(new Problem('not-found'), request, reply))
  await app.register(cookie)
  await app.register(formbody)

  answerForHealth(app, database)
  await describeApi(app, config)
  registerTokens(app, config, database, clock)
  const clients = watchClients(database, clock)
  app.addHook('onClose', () => clients.stop())
  app.addHook('onClose', () => tellLetters(database))
  const evidence = openEvidence(config)
  const api: ApiOptions = { database, keys, clock, checkToken: buildTokenCheck(config, clients) }
  app.register(async (door: ApiServer) => openApi(door, config, api, receiptMaker(evidence)))

  registerPayWebhook(app, { config, database, clock })
  registerLog(app, { database, ...evidence })

  app.decorate('serviceName', config.serviceName)
  registerLanguages(app, config.baseUrl)
  registerSessions(app, { config, database, clock })
  registerAssets(app)
  await registerSignIn(app, { config, database, clock })
  registerDocs(app, { openApi: () => app.swagger(), config })
  registerStatus(app, { database, attestors: evidence.attestors, makeReceipt: receiptMaker(evidence), clock })
  const surroundings = { config, database, keys, clock }
  for (const open of [registerLinking, verifyPages, registerCalendar, ...pagesByAudience]) open(app, surroundings)
  if (config.demo) await openDemo(app, config, database, evidence, clock)
  return app
}

const pagesByAudience = [registerCitizenPages, registerDepartmentPages, registerRegistrarPages]

/** The API for senders. */
async function openApi(
  door: ApiServer,
  config: Config,
  api: ApiOptions,
  makeReceipt: ReturnType<typeof receiptMaker>,
): Promise<void> {
  // JSON and nothing else, so that anything else is told so.
  door.removeAllContentTypeParsers()
  door.addContentTypeParser('application/json', { parseAs: 'string' }, door.getDefaultJsonParser('error', 'error'))
  postMessages(door, { ...api, letters: config.letters })
  batchRoutes(door, api)
  // Its body is read line by line; for all others that is no media type.
  await door.register(async (bulk: ApiServer) => postBatchMessages(bulk, { ...api, letters: config.letters }))
  await door.register(async (uploads: ApiServer) => uploadRoutes(uploads, { ...api, uploads: config.uploads }))
  for (const open of [getMessages, getEvents, getInbox, postReceipt, recallMessage, getRecipientChanges]) open(door, api)
  lookupRecipients(door, { ...api, lookups: config.lookups })
  getEvidence(door, { ...api, makeReceipt })
  getReconciliation(door, { ...api, pendingMinutes: config.pendingMinutes })
  webhookRoutes(door, { ...api, webhooks: webhookReach(config) })
}

/** The limit of time for all requests with a body. */
function limitArrival(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { headers, raw } = request
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    const timeoutMs = longerTimeoutsMs[headers['content-type'] ?? ''] ?? requestTimeoutMs
    if (hasBody && request.routeOptions.config.isLong) limitSilence(raw, reply.raw)
    else if (hasBody && Number.isFinite(timeoutMs)) {
      const timer = setTimeout(() => raw.socket.destroy(), timeoutMs)
      timer.unref()
      const isOver = () => clearTimeout(timer)
      raw.once('end', isOver)
      reply.raw.once('close', isOver)
    }
    done()
  })
}

/** Ends a connection on which nothing moves, until it is answered. A request that is injected has a socket without a clock. */
function limitSilence({ socket }: IncomingMessage, answer: ServerResponse): void {
  const cut = () => socket.destroy()
  socket.setTimeout?.(requestTimeoutMs, cut)
  answer.once('close', () => socket.off('timeout', cut))
}

/** Whether the program reaches its database, and that is migrated. */
function answerForHealth(app: FastifyInstance, database: Database): void {
  app.get('/health', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) => {
    try {
      await database`select 1 from migration limit 1`
      return reply.send({ status: 'ok' })
    } catch (error) {
      throw toProblem(error).code === 'failed' ? new Problem('unavailable') : error
    }
  })
}

/** What stands in a demo for what others run. */
async function openDemo(
  app: FastifyInstance,
  config: Config,
  database: Database,
  { keys }: EvidenceSettings,
  clock: () => Date,
): Promise<void> {
  const { demoPeople, demoRegistrars, demoStaff } = await import('../demo/world.ts')
  const { registerStandIns } = await import('./web/stand-in.ts')
  registerStandIns(app, { config, people: demoPeople, staff: [...demoStaff, ...demoRegistrars] })
  const { demoSites } = await import('../demo/demo-service.ts')
  const { registerDemoServices } = await import('./web/demo-service.ts')
  registerDemoServices(app, { config, sites: demoSites, clock })
  const { registerPayStandIn } = await import('./web/pay-stand-in.ts')
  registerPayStandIn(app, { config, database, clock })
  const { answerTimeStampRequest, makeTimeStampAuthorityKeys } = await import('../demo/time-stamp-authority.ts')
  const { registerEvidenceStandIns } = await import('./api/evidence-stand-ins.ts')
  const authority = { make: makeTimeStampAuthorityKeys, answer: answerTimeStampRequest }
  registerEvidenceStandIns(app, { config, database, keys, authority, clock })
  if (config.alerts.notify?.templates === undefined && config.alerts.notify !== undefined) {
    const standIn = openNotifyStandIn(config)
    registerNotifyStandIn(app, standIn, clock)
    const { registerOutbox } = await import('./web/outbox.ts')
    registerOutbox(app, standIn.delivered)
  }
}

/** A form's answer may lead on to where people sign out. */
function signInOrigins({ oneLogin, staff }: Config): string[] {
  return [oneLogin.issuer, staff.issuer].flatMap((issuer) => issuer ?? []).map((issuer) => new URL(issuer).origin)
}

/** Nor to where people pay. */
function payOrigins({ pay }: Config): string[] {
  return pay.isStandIn ? [] : [payPages(pay.url)]
}

/** Who gets a problem document and not a page. */
function isForSystems({ url }: FastifyRequest): boolean {
  return /^\/(v1|oauth|log|demo(?!\/outbox)|pay|health|openapi\.json|\.well-known)([/?]|$)/.test(url)
}

/** One line for each request, with the pattern of the address and not the address: what stands in it is nobody's business. */
function logResponse(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions } = request
  request.log.info(
    { method, route: routeOptions.url ?? 'unknown', status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
    'answered',
  )
}
