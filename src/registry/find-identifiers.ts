import type { Db } from '../database/connect.ts'
import { type Identifier, type IdentifierKeys, openIdentifier } from './identifier.ts'

/** By what the services know these parties: for each pair asked, in order, the oldest link, or undefined. */
export async function findIdentifiers(
  db: Db,
  keys: IdentifierKeys,
  pairs: readonly { serviceId: string; partyId: string }[],
): Promise<(Identifier | undefined)[]> {
  if (pairs.length === 0) return []
  const rows = await db<{ place: number; scheme: string; valueSealed: Buffer }[]>`
    select distinct on (asked.place) asked.place::int, link.scheme, link.value_sealed
    from unnest(${pairs.map(({ serviceId }) => serviceId)}::uuid[], ${pairs.map(({ partyId }) => partyId)}::uuid[])
      with ordinality as asked (service_id, party_id, place)
    join link using (service_id, party_id)
    order by asked.place, link.linked_at`
  const found = new Map(rows.map((row) => [row.place, row]))
  return pairs.map(({ serviceId }, index) => {
    const row = found.get(index + 1)
    return row && { scheme: row.scheme, value: openIdentifier(keys, serviceId, row.valueSealed) }
  })
}
