import type { Actor } from '../access/actor.ts'
import type { LookKind } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { Registration } from './registration.ts'
import type { MergeDecision } from './request-merge.ts'

export type LogEntry = {
  at: Date
  registrarName: string
  what: LookKind | 'searched-by-person' | 'searched-by-business' | 'searched-by-identifier' | 'merge-asked' | MergeDecision
  /** Whose record; null of a search, and where the record is not there any more. */
  partyName: string | null
  /** How many a search showed. */
  found: number | null
  reason: string | null
  /** Of a change of registration: to what, and what was noted with it. */
  became: Registration | null
  note: string | null
}

export const logPageSize = 50

/** What all registrars looked at and did, newest first, for their supervision. That a search showed somebody stands in the search. */
export async function listRegistrarLog(
  db: Db,
  actor: Actor,
  { page }: { page: number },
): Promise<{ entries: LogEntry[]; page: number; pages: number }> {
  requireRight(actor, 'registry:manage')
  const [counted] = await readWithin<{ total: number }>(
    db,
    { purpose: 'registry' },
    db`
      select (select count(*) from look where by_kind = 'registrar' and what <> 'looked-up')::int
        + (select count(*) from record_search)::int
        + (select count(*) + count(decided_at) from merge_request)::int as total`,
  )
  const upTo = page * logPageSize
  const entries = await readWithin<LogEntry>(
    db,
    { purpose: 'registry' },
    db`
      select done.at, done.registrar_name, done.what, party.name as party_name, done.found, done.reason, changed.became, changed.note
      from (
        (select at, id, by_name as registrar_name, what, party_id, null::int as found, reason
         from look where by_kind = 'registrar' and what <> 'looked-up' order by at desc, id desc limit ${upTo})
        union all
        (select search.at, search.id, registrar.name, 'searched-by-' || search.searched_by, null, cardinality(search.party_ids), search.reason
         from record_search search join registrar on registrar.id = search.registrar_id
         order by search.at desc, search.id desc limit ${upTo})
        union all
        select request.asked_at, request.id, registrar.name, 'merge-asked', request.into_party_id, null, request.reason
        from merge_request request join registrar on registrar.id = request.asked_by_id
        union all
        select request.decided_at, request.id, registrar.name, request.decision, request.into_party_id, null, request.decision_reason
        from merge_request request join registrar on registrar.id = request.decided_by_id
      ) as done
      left join party on party.id = done.party_id
      left join registration_change changed
        on done.what = 'registration-changed' and changed.party_id = done.party_id and changed.at = done.at and changed.by_kind = 'registrar'
      order by done.at desc, done.id desc
      limit ${logPageSize} offset ${upTo - logPageSize}`,
  )
  return { entries, page, pages: Math.max(1, Math.ceil(counted!.total / logPageSize)) }
}
