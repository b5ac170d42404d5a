import type { LightMyRequestResponse } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf, type StaffRole, unite } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import { deriveSessionKeys, startSession } from '../src/sign-in/session.ts'
import type { Pages } from './pages.ts'
import type { Post } from './post.ts'

export type Roles = readonly { serviceId: string; role: StaffRole }[]

/** A member of the council's staff with these roles. */
export async function addClerk(post: Post, name: string, roles: Roles): Promise<Actor> {
  const id = newId()
  await post.owner`
    insert into staff_member (id, organisation_id, subject, name) values (${id}, ${post.council.partyId}, ${`subject-${id}`}, ${name})`
  for (const { serviceId, role } of roles) {
    await post.owner`insert into staff_role (staff_id, service_id, role) values (${id}, ${serviceId}, ${role})`
  }
  return actAs(post, { id, name }, roles)
}

/** Who they are for a verb, with the rights that these roles give. */
export function actAs({ council }: Post, { id, name }: { id: string; name: string }, roles: Roles): Actor {
  return {
    ...council,
    rights: unite(...roles.map(({ serviceId, role }) => rightsOf(role, [serviceId]))),
    by: { kind: 'staff', id, name },
    door: 'department-pages',
  }
}

type Answer = LightMyRequestResponse
export type Clerk = {
  get: (url: string) => Promise<Answer>
  /** Fills in the form of a page, with its hidden fields, and sends it to where the form says. */
  post: (page: string, fields: Record<string, string | string[]>, to?: string) => Promise<Answer>
}

/** A member of staff in one browser. */
export async function signInClerk({ app, post }: Pages, actor: Actor, now: Date): Promise<Clerk> {
  const keys = deriveSessionKeys(readConfig({ DEMO: 'true' }).secretKey)
  const session = { owner: { staffId: actor.by.id }, subject: actor.by.id, idToken: 'none', replaces: undefined }
  const headers = { cookie: `digital-post-staff=${await startSession(post.db, keys, session, now)}` }
  const get = (url: string) => app.inject({ url, headers })
  return {
    get,
    async post(page, fields, to = page) {
      const { body } = await get(page)
      const form = body.slice(body.indexOf(to === page ? '<main' : `action="${to}"`))
      const hidden = /<input type="hidden" name="([^"]+)" value="([^"]*)"/g
      // Of any form of the page first, so that a form that is not there can be forged.
      const found = [body, form.slice(0, form.indexOf('</form>'))].flatMap((html) => [...html.matchAll(hidden)])
      const all = new Map<string, string | string[]>(found.map(([, name, value]) => [name!, value!]))
      for (const [name, value] of Object.entries(fields)) all.set(name, value)
      const payload = new URLSearchParams(
        [...all].flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
      )
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return app.inject({ method: 'POST', url: to, headers: { ...headers, ...type }, payload: payload.toString() })
    },
  }
}
