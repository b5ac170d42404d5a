import { randomBytes } from 'node:crypto'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { Problem } from '../problems.ts'
import type { Approval, Effect } from './approval.ts'
import type { NewSystem, NewSystemKey } from './client-ask.ts'
import { type ClientChange, noteClientChange } from './client-change.ts'
import type { PublicKey } from './client-key.ts'

/** Registers the system that was approved, under an id that is new in the installation. */
export const addSystem: Effect = async (sql, approval, approvedBy, now) => {
  const { organisationId, serviceIds } = approval
  const { name, scopes, key, thumbprint } = approval.what as NewSystem
  const [organisation] = await sql<{ slug: string }[]>`select slug from organisation where party_id = ${organisationId}`
  const clientId = `${organisation!.slug}-${randomBytes(4).toString('hex')}`
  await sql`
    insert into client (id, organisation_id, name, service_ids, scopes, registered_at)
    values (${clientId}, ${organisationId}, ${name}, ${serviceIds}::uuid[], ${scopes}::text[], ${now})`
  await writeKey(sql, approval, { clientId, key, thumbprint }, approvedBy.name, now)
  await noteClientChange(sql, changeOf(approval, 'registered', { clientId, clientName: name, thumbprint }, approvedBy.name), now)
}

/** Adds the key that was approved; one that was removed before is taken again. */
export const addKey: Effect = async (sql, approval, approvedBy, now) => {
  const { clientId, key, thumbprint } = approval.what as NewSystemKey
  // What it acts for may have grown since it was asked: then both had no say over all of it.
  const [client] = await sql<{ name: string }[]>`
    select name from client
    where id = ${clientId} and ${own(sql, sql`organisation_id = ${approval.organisationId}`)}
      and service_ids <@ ${approval.serviceIds}::uuid[]`
  if (client === undefined) throw new Problem('not-found')
  await writeKey(sql, approval, { clientId, key, thumbprint }, approvedBy.name, now)
  await noteClientChange(
    sql,
    changeOf(approval, 'key-added', { clientId, clientName: client.name, thumbprint }, approvedBy.name),
    now,
  )
}

async function writeKey(
  sql: Db,
  { organisationId, askedBy }: Approval,
  { clientId, key, thumbprint }: { clientId: string; key: PublicKey; thumbprint: string },
  approvedByName: string,
  now: Date,
): Promise<void> {
  await sql`
    insert into client_key (client_id, thumbprint, organisation_id, jwk, added_at, added_by_id, added_by_name, approved_by_name)
    values (${clientId}, ${thumbprint}, ${organisationId}, ${sql.json(key)}, ${now}, ${askedBy.id}, ${askedBy.name}, ${approvedByName})
    on conflict (client_id, thumbprint) do update set jwk = excluded.jwk, added_at = excluded.added_at, added_by_id = excluded.added_by_id,
      added_by_name = excluded.added_by_name, approved_by_name = excluded.approved_by_name, ends_at = null, removed_at = null`
}

function changeOf(
  { organisationId, serviceIds, askedBy }: Approval,
  what: ClientChange['what'],
  { clientId, clientName, thumbprint }: { clientId: string; clientName: string; thumbprint: string },
  approvedByName: string,
): ClientChange {
  return { organisationId, clientId, clientName, serviceIds, what, key: thumbprint, by: askedBy, approvedByName }
}
