import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Batch, type BatchChange, stateAfter } from './batch.ts'

/**
 * Pauses, resumes, closes or stops a batch. Statements that are writing its letters end first, and none that comes later writes any
 * where it is not open: what was accepted is known when this answers. Throws `not-found`, `batch-over`.
 */
export async function changeBatch(db: Db, actor: Actor, id: string, change: BatchChange, now: Date): Promise<Batch> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  return within(db, { senders }, async (sql) => {
    const [batch] = await sql<Batch[]>`
      select * from batch where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and id = ${id} for no key update`
    if (batch === undefined) throw new Problem('not-found')
    const state = stateAfter(batch.state, change)
    if (state === batch.state) return batch
    const [changed] = await sql<Batch[]>`
      update batch set state = ${state}, changed_at = ${now}, changed_by_name = ${actor.by.name}
      where sender_id = ${batch.senderId} and id = ${id}
      returning *`
    return changed!
  })
}
