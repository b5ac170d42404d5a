import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { v7 as newId } from 'uuid'
import { describeApi } from './api/openapi.ts'
import { sendProblem, toProblem } from './api/problem-reply.ts'
import type { ApiOptions, ApiServer } from './api/senders/door.ts'
import { getEvents } from './api/senders/get-events.ts'
import { getMessages } from './api/senders/get-messages.ts'
import { inbox } from './api/senders/inbox.ts'
import { lookupRecipients } from './api/senders/lookup-recipients.ts'
import { postMessages } from './api/senders/post-messages.ts'
import { registerTokens } from './api/tokens.ts'
import { validatorCompiler } from './api/validation.ts'
import type { Config } from './config.ts'
import type { Database } from './database/connect.ts'
import { Problem } from './problems.ts'
import { deriveIdentifierKeys } from './registry/identifier.ts'
import { buildTokenCheck } from './sign-in/system-tokens.ts'

/** A request must have arrived whole within this: a slow sender of bytes holds a connection, and nothing else. */
const requestTimeoutMs = 120_000

/** Puts the rooms together and opens the doors. The same for production and for tests. */
export async function buildApp(config: Config, database: Database, clock = () => new Date()): Promise<FastifyInstance> {
  const keys = deriveIdentifierKeys(config.secretKey)
  const app = fastify({
    logger: config.logLevel === 'silent' ? false : { level: config.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newId(),
    requestIdHeader: false,
    trustProxy: config.trustProxy,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => logResponse(request, reply))
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Problem('not-found')))
  await app.register(cookie)
  await app.register(formbody)

  app.get('/health', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) => {
    try {
      await database`select 1 from migration limit 1`
      return reply.header('cache-control', 'no-store').send({ status: 'ok' })
    } catch (error) {
      throw toProblem(error).code === 'failed' ? new Problem('unavailable') : error
    }
  })

  await describeApi(app, config)
  registerTokens(app, config, database)
  const api: ApiOptions = { database, keys, clock, checkToken: buildTokenCheck(config) }
  app.register(async (door: ApiServer) => {
    // JSON and nothing else, so that anything else is told so.
    door.removeAllContentTypeParsers()
    door.addContentTypeParser('application/json', { parseAs: 'string' }, door.getDefaultJsonParser('error', 'error'))
    for (const open of [postMessages, getMessages, getEvents, inbox, lookupRecipients]) open(door, api)
  })
  return app
}

/** One line for each request, with the pattern of the address and not the address: what stands in it is nobody's business. */
function logResponse(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions } = request
  request.log.info({ method, route: routeOptions.url ?? 'unknown', status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered')
}
