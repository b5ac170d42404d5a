import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { clientChannel } from './client-watch.ts'

export type ClientChange = {
  organisationId: string
  clientId: string
  clientName: string
  serviceIds: readonly string[]
  what: 'registered' | 'changed' | 'switched-off' | 'switched-on' | 'key-added' | 'key-ended' | 'key-removed'
  /** Of which key, by its thumbprint. */
  key?: string | undefined
  /** A member of staff; the operator of the installation has no id. */
  by: { id: string | null; name: string }
  approvedByName?: string | undefined
}

/** The operator, who registers public bodies by a declaration. */
export const operator = { id: null, name: 'The operator' } as const

/** Notes a change for the log, in the transaction that makes it; every process hears of it when that is committed. */
export async function noteClientChange(sql: Db, change: ClientChange, now: Date): Promise<void> {
  const { organisationId, clientId, clientName, serviceIds, what, key, by, approvedByName } = change
  await sql`
    insert into client_change (organisation_id, id, at, what, client_id, client_name, key, service_ids, by_id, by_name, approved_by_name)
    values (${organisationId}, ${newId()}, ${now}, ${what}, ${clientId}, ${clientName}, ${key ?? null},
            ${serviceIds as string[]}::uuid[], ${by.id}, ${by.name}, ${approvedByName ?? null})`
  await sql`select pg_notify(${clientChannel}, '')`
}
