import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'

export type Sender = { name: string; services: string[] }

/** Every public body that can send letters here, with its services: what everybody may know. */
export async function listSenders(db: Db): Promise<Sender[]> {
  return readWithin<Sender>(
    db,
    {},
    db`
      select party.name, services.names as services
      from organisation join party on party.id = organisation.party_id
        join lateral (
          select array_agg(service.name order by service.name) as names from service where service.organisation_id = organisation.party_id
        ) services on services.names is not null
      order by party.name`,
  )
}
