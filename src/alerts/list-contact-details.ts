import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { unseal } from '../seal.ts'
import type { ContactDetail, ContactKeys, ContactKind, Language } from './contact-detail.ts'

type Row = {
  partyId: string
  id: string
  kind: ContactKind
  valueSealed: Buffer
  createdAt: Date
  verifiedAt: Date | null
  reconfirmedAt: Date | null
}

const toDetail = ({ seal: key }: ContactKeys, row: Row): ContactDetail => ({
  id: row.id,
  kind: row.kind,
  value: unseal(key, row.id, row.valueSealed),
  createdAt: row.createdAt,
  verifiedAt: row.verifiedAt ?? undefined,
  reconfirmedAt: row.reconfirmedAt ?? undefined,
})

/** Somebody's own, e-mail addresses first, the oldest first. */
export async function listContactDetails(db: Db, keys: ContactKeys, partyId: string): Promise<ContactDetail[]> {
  const rows = await readWithin<Row>(
    db,
    { party: partyId },
    db`
      select party_id, id, kind, value_sealed, created_at, verified_at, reconfirmed_at from contact_detail
      where ${own(db, db`party_id = ${partyId}`)} order by kind, created_at, id`,
  )
  return rows.map((row) => toDetail(keys, row))
}

export type Reachable = {
  partyId: string
  /** In which they want to be written to; undefined where they have not said. */
  language: Language | undefined
  /** The verified ones only. */
  details: ContactDetail[]
}

/** For alerts: how each of these parties can be told that there is post. Of whom nothing is known there is an empty list. */
export async function contactDetailsFor(db: Db, keys: ContactKeys, partyIds: readonly string[]): Promise<Reachable[]> {
  const rows = await readWithin<Row & { language: Language | null }>(
    db,
    { purpose: 'alerts' },
    db`
      select asked.party_id, detail.id, kind, value_sealed, detail.created_at, verified_at, reconfirmed_at, language
      from unnest(${partyIds as string[]}::uuid[]) with ordinality as asked (party_id, place)
        left join preference on preference.party_id = asked.party_id
        left join contact_detail detail on detail.party_id = asked.party_id and detail.verified_at is not null
      order by place, kind, detail.created_at, detail.id`,
  )
  const byParty = Map.groupBy(rows, ({ partyId }) => partyId)
  return [...byParty].map(([partyId, found]) => ({
    partyId,
    language: found[0]!.language ?? undefined,
    details: found.filter(({ id }) => id !== null).map((row) => toDetail(keys, row)),
  }))
}
