import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import type { Actor } from './actor.ts'
import { grantHolds } from './grant.ts'
import { requireRight } from './rights.ts'

/** Somebody whom a grant binds to the party whose mailbox is open: they let it in, or it lets them in. */
export type Correspondent = {
  partyId: string
  /** One of the grants that bind the two: for a page, which names no party. */
  grantId: string
  name: string
  isHelper: boolean
}

/** To whom a letter may be handed on because they know each other here, by name. Who may not manage grants is shown none of them. */
export async function listCorrespondents(db: Db, actor: Actor, now: Date): Promise<Correspondent[]> {
  requireRight(actor, 'messages:write')
  if (!actor.rights.has('grants:manage')) return []
  const party = actor.partyId
  return readWithin<Correspondent>(
    db,
    { party },
    db`
      select party_id, min(grant_id::text) as grant_id, name, bool_or(is_helper) as is_helper from (
        select held.holder_id as party_id, held.id as grant_id, held.holder_name as name, true as is_helper
        from access_grant held where ${own(db, db`held.giver_id = ${party}`)} and ${grantHolds(db, now)}
        union all
        select held.giver_id, held.id, held.giver_name, false
        from access_grant held where ${own(db, db`held.holder_id = ${party}`)} and ${grantHolds(db, now)}
      ) as bound
      group by party_id, name order by name, party_id`,
  )
}
