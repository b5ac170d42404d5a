import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Config } from './config.ts'
import type { Database } from './database/connect.ts'

/** Puts the rooms together and opens the doors. The same for production and for tests. */
export async function buildApp(config: Config, database: Database): Promise<FastifyInstance> {
  const app = fastify({
    logger: config.logLevel === 'silent' ? false : { level: config.logLevel },
    genReqId: () => newId(),
    trustProxy: config.trustProxy,
  })
  await app.register(cookie)
  await app.register(formbody)
  app.get('/health', async (_request, reply) => {
    await database`select 1`
    return reply.send({ status: 'ok' })
  })
  return app
}
