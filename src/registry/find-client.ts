import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import type { PublicKey } from './client-key.ts'

/** A public body's system. `services` are those that it acts for: slug to id. */
export type Client = {
  id: string
  partyId: string
  mailboxId: string
  scopes: string[]
  services: Record<string, string>
  /** Those that are taken now. */
  keys: PublicKey[]
  demoSecret: string | null
  /** Of what a token must not outlive: see registry/client-watch.ts. */
  version: number
  lastUsedAt: Date | null
}

/** For the token endpoint: undefined also where it is switched off. */
export async function findClient(db: Db, id: string, now: Date): Promise<Client | undefined> {
  const [client] = await readWithin<Client>(
    db,
    { purpose: 'sign-in' },
    db`
    select client.id, client.organisation_id as party_id, mailbox.id as mailbox_id, client.scopes, client.demo_secret, client.version,
           client.last_used_at,
           (select coalesce(jsonb_agg(jwk order by added_at), '[]') from client_key
            where client_key.client_id = client.id and removed_at is null and (ends_at is null or ends_at > ${now})) as keys,
           (select coalesce(jsonb_object_agg(service.slug, service.id), '{}') from service
            where service.id = any(client.service_ids) and service.organisation_id = client.organisation_id) as services
    from client join mailbox on mailbox.party_id = client.organisation_id
    where client.id = ${id} and client.is_active`,
  )
  return client
}

const usesNotedEveryMs = 60_000

/** Notes that a system has got a token, at most once a minute. */
export async function noteClientUse(db: Db, { id, lastUsedAt }: Client, now: Date): Promise<void> {
  const before = new Date(now.getTime() - usesNotedEveryMs)
  if (lastUsedAt !== null && lastUsedAt > before) return
  await within(
    db,
    { purpose: 'sign-in' },
    (sql) =>
      sql`update client set last_used_at = ${now} where id = ${id} and (last_used_at is null or last_used_at <= ${before})`,
  )
}
