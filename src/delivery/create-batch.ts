import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { Batch, BatchLane } from './batch.ts'

/** A batch as its sender names it. Sent again, it is the same batch. */
export type NewBatch = { serviceId: string; reference: string; name: string; lane: BatchLane; hold: boolean }

/**
 * Held where that is asked for, or where the service holds all of its batches. Throws `service-not-found`, or `reference-used` where the
 * service has another batch under this reference, or one that is not held as is asked now.
 */
export async function createBatch(
  db: Db,
  actor: Actor,
  { serviceId, reference, name, lane, hold }: NewBatch,
  now: Date,
): Promise<Batch & { isNew: boolean }> {
  requireRight(actor, 'messages:write')
  if (!servicesFor(actor, 'messages:write')?.includes(serviceId)) throw new Problem('service-not-found')
  return within(db, { senders: [serviceId] }, async (sql) => {
    const by = actor.by.name
    const made = await sql<Batch[]>`
      insert into batch (sender_id, id, reference, name, lane, hold, created_at, created_by_name, changed_at, changed_by_name)
      select id, ${newId({ msecs: now.getTime() })}, ${reference}, ${name}, ${lane}, ${hold} or hold_batches, ${now}::timestamptz, ${by}, ${now}::timestamptz, ${by}
      from service where id = ${serviceId}
      on conflict (sender_id, reference) do nothing
      returning *`
    const [batch] =
      made.length > 0 ? made : await sql<Batch[]>`select * from batch where sender_id = ${serviceId} and reference = ${reference}`
    if (batch!.name !== name || batch!.lane !== lane || (hold && !batch!.hold)) throw new Problem('reference-used')
    return { ...batch!, isNew: made.length > 0 }
  })
}
