import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'

export type NewParty = {
  kind: 'person' | 'business' | 'public-body'
  name: string
  /** Of a person, as YYYY-MM-DD. */
  birthDate?: string | undefined
}

/** A party and its mailbox, which never exist without each other. */
export async function createParty(
  db: Db,
  { kind, name, birthDate }: NewParty,
  now: Date,
): Promise<{ partyId: string; mailboxId: string }> {
  const [partyId, mailboxId] = [newId(), newId()]
  await db`
    with party as (
      insert into party (id, kind, name, birth_date, created_at)
      values (${partyId}, ${kind}, ${name}, ${birthDate ?? null}::text::date, ${now})
    )
    insert into mailbox (id, party_id) values (${mailboxId}, ${partyId})`
  return { partyId, mailboxId }
}
