import type { Db, Fragment } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'

/** An identifier that a service uses, by its hash. */
export type Addressed = {
  serviceId: string
  /** The service’s own id, or that of the installation’s schemes (`namespaceOf`), which only some services may use. */
  namespace: string
  scheme: string
  hash: Buffer
}
export type Recipient = { partyId: string; mailboxId: string }

/**
 * Rows `asked` with the columns service_id, namespace, recipient_scheme and recipient_hash, and their place. The hash is made of
 * its hexadecimal here and not beside the table: row-level security keeps what calls a function out of an index.
 */
function asRows(db: Db, addressed: readonly (Addressed | undefined)[]): Fragment {
  return db`(
    select service_id, namespace, recipient_scheme, decode(hash, 'hex') as recipient_hash, place::int
    from unnest(
      ${addressed.map((one) => one?.serviceId ?? null)}::uuid[],
      ${addressed.map((one) => one?.namespace ?? null)}::uuid[],
      ${addressed.map((one) => one?.scheme ?? null)}::text[],
      ${addressed.map((one) => one?.hash.toString('hex') ?? null)}::text[]
    ) with ordinality as given (service_id, namespace, recipient_scheme, hash, place)
    offset 0
  ) as asked`
}

/** The link that a row `asked` means, if its service may use the scheme. `onlyOwn`: they are all of services' own schemes. */
function isMeant(db: Db, onlyOwn = false): Fragment {
  const mayUse = db`(asked.namespace = asked.service_id or exists (
    select from service_scheme where service_scheme.service_id = asked.service_id and service_scheme.scheme = asked.recipient_scheme
  ))`
  return db`
    link.service_id = asked.namespace and link.scheme = asked.recipient_scheme and link.value_hash = asked.recipient_hash
    and ${onlyOwn ? db`asked.namespace = asked.service_id` : mayUse}`
}

/** Whose mailbox each identifier means: in the order asked, undefined where nobody is known by it. */
export async function findRecipients(db: Db, addressed: readonly Addressed[]): Promise<(Recipient | undefined)[]> {
  if (addressed.length === 0) return []
  const rows = await readWithin<{ place: number; partyId: string; mailboxId: string }>(
    db,
    { purpose: 'delivery' },
    db`
      select asked.place, mailbox.party_id, mailbox.id as mailbox_id
      from ${asRows(db, addressed)} join link on ${isMeant(db)} join mailbox on mailbox.party_id = link.party_id`,
  )
  const found = new Map(rows.map((row) => [row.place, { partyId: row.partyId, mailboxId: row.mailboxId }]))
  return addressed.map((_, index) => found.get(index + 1))
}

/**
 * The same inside another statement, of a row `asked` with service_id, namespace, recipient_scheme and recipient_hash: the
 * party, or null. So a letter's recipient is found on the way in which it is written. What a statement need not ask is left out of it:
 * each look-up that it might make costs it time, made or not.
 */
export function recipientParty(db: Db, onlyOwn: boolean): Fragment {
  return db`(select link.party_id from link where ${isMeant(db, onlyOwn)})`
}

/**
 * Of a row of mailbox beside a row `addressed` that has `at` and `category`: whether it may receive it. Registered, not in the
 * first days of a new business, and where it was opened by consent, with consent to this category. `onlyGeneral`: no row has another.
 */
export function mayReceive(db: Db, onlyGeneral: boolean): Fragment {
  return db`
    mailbox.registration = 'registered' and mailbox.reachable_from <= addressed.at
    ${onlyGeneral ? db`` : db`and exists (select from category as known where known.slug = addressed.category)`}
    -- A value and not "exists", which PostgreSQL would answer by reading all consents into a table of its own.
    and (not mailbox.by_consent or (
      select true from consent
      where consent.party_id = mailbox.party_id and consent.category = addressed.category and withdrawn_at is null limit 1
    ))`
}

export type Refused =
  | 'recipient-not-found'
  | 'recipient-exempt'
  | 'recipient-closed'
  | 'recipient-not-yet'
  | 'category-not-found'
  | 'consent-missing'

/** Why nothing was delivered, after `mayReceive` has said no: by identifier, or by party where that is known. In order. */
export async function findRefusals(
  db: Db,
  refused: readonly { addressed: Addressed | undefined; partyId: string | undefined; category: string }[],
  now: Date,
): Promise<Refused[]> {
  if (refused.length === 0) return []
  const rows = await readWithin<{ place: number; because: Refused }>(
    db,
    { purpose: 'delivery' },
    db`
      select asked.place,
        case when mailbox.registration = 'closed' then 'recipient-closed'
          when mailbox.registration = 'exempt' then 'recipient-exempt'
          when mailbox.reachable_from > ${now} then 'recipient-not-yet'
          when not exists (select from category where slug = about.category) then 'category-not-found'
          else 'consent-missing' end as because
      from ${asRows(
        db,
        refused.map(({ addressed }) => addressed),
      )}
      join unnest(
        ${refused.map(({ partyId }) => partyId ?? null)}::uuid[],
        ${refused.map(({ category }) => category)}::text[]
      ) with ordinality as about (party_id, category, place) on about.place = asked.place
      left join link on ${isMeant(db)}
      cross join lateral (select coalesce(about.party_id, link.party_id) as party_id offset 0) as meant
      join mailbox on mailbox.party_id = meant.party_id`,
  )
  const found = new Map(rows.map(({ place, because }) => [place, because]))
  return refused.map((_, index) => found.get(index + 1) ?? 'recipient-not-found')
}
