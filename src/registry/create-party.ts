import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { defaultRules, type PartyKind, type RegistrationRules, reachableFrom } from './registration.ts'

export type NewParty = {
  kind: PartyKind
  name: string
  /** Of a person, as YYYY-MM-DD. */
  birthDate?: string | undefined
}

/** A party and its mailbox, which never exist without each other. The rules say from when it can be reached, and whether without consent. */
export async function createParty(
  db: Db,
  { kind, name, birthDate }: NewParty,
  now: Date,
  rules: RegistrationRules = defaultRules,
): Promise<{ partyId: string; mailboxId: string }> {
  const [partyId, mailboxId] = [newId(), newId()]
  await db`
    with party as (
      insert into party (id, kind, name, birth_date, created_at)
      values (${partyId}, ${kind}, ${name}, ${birthDate ?? null}::text::date, ${now})
    )
    insert into mailbox (id, party_id, reachable_from, by_consent)
    values (
      ${mailboxId}, ${partyId}, coalesce(${reachableFrom(kind, rules, now) ?? null}::timestamptz, '-infinity'),
      ${rules.basis === 'consent' && kind !== 'public-body'}
    )`
  return { partyId, mailboxId }
}
