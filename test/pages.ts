import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { v7 as newId } from 'uuid'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { deriveSessionKeys, startSession } from '../src/sign-in/session.ts'
import { createTestDatabase } from './database.ts'
import { buildPost, type Post } from './post.ts'

export type Reader = 'rosa' | 'arthur' | 'staff' | 'registrar' | 'registrar-2' | 'nobody'
type Answer = LightMyRequestResponse

export type Pages = {
  app: FastifyInstance
  post: Post
  /** The cookie of a new session. */
  signIn: (reader: Reader) => Promise<{ name: string; value: string } | undefined>
  get: (reader: Reader, url: string, headers?: Record<string, string>) => Promise<Answer>
  /** Fills in a form as a browser does: with its hidden fields, as they stand in the page. */
  submit: (reader: Reader, url: string, fields: Record<string, string>, files?: File[]) => Promise<Answer>
  stop: () => Promise<void>
}

/** The program, with a small world in place of the demo's. A reader is signed in without the way through a provider. */
export async function startPages(now: { at: Date }): Promise<Pages> {
  const test = await createTestDatabase()
  const config = readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' })
  const post = await buildPost(test, config.secretKey)
  const app = await buildApp(config, test.database, () => now.at)
  await app.ready()
  const staffId = newId()
  await test.owner`
    insert into staff_member (id, organisation_id, subject, name)
    values (${staffId}, ${post.council.partyId}, 'mel', 'Mel Placeholder')`
  await test.owner`
    insert into staff_role (staff_id, service_id, role)
    select ${staffId}, ${post.serviceId}, role from unnest(${['post-reader', 'post-writer']}::text[]) as role`
  const registrarIds = [newId(), newId()] as const
  await test.owner`
    insert into registrar (id, subject, name)
    values (${registrarIds[0]}, 'registrar-1', 'Bo Dummyname'), (${registrarIds[1]}, 'registrar-2', 'Cy Dummyname')`
  const owners = {
    rosa: { partyId: post.rosa.partyId },
    arthur: { partyId: post.arthur.partyId },
    staff: { staffId },
    registrar: { registrarId: registrarIds[0] },
    'registrar-2': { registrarId: registrarIds[1] },
  }
  const sessionKeys = deriveSessionKeys(config.secretKey)

  const signIn = async (reader: Reader): Promise<{ name: string; value: string } | undefined> => {
    if (reader === 'nobody') return undefined
    const session = { owner: owners[reader], subject: reader, idToken: 'none', replaces: undefined }
    const value = await startSession(test.database, sessionKeys, session, now.at)
    const suffix = reader === 'staff' ? '-staff' : reader.startsWith('registrar') ? '-registrar' : ''
    return { name: `digital-post${suffix}`, value }
  }
  const headersFor = async (cookie: Awaited<ReturnType<typeof signIn>>): Promise<Record<string, string>> =>
    cookie ? { cookie: `${cookie.name}=${cookie.value}` } : {}

  const get: Pages['get'] = async (reader, url, headers = {}) =>
    app.inject({ method: 'GET', url, headers: { ...(await headersFor(await signIn(reader))), ...headers } })
  return {
    app,
    post,
    get,
    signIn,
    async submit(reader, url, fields, files = []) {
      const session = await headersFor(await signIn(reader))
      const page = await app.inject({ method: 'GET', url, headers: session })
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
        headers: { ...session, 'content-type': encoded.headers.get('content-type')! },
        payload: Buffer.from(await encoded.arrayBuffer()),
      })
    },
    async stop() {
      await app.close()
      await test.drop()
    },
  }
}
