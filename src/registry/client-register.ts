import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import { type ClientChange, noteClientChange, operator } from './client-change.ts'
import { type PublicKey, readPublicKey, thumbprintOf } from './client-key.ts'
import type { DeclaredOrganisation } from './declaration.ts'

type DeclaredClient = NonNullable<DeclaredOrganisation['clients']>[number]
type Wanted = { organisationId: string; client: DeclaredClient; serviceIds: string[] }

/**
 * Brings the systems of a public body to what its declaration says. Whoever runs the declaration is the operator: nobody has
 * to approve. A system that staff have switched off stays off, a key that they have removed is not taken again, and one that
 * they have added stays.
 */
export async function bringClients(
  sql: Db,
  organisationId: string,
  { clients = [] }: DeclaredOrganisation,
  serviceIds: ReadonlyMap<string, string>,
  at: string,
  problems: FieldProblem[],
  now: Date,
): Promise<void> {
  for (const [index, client] of clients.entries()) {
    const wanted = { organisationId, client, serviceIds: client.services.map((slug) => serviceIds.get(slug)!) }
    const [known] = await sql<{ organisationId: string }[]>`select organisation_id from client where id = ${client.id}`
    if (known !== undefined && known.organisationId !== organisationId) {
      problems.push({ field: `${at}/clients/${index}/id`, message: 'belongs to another organisation' })
      continue
    }
    await (known === undefined ? addClient(sql, wanted, now) : changeClient(sql, wanted, now))
    await bringKeys(sql, wanted, now)
  }
}

async function addClient(sql: Db, wanted: Wanted, now: Date): Promise<void> {
  const { organisationId, serviceIds, client } = wanted
  await sql`
    insert into client (id, organisation_id, name, service_ids, scopes, demo_secret, registered_at)
    values (${client.id}, ${organisationId}, ${client.name}, ${serviceIds}::uuid[], ${client.scopes}::text[],
            ${client.demoSecret ?? null}, ${now})`
  await noteClientChange(sql, changeOf(wanted, 'registered'), now)
}

async function changeClient(sql: Db, wanted: Wanted, now: Date): Promise<void> {
  const { serviceIds, client } = wanted
  const { count } = await sql`
    update client set name = ${client.name}, service_ids = ${serviceIds}::uuid[], scopes = ${client.scopes}::text[],
      demo_secret = ${client.demoSecret ?? null}, version = version + 1, changed_at = ${now}
    where id = ${client.id} and (name, service_ids, scopes, demo_secret)
      is distinct from (${client.name}, ${serviceIds}::uuid[], ${client.scopes}::text[], ${client.demoSecret ?? null}::text)`
  if (count > 0) await noteClientChange(sql, changeOf(wanted, 'changed'), now)
}

/** The operator's own keys become those that are declared. */
async function bringKeys(sql: Db, wanted: Wanted, now: Date): Promise<void> {
  const { organisationId, client } = wanted
  const thumbprints: string[] = []
  for (const jwk of client.jwks?.keys ?? []) {
    const key = readPublicKey(jwk) as PublicKey
    const thumbprint = await thumbprintOf(key)
    thumbprints.push(thumbprint)
    const { count } = await sql`
      insert into client_key (client_id, thumbprint, organisation_id, jwk, added_at, added_by_name)
      values (${client.id}, ${thumbprint}, ${organisationId}, ${sql.json(key)}, ${now}, ${operator.name})
      on conflict do nothing`
    if (count > 0) await noteClientChange(sql, changeOf(wanted, 'key-added', thumbprint), now)
  }
  const removed = await sql<{ thumbprint: string }[]>`
    delete from client_key
    where client_id = ${client.id} and added_by_id is null and removed_at is null and thumbprint <> all (${thumbprints}::text[])
    returning thumbprint`
  if (removed.length === 0) return
  await sql`update client set version = version + 1, changed_at = ${now} where id = ${client.id}`
  for (const { thumbprint } of removed) await noteClientChange(sql, changeOf(wanted, 'key-removed', thumbprint), now)
}

function changeOf({ organisationId, serviceIds, client }: Wanted, what: ClientChange['what'], key?: string): ClientChange {
  return { organisationId, clientId: client.id, clientName: client.name, serviceIds, what, key, by: operator }
}
