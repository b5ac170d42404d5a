import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { buildTokenProvider } from '../sign-in/system-tokens.ts'

/** The token endpoint, its keys and its metadata (RFC 8414). */
export function registerTokens(app: FastifyInstance, config: Config, database: Database, clock: () => Date): void {
  const handle = buildTokenProvider(config, database, clock)
  app.register(async (scope) => {
    // The provider reads the body itself.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    const addresses = {
      '/oauth/token': 'POST',
      '/oauth/jwks.json': 'GET',
      '/.well-known/oauth-authorization-server': 'GET',
    } as const
    for (const [url, method] of Object.entries(addresses)) {
      scope.route({
        url,
        method,
        schema: { hide: true },
        handler: (request, reply) => {
          reply.hijack()
          handle(request.raw, reply.raw)
        },
      })
    }
  })
}
