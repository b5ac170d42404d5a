import type { Database, Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'

/** So many batches in a night's run; the next night goes on. */
const batchesMax = 100_000

/**
 * For a job: evidence that has been kept for as long as its public body wants, and else the installation, is erased: the event and
 * what opens its leaves. The leaves stay in the log, where nobody can tell them from any other. A message's evidence goes as a whole,
 * counted from the last that happened to it. Harmless again.
 */
export async function eraseOldEvidence(db: Database, years: number, now: Date): Promise<number> {
  let erased = 0
  for (let batch = 0; batch < batchesMax; batch += 1) {
    const one = await within(db, { purpose: 'evidence' }, (sql) => eraseInOneBatch(sql, years, now))
    if (one === undefined) break
    erased += one
  }
  return erased
}

/** Undefined where no batch is left that may hold something old enough. */
async function eraseInOneBatch(sql: Db, years: number, now: Date): Promise<number | undefined> {
  const [batch] = await sql<{ size: string }[]>`
    select size from log_checkpoint
    where erase_at is distinct from 'infinity' and coalesce(erase_at, at) <= ${now}::timestamptz - case
      when erase_at is null then make_interval(years => least(${years}::integer, (select min(evidence_years) from organisation)))
      else interval '0' end
    order by coalesce(erase_at, at) limit 1 for update skip locked`
  if (batch === undefined) return undefined
  const [{ count, next } = { count: 0, next: null }] = await sql<{ count: number; next: Date | null }[]>`
    with kept as materialized (
      select seal.position, event.sender_id, last.at + make_interval(years => coalesce(
        (select organisation.evidence_years from service join organisation on organisation.party_id = service.organisation_id where service.id = event.sender_id),
        ${years}::integer
      )) as until
      from evidence_seal seal join event on event.id = seal.event_id and event.position = seal.position
      cross join lateral (
        select max(at) as at from event other where other.sender_id = event.sender_id and other.message_id = event.message_id
      ) last
      where seal.size = ${batch.size} and erased_at is null
    ),
    deleted as (
      delete from event using kept where event.sender_id = kept.sender_id and event.position = kept.position and until <= ${now}
    ),
    erased as (
      update evidence_seal set salts = null, previous_id = null, erased_at = ${now}
      from kept where evidence_seal.position = kept.position and until <= ${now}
      returning 1
    )
    select (select count(*)::int from erased) as count, (select min(until) from kept where until > ${now}) as next`
  await sql`update log_checkpoint set erase_at = coalesce(${next}::timestamptz, 'infinity') where size = ${batch.size}`
  return count
}
