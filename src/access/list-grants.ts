import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { Actor } from './actor.ts'
import {
  type Grant,
  grantColumns,
  grantHolds,
  grantLeavesAny,
  grantPassesOn,
  holderOf,
  limitsByName,
  personOf,
  type Side,
  weakerOfBoth,
} from './grant.ts'
import { requireRight } from './rights.ts'

/** Who may do what in the mailbox that is open, was offered it, or could once; the newest first. */
export async function listGiven(db: Db, actor: Actor): Promise<Grant[]> {
  requireRight(actor, 'grants:manage')
  return readWithin<Grant>(
    db,
    { party: actor.partyId },
    db`select ${grantColumns(db)} from access_grant held where ${own(db, db`held.giver_id = ${actor.partyId}`)} order by held.id desc`,
  )
}

/** One of them. Throws `not-found`. */
export async function findGiven(db: Db, actor: Actor, grantId: string): Promise<Grant> {
  requireRight(actor, 'grants:manage')
  const [grant] = await readWithin<Grant>(
    db,
    { party: actor.partyId },
    db`select ${grantColumns(db)} from access_grant held where held.id = ${grantId} and ${own(db, db`held.giver_id = ${actor.partyId}`)}`,
  )
  if (grant === undefined) throw new Problem('not-found')
  return grant
}

/**
 * Of whom the person, or the firm whose mailbox they have open, may open the mailbox, or could once; the newest first. Of what
 * is over, the last hundred.
 */
export async function listHeld(db: Db, actor: Actor, side: Side = 'person'): Promise<Grant[]> {
  const holderId = holderOf(actor, side)
  return readWithin<Grant>(
    db,
    { party: holderId },
    db`
      select ${grantColumns(db)} from access_grant held where ${own(db, db`held.holder_id = ${holderId}`)} and held.ended_at is null
      union all
      (select ${grantColumns(db)} from access_grant held where ${own(db, db`held.holder_id = ${holderId}`)} and held.ended_at is not null
       order by held.id desc limit 100)
      order by id desc`,
  )
}

/** A mailbox that a person may open through a firm, and what they may do there: by `id` and `viaGrantId` together. */
export type ClientOfFirm = Pick<
  Grant,
  'id' | 'giverName' | 'holderName' | 'kind' | 'role' | 'isAdministrator' | 'serviceNames' | 'categoryNames' | 'endsAt'
> & { viaGrantId: string }

export const clientsPageSize = 50

/** Whose mailboxes the person may open now through the firms that they work for, by name. */
export async function listClients(
  db: Db,
  actor: Actor,
  page: number,
  now: Date,
): Promise<{ clients: ClientOfFirm[]; page: number; pages: number }> {
  const personId = personOf(actor)
  const employment = db`
    select * from access_grant held
    where ${own(db, db`held.holder_id = ${personId}`)} and ${grantPassesOn(db)} and ${grantHolds(db, now)}`
  const employers = await readWithin<{ giverId: string }>(
    db,
    { party: personId },
    db`select distinct employment.giver_id from (${employment}) as employment`,
  )
  if (employers.length === 0) return { clients: [], page, pages: 1 }
  const rows = await readWithin<ClientOfFirm & { total: number }>(
    db,
    { party: personId, firms: employers.map(({ giverId }) => giverId) },
    db`
      select held.id, held.via_grant_id, held.giver_name, held.holder_name, held.kind, held.role, held.is_administrator, held.ends_at,
        ${limitsByName(db)}, count(*) over ()::int as total
      from (
        select held.id, via.id as via_grant_id, held.giver_name, held.holder_name, held.kind, ${weakerOfBoth(db)}
        from (${employment}) as via join access_grant held on held.holder_id = via.giver_id
        where ${grantHolds(db, now)}
      ) as held
      where ${grantLeavesAny(db)}
      order by held.giver_name, held.id, held.via_grant_id
      limit ${clientsPageSize} offset ${(page - 1) * clientsPageSize}`,
  )
  const pages = Math.max(1, Math.ceil((rows[0]?.total ?? 0) / clientsPageSize))
  return { clients: rows.map(({ total: _, ...client }) => client), page, pages }
}

/** By which a registrar entered a grant: for whose mailbox it is about, and for registrars. Throws `not-found`. */
export async function readGrantDocument(
  db: Db,
  actor: Actor,
  grantId: string,
): Promise<{ filename: string; mediaType: string; bytes: Buffer }> {
  const isRegistrar = actor.by.kind === 'registrar'
  requireRight(actor, isRegistrar ? 'registry:manage' : 'grants:manage')
  const [document] = await readWithin<{ filename: string; mediaType: string; bytes: Buffer }>(
    db,
    isRegistrar ? { purpose: 'registry' } : { party: actor.partyId },
    db`
      select filename, media_type, bytes from grant_document
      where grant_id = ${grantId} ${isRegistrar ? db`` : db`and ${own(db, db`party_id = ${actor.partyId}`)}`}`,
  )
  if (document === undefined) throw new Problem('not-found')
  return document
}
