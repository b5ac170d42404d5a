import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import type { Actor } from './actor.ts'
import { actorByGrant, type HeldGrant } from './actor-by-grant.ts'
import { grantHolds, grantOpens, grantPassesOn, personOf, weakerOfBoth } from './grant.ts'
import { rightsOf } from './rights.ts'

/** A mailbox of which a person may read post, and the person in it. `grantId`: by which it is opened; none for their own. */
export type ReadableMailbox = {
  actor: Actor
  ownerName: string
  grantId: string | undefined
  viaGrantId: string | undefined
  firmName: string | undefined
}

type Row = HeldGrant & { ownerName: string; personName: string }

/**
 * The person's own mailbox, and those of others that they may read now, directly or through a firm, by name: so many at most.
 * Whoever's is open just now makes no difference.
 */
export async function listMailboxes(
  db: Db,
  actor: Actor,
  limit: number,
  now: Date,
): Promise<{ mailboxes: ReadableMailbox[]; hasMore: boolean }> {
  const personId = personOf(actor)
  const mine = own(db, db`held.holder_id = ${personId}`)
  const columns = db`held.giver_id as owner_id, held.giver_name as owner_name, held.kind`
  const rows = await readWithin<Row>(
    db,
    { purpose: 'granting', party: personId },
    db`
    select held.*, owner_mailbox.id as owner_mailbox_id
    from (
      select held.id as grant_id, null::uuid as via_grant_id, null::text as firm_name, ${columns}, held.giver_id,
        held.role, held.is_administrator, held.service_ids, held.categories
      from access_grant held where ${mine} and ${grantHolds(db, now)}
      union all
      select held.id, via.id, held.holder_name, ${columns}, held.giver_id, weaker.role, weaker.is_administrator, weaker.service_ids, weaker.categories
      from (select * from access_grant held where ${mine} and ${grantPassesOn(db)} and ${grantHolds(db, now)}) as via
        join access_grant held on held.holder_id = via.giver_id
        cross join lateral (select ${weakerOfBoth(db)}) as weaker
      where ${grantHolds(db, now)}
    ) as held
    cross join lateral (select * from mailbox where mailbox.party_id = held.giver_id offset 0) as owner_mailbox
    where held.role <> 'none' and ${grantOpens(db)}
    order by held.owner_name, held.grant_id, held.via_grant_id limit ${limit}`,
  )
  const [self] = await readWithin<{ name: string; mailboxId: string }>(
    db,
    { party: personId },
    db`select party.name, mailbox.id as mailbox_id from party join mailbox on mailbox.party_id = party.id where party.id = ${personId}`,
  )
  const person = { id: personId, name: self!.name }
  const itself: Actor = {
    ...actor,
    partyId: personId,
    mailboxId: self!.mailboxId,
    rights: rightsOf('owner'),
    categories: undefined,
    by: { kind: 'owner', ...person },
  }
  const mailboxes = [
    { actor: itself, ownerName: person.name, grantId: undefined, viaGrantId: undefined, firmName: undefined },
    ...rows.map((row) => ({
      actor: { ...actorByGrant(person, row, actor.requestId), identifiedAt: actor.identifiedAt },
      ownerName: row.ownerName,
      grantId: row.grantId,
      viaGrantId: row.viaGrantId ?? undefined,
      firmName: row.firmName ?? undefined,
    })),
  ]
  return { mailboxes: mailboxes.slice(0, limit), hasMore: mailboxes.length > limit }
}
