import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { type DayCount, type Days, daysOf, type LateLetter, lateLettersMax, type Reconciliation } from './reconciliation.ts'

/**
 * What became of each day's letters of the actor's services: every one that was accepted is available, failed, taken back or pending, and of no
 * two of these. What is pending for longer than it may is named.
 */
export async function reconcile(db: Db, actor: Actor, days: Days, pendingMinutes: number, now: Date): Promise<Reconciliation> {
  requireRight(actor, 'messages:read')
  const serviceIds = [...(servicesFor(actor, 'messages:read') ?? [])]
  const scope = scopeOfSent(actor)
  // One after another, so that what became pending in between is not counted and left unnamed.
  const counted = await readWithin<DayCount>(db, scope, countLetters(db, serviceIds, days))
  const rejected = await readWithin<{ serviceId: string; day: string; rejected: number }>(
    db,
    scope,
    countRejections(db, serviceIds, days),
  )
  const late = await readWithin<LateLetter>(
    db,
    scope,
    findLate(db, serviceIds, days, new Date(now.getTime() - pendingMinutes * 60_000)),
  )
  const keyOf = ({ serviceId, day }: { serviceId: string; day: string }) => `${serviceId} ${day}`
  const counts = new Map(counted.map((row) => [keyOf(row), row]))
  const rejections = new Map(rejected.map((row) => [keyOf(row), row.rejected]))
  return {
    days: serviceIds.flatMap((serviceId) =>
      daysOf(days).map((day) => ({
        ...(counts.get(keyOf({ serviceId, day })) ?? {
          serviceId,
          day,
          accepted: 0,
          available: 0,
          failed: 0,
          recalled: 0,
          pending: 0,
        }),
        rejected: rejections.get(keyOf({ serviceId, day })) ?? 0,
      })),
    ),
    late: late.slice(0, lateLettersMax),
    isLateCut: late.length > lateLettersMax,
  }
}

const startOf = (db: Db, day: string, daysLater = 0) =>
  db`((${day}::date + ${daysLater}::integer)::timestamp at time zone 'Europe/London')`

/**
 * An id begins with the milliseconds at which its letter was accepted (UUID version 7), so that the index that finds a message
 * by its id finds a day's as well: no letter pays for an index by time.
 */
function within(db: Db, serviceIds: readonly string[], { from, to }: Days) {
  const firstId = (moment: ReturnType<typeof startOf>) =>
    db`(lpad(to_hex((extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`
  return db`
    ${own(db, db`sender_id = any(${serviceIds as string[]}::uuid[])`)}
    and message_id >= ${firstId(startOf(db, from))} and message_id < ${firstId(startOf(db, to, 1))}`
}

function countLetters(db: Db, serviceIds: readonly string[], days: Days) {
  return db`
    select sender_id as service_id, (accepted_at at time zone 'Europe/London')::date::text as day,
           count(*)::int as accepted,
           (count(*) filter (where available_at is not null))::int as available,
           (count(*) filter (where available_at is null and failed_at is not null))::int as failed,
           (count(*) filter (where available_at is null and recalled_at is not null))::int as recalled,
           (count(*) filter (where available_at is null and failed_at is null and recalled_at is null))::int as pending
    from ledger
    where ${within(db, serviceIds, days)}
    group by 1, 2`
}

function countRejections(db: Db, serviceIds: readonly string[], { from, to }: Days) {
  return db`
    select sender_id as service_id, (at at time zone 'Europe/London')::date::text as day, count(*)::int as rejected
    from event
    where ${own(db, db`sender_id = any(${serviceIds as string[]}::uuid[])`)} and type = 'message.rejected'
      and at >= ${startOf(db, from)} and at < ${startOf(db, to, 1)}
    group by 1, 2`
}

function findLate(db: Db, serviceIds: readonly string[], days: Days, before: Date) {
  return db`
    select sender_id as service_id, reference, message_id, accepted_at as since, why
    from ledger left join withheld_message as withheld using (sender_id, message_id)
    where ${within(db, serviceIds, days)} and available_at is null and failed_at is null and recalled_at is null and accepted_at <= ${before}
      -- What is for a later time is on time until then, and what its batch holds until staff have decided.
      and (why is null or (why = 'scheduled' and release_at <= ${before}))
    order by message_id
    limit ${lateLettersMax + 1}`
}
