import { once } from 'node:events'
import { createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { openDemoPayments } from '../demo/demo-payments.ts'
import { openDemoLinking } from '../demo/demo-service.ts'
import { fillDemoWorld } from '../demo/world.ts'
import { buildApp } from '../src/app.ts'
import { type Config, readConfig } from '../src/config.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { readSchemes } from '../src/registry/scheme.ts'
import { oneLoginSubject } from '../src/sign-in/stand-in.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

export type TestServer = { baseUrl: string; config: Config; app: FastifyInstance; test: TestDatabase; stop: () => Promise<void> }

/** The program as it runs, demo world included, on a port of its own and a database of its own. */
export async function startServer(environment: Record<string, string> = {}, clock?: () => Date): Promise<TestServer> {
  const test = await createTestDatabase(10)
  const port = await freePort()
  const config = readConfig({
    PORT: String(port),
    HOST: '127.0.0.1',
    BASE_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: test.url,
    DEMO: 'true',
    LOG_LEVEL: 'silent',
    ...environment,
  })
  const app = await buildApp(config, test.database, clock)
  await fillDemoWorld(
    test.database,
    deriveIdentifierKeys(config.secretKey, readSchemes(config.identifierSchemes, config)),
    oneLoginSubject,
    clock?.() ?? new Date(),
  )
  await openDemoLinking(test.database, config.baseUrl)
  await openDemoPayments(test.database, config, clock?.() ?? new Date())
  await app.listen({ host: config.host, port: config.port })
  return {
    baseUrl: config.baseUrl,
    config,
    app,
    test,
    stop: async () => {
      await app.close()
      await test.drop()
    },
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** An access token for one of the demo's systems, with all scopes or those named. */
export async function takeToken({ baseUrl }: { baseUrl: string }, client = 'demo-sender', scope?: string): Promise<string> {
  const response = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
  })
  const body = (await response.json()) as { access_token: string }
  if (!response.ok) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.access_token
}
