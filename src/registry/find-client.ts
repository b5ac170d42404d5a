import type { Db } from '../database/connect.ts'

/** A public body's system. `services` are those that it acts for: slug to id. */
export type Client = {
  id: string
  partyId: string
  mailboxId: string
  scopes: string[]
  services: Record<string, string>
  jwks: { keys: Record<string, unknown>[] } | null
  demoSecret: string | null
}

export async function findClient(db: Db, id: string): Promise<Client | undefined> {
  const [client] = await db<Client[]>`
    select client.id, client.organisation_id as party_id, mailbox.id as mailbox_id, client.scopes, client.jwks, client.demo_secret,
           (select coalesce(jsonb_object_agg(service.slug, service.id), '{}') from service
            where service.id = any(client.service_ids) and service.organisation_id = client.organisation_id) as services
    from client join mailbox on mailbox.party_id = client.organisation_id
    where client.id = ${id}`
  return client
}
