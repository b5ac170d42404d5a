import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import { Problem } from '../src/problems.ts'
import { registerAssets } from '../src/web/assets.ts'
import { registerCitizenPages } from '../src/web/citizen/pages.ts'
import { registerDepartmentPages } from '../src/web/department/pages.ts'
import { sendErrorPage } from '../src/web/errors.ts'
import { setSecurityHeaders } from '../src/web/security-headers.ts'
import type { SignedIn } from '../src/web/session.ts'
import { createTestDatabase } from './database.ts'
import { buildPost, type Post } from './post.ts'

type Reader = 'rosa' | 'arthur' | 'staff' | 'nobody'
type Answer = LightMyRequestResponse

export type Pages = {
  app: FastifyInstance
  post: Post
  get: (reader: Reader, url: string, headers?: Record<string, string>) => Promise<Answer>
  /** Fills in a form as a browser does: with its hidden fields, as they stand in the page. */
  submit: (reader: Reader, url: string, fields: Record<string, string>, files?: File[]) => Promise<Answer>
  stop: () => Promise<void>
}

/** The pages alone, on a database of their own. Who is signed in is said by a header, so that a test needs no sign-in. */
export async function startPages(now: { at: Date }): Promise<Pages> {
  const test = await createTestDatabase()
  const post = await buildPost(test.database)
  const config = readConfig({ DEMO: 'true' })
  const app = fastify({ genReqId: () => newId() })
  await app.register(formbody)
  app.decorate('ownOrigin', 'http://localhost')
  app.decorateRequest('signedIn', undefined)
  const staff: Actor = { ...post.council, rights: rightsOf('staff'), door: 'department-pages' }
  const readers: Record<string, SignedIn> = {
    rosa: { role: 'person', actor: post.rosa, name: 'Rosa Example', organisationName: undefined, csrfToken: 'token-r' },
    arthur: { role: 'person', actor: post.arthur, name: 'Arthur Sample', organisationName: undefined, csrfToken: 'token-a' },
    staff: { role: 'staff', actor: staff, name: 'Mel Placeholder', organisationName: 'Northfold Council', csrfToken: 'token-s' },
  }
  app.addHook('onRequest', async (request) => {
    request.signedIn = readers[String(request.headers['x-reader'])]
  })
  setSecurityHeaders(app, { baseUrl: config.baseUrl, formOrigins: ['https://signin.example'] })
  app.setErrorHandler((error, request, reply) => sendErrorPage(request, reply, error))
  app.setNotFoundHandler((request, reply) => sendErrorPage(request, reply, new Problem('not-found')))
  registerAssets(app)
  const surroundings = { config, database: test.database, keys: post.keys, clock: () => now.at }
  registerCitizenPages(app, surroundings)
  registerDepartmentPages(app, surroundings)
  await app.ready()

  const get: Pages['get'] = (reader, url, headers = {}) =>
    app.inject({ method: 'GET', url, headers: { 'x-reader': reader, ...headers } })
  return {
    app,
    post,
    get,
    async submit(reader, url, fields, files = []) {
      const page = await get(reader, url)
      const form = new FormData()
      for (const [, name, value] of page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
        form.set(name!, value!)
      for (const [name, value] of Object.entries(fields)) form.set(name, value)
      for (const file of files) form.append('files', file)
      if (files.length === 0) form.append('files', new File([], ''))
      const encoded = new Response(form)
      return app.inject({
        method: 'POST',
        url,
        headers: { 'x-reader': reader, 'content-type': encoded.headers.get('content-type')! },
        payload: Buffer.from(await encoded.arrayBuffer()),
      })
    },
    async stop() {
      await app.close()
      await test.drop()
    },
  }
}
