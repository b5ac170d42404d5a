import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { holdsForAll } from './approval.ts'

export type SystemKey = {
  thumbprint: string
  kid: string | null
  kind: string
  addedAt: Date
  addedByName: string
  approvedByName: string | null
  endsAt: Date | null
}

/** A public body's system, as its staff see it. */
export type System = {
  id: string
  name: string
  serviceIds: string[]
  scopes: string[]
  isActive: boolean
  registeredAt: Date
  lastUsedAt: Date | null
  /** A demo's, which may prove itself by a secret that everybody knows. */
  hasDemoSecret: boolean
  keys: SystemKey[]
  /** It acts for no service but those whose systems the actor manages. */
  mayChange: boolean
}

type Row = Omit<System, 'keys' | 'mayChange'> & {
  keys: (Omit<SystemKey, 'addedAt' | 'endsAt'> & { addedAt: string; endsAt: string | null })[]
}

/** Systems of the actor's public body that act for a service whose systems the actor manages; one of them where it is named. */
export async function listClients(db: Db, actor: Actor, now: Date, only?: string): Promise<System[]> {
  requireRight(actor, 'systems:manage')
  const mine = servicesFor(actor, 'systems:manage')
  const rows = await readWithin<Row>(
    db,
    { ...scopeOf(actor), ownServices: mine ?? [] },
    db`
    select client.id, client.name, client.service_ids, client.scopes, client.is_active, client.registered_at, client.last_used_at,
      client.demo_secret is not null as has_demo_secret,
      (select coalesce(jsonb_agg(jsonb_build_object(
          'thumbprint', thumbprint, 'kid', jwk ->> 'kid', 'kind', concat_ws(' ', jwk ->> 'kty', jwk ->> 'crv'), 'addedAt', added_at,
          'addedByName', added_by_name, 'approvedByName', approved_by_name, 'endsAt', ends_at) order by added_at, thumbprint), '[]')
       from client_key
       where client_key.client_id = client.id and removed_at is null and (ends_at is null or ends_at > ${now})) as keys
    from client
    where ${own(db, db`client.organisation_id = ${actor.partyId} ${mine ? db`and client.service_ids && ${mine as string[]}::uuid[]` : db``}`)}
      ${only === undefined ? db`` : db`and client.id = ${only}`}
    order by client.name, client.id`,
  )
  return rows.map((row) => ({
    ...row,
    keys: row.keys.map((key) => ({
      ...key,
      addedAt: new Date(key.addedAt),
      endsAt: key.endsAt === null ? null : new Date(key.endsAt),
    })),
    mayChange: holdsForAll(actor, 'systems:manage', row.serviceIds),
  }))
}

/** Throws `not-found`. */
export async function findSystem(db: Db, actor: Actor, clientId: string, now: Date): Promise<System> {
  const [system] = await listClients(db, actor, now, clientId)
  if (system === undefined) throw new Problem('not-found')
  return system
}

/** One that the actor may change. Throws `not-found`. */
export async function findSystemToChange(db: Db, actor: Actor, clientId: string, now: Date): Promise<System> {
  const system = await findSystem(db, actor, clientId, now)
  if (!system.mayChange) throw new Problem('not-found')
  return system
}
