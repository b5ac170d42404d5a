import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { mergeParties } from './merge-parties.ts'

/** Two records of one person, that one registrar asks another to make one of. */
export type MergeRequest = {
  id: string
  name: string
  birthDate: string | null
  fromCreatedAt: Date
  intoCreatedAt: Date
  askedById: string
  askedByName: string
  askedAt: Date
  reason: string
}

export type MergeDecision = 'merged' | 'refused' | 'withdrawn'

/** Asks for one record to be merged into another. Both must be open and of one name and birth date, and none be asked for already. */
export async function requestMerge(
  db: Db,
  actor: Actor,
  { fromPartyId, intoPartyId, reason }: { fromPartyId: string; intoPartyId: string; reason: string },
  now: Date,
): Promise<{ mergeId: string }> {
  requireRight(actor, 'registry:manage')
  const mergeId = newId()
  await within(db, { purpose: 'registry' }, async (sql) => {
    // In the order of ids, so that two requests for the same two wait for each other.
    const [first, second] = [fromPartyId, intoPartyId].sort()
    const waiting = await sql`select id from party where id in (${first!}, ${second!}) order by id for update`
    const [asked] = await sql`
      select from merge_request
      where decided_at is null and array[from_party_id, into_party_id] && array[${fromPartyId}, ${intoPartyId}]::uuid[]`
    if (waiting.length !== 2 || asked !== undefined) throw new Problem('not-found')
    const [request] = await sql`
      insert into merge_request (id, from_party_id, into_party_id, name, asked_by_id, asked_at, reason)
      select ${mergeId}, other.id, kept.id, kept.name, ${actor.by.id}, ${now}, ${reason}
      from party kept join party other
        on other.name_key = kept.name_key and other.birth_date = kept.birth_date and other.kind = 'person' and kept.kind = 'person'
      where kept.id = ${intoPartyId} and other.id = ${fromPartyId} and kept.id <> other.id
        and not exists (select from mailbox where mailbox.party_id in (kept.id, other.id) and mailbox.registration = 'closed')
      returning id`
    if (request === undefined) throw new Problem('not-found')
    const looks = [fromPartyId, intoPartyId].map((partyId) => ({ partyId, by: actor.by, what: 'record-viewed' as const, reason }))
    await noteLooks(sql, looks, now)
  })
  return { mergeId }
}

/** The requests that wait for a second registrar. */
export async function listMergeRequests(db: Db, actor: Actor): Promise<MergeRequest[]> {
  requireRight(actor, 'registry:manage')
  return readWithin<MergeRequest>(
    db,
    { purpose: 'registry' },
    db`
      select request.id, request.name, kept.birth_date::text, other.created_at as from_created_at, kept.created_at as into_created_at,
        request.asked_by_id, registrar.name as asked_by_name, request.asked_at, request.reason
      from merge_request request
      join registrar on registrar.id = request.asked_by_id
      join party kept on kept.id = request.into_party_id
      join party other on other.id = request.from_party_id
      where request.decided_at is null
      order by request.asked_at, request.id`,
  )
}

/** Does what was asked, or not. Whoever asked may withdraw it only: to merge takes another registrar. */
export async function decideMerge(
  db: Db,
  actor: Actor,
  { mergeId, decision, reason }: { mergeId: string; decision: MergeDecision; reason: string },
  now: Date,
): Promise<void> {
  requireRight(actor, 'registry:manage')
  await within(db, { purpose: 'registry' }, async (sql) => {
    const [request] = await sql<{ fromPartyId: string; intoPartyId: string; askedById: string }[]>`
      select from_party_id, into_party_id, asked_by_id from merge_request
      where id = ${mergeId} and decided_at is null for update`
    if (request === undefined) throw new Problem('not-found')
    const { fromPartyId, intoPartyId, askedById } = request
    if ((askedById === actor.by.id) !== (decision === 'withdrawn')) throw new Problem('not-found')
    await sql`
      update merge_request
      set decided_by_id = ${actor.by.id}, decided_at = ${now}, decision = ${decision}, decision_reason = ${reason}
      where id = ${mergeId}`
    if (decision !== 'merged') return
    await mergeParties(sql, { fromPartyId, intoPartyId }, now)
    const merging = `Another record of the same person was merged into this one. ${reason}`
    await noteLooks(sql, [{ partyId: intoPartyId, by: actor.by, what: 'registration-changed', reason: merging }], now)
  })
}
