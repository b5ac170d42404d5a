import type { Db, Fragment } from '../database/connect.ts'

/** An identifier that a service uses, by its hash. */
export type Addressed = { serviceId: string; scheme: string; hash: Buffer }
export type Recipient = { partyId: string; mailboxId: string }

/** Whose mailbox each identifier means: in the order asked, undefined where nobody is known by it. */
export async function findRecipients(db: Db, addressed: readonly Addressed[]): Promise<(Recipient | undefined)[]> {
  if (addressed.length === 0) return []
  const rows = await db<{ place: number; partyId: string; mailboxId: string }[]>`
    select asked.place::int, mailbox.party_id, mailbox.id as mailbox_id
    from unnest(
      ${addressed.map(({ serviceId }) => serviceId)}::uuid[],
      ${addressed.map(({ scheme }) => scheme)}::text[],
      ${addressed.map(({ hash }) => hash.toString('hex'))}::text[]
    ) with ordinality as asked (service_id, scheme, value_hash, place)
    join link on link.service_id = asked.service_id and link.scheme = asked.scheme and link.value_hash = decode(asked.value_hash, 'hex')
    join mailbox on mailbox.party_id = link.party_id`
  const found = new Map(rows.map((row) => [row.place, { partyId: row.partyId, mailboxId: row.mailboxId }]))
  return addressed.map((_, index) => found.get(index + 1))
}

/**
 * The same inside another statement: the mailbox that the row `submitted` is addressed to by `service_id`, `recipient_scheme`
 * and `recipient_hash` (in hexadecimal), or null. So a letter's recipient is found on the way in which it is written.
 */
export function recipientMailbox(db: Db): Fragment {
  return db`(
    select mailbox.id from link join mailbox on mailbox.party_id = link.party_id
    where link.service_id = submitted.service_id and link.scheme = submitted.recipient_scheme
      and link.value_hash = decode(submitted.recipient_hash, 'hex')
  )`
}
