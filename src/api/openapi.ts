import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { scopesInWords } from '../access/rights.ts'
import type { Config } from '../config.ts'

/** Describes every route under /v1, from the schemas that also check its requests; served at /openapi.json. */
export async function describeApi(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: `${config.serviceName}: the API for senders`,
        version: '1',
        description: 'Send official post to people and businesses, follow what becomes of it, and receive what they write.',
        license: { name: 'MIT' },
      },
      servers: [{ url: config.baseUrl }],
      tags: [
        { name: 'Messages', description: 'Send, and see what became of it.' },
        { name: 'Uploads', description: 'Send a document once, for many letters, or a large one.' },
        { name: 'Batches', description: 'Send many letters, and see what became of them all.' },
        { name: 'Events', description: 'What has happened to messages, in order.' },
        { name: 'Inbox', description: 'What people have written to your services.' },
        { name: 'Recipients', description: 'Who can be reached.' },
      ],
      components: {
        securitySchemes: {
          system: {
            type: 'oauth2',
            description: 'Client credentials, by private_key_jwt.',
            flows: { clientCredentials: { tokenUrl: `${config.baseUrl}/oauth/token`, scopes: scopesInWords } },
          },
        },
      },
    },
    hideUntagged: true,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => (typeof json.$id === 'string' ? json.$id : `schema-${index}`),
    },
    transform: ({ schema, url, route }) => {
      const right = route.config?.right
      return { url, schema: right ? { ...schema, security: [{ system: [right] }] } : schema }
    },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
