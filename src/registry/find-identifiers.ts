import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type Identifier, type IdentifierKeys, openIdentifier } from './identifier.ts'
import { installationNamespace } from './scheme.ts'

/** By what the services know these parties: for each pair asked, in order, the oldest link, or undefined. */
export async function findIdentifiers(
  db: Db,
  keys: IdentifierKeys,
  pairs: readonly { serviceId: string; partyId: string }[],
): Promise<(Identifier | undefined)[]> {
  if (pairs.length === 0) return []
  const rows = await readWithin<{ place: number; scheme: string; valueSealed: Buffer }>(
    db,
    { ownServices: [...new Set(pairs.map(({ serviceId }) => serviceId))] },
    db`
    select distinct on (asked.place) asked.place::int, link.scheme, link.value_sealed
    from unnest(${pairs.map(({ serviceId }) => serviceId)}::uuid[], ${pairs.map(({ partyId }) => partyId)}::uuid[])
      with ordinality as asked (service_id, party_id, place)
    join link on link.party_id = asked.party_id and (
      link.service_id = asked.service_id
      -- Of the whole installation: only what the service has known before.
      or (link.service_id = ${installationNamespace} and exists (
        select from known_identifier known
        join service_scheme allowed on allowed.service_id = known.service_id and allowed.scheme = known.scheme
        where known.service_id = asked.service_id and known.scheme = link.scheme and known.value_hash = link.value_hash
      ))
    )
    order by asked.place, link.linked_at`,
  )
  const found = new Map(rows.map((row) => [row.place, row]))
  return pairs.map(({ serviceId }, index) => {
    const row = found.get(index + 1)
    return row && { scheme: row.scheme, value: openIdentifier(keys, serviceId, row.valueSealed, row.scheme) }
  })
}
