import type { Database, Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import type { BatchDecision } from './batch.ts'
import { takeBack } from './recall.ts'

/** So many letters in one transaction, and it stays short. */
const lettersAtOnce = 500

type Waiting = { senderId: string; batchId: string; decision: BatchDecision }
type Undone = Waiting & { doneTo: string; doer: object; reason: string | null }

/**
 * One step of each decision about a batch that is not carried out yet (delivery/decide-batch.ts), so that batches take turns. A kill leaves the
 * step undone, and the next goes on from where the last one ended. Answers whether there may be more to do.
 */
export async function carryOut(db: Database, now: Date): Promise<boolean> {
  const waiting = await readWithin<Waiting>(
    db,
    { purpose: 'delivery' },
    db`select sender_id, batch_id, decision from batch_decision where done_at is null order by decided_at`,
  )
  let isMore = false
  for (const one of waiting) {
    const scope = { purpose: 'delivery', senders: [one.senderId] } as const
    if (await within(db, scope, (sql) => step(sql, one, now))) isMore = true
  }
  return isMore
}

/** False where it is done, or another process is at it. */
async function step(sql: Db, { senderId, batchId, decision }: Waiting, now: Date): Promise<boolean> {
  const which = sql`sender_id = ${senderId} and batch_id = ${batchId}`
  const [undone] = await sql<Undone[]>`
    select * from batch_decision where ${which} and decision = ${decision} and done_at is null for update skip locked`
  if (undone === undefined) return false
  const ids = decision === 'release' ? await schedule(sql, undone, now) : await takeSomeBack(sql, undone, now)
  const isDone = ids.length < lettersAtOnce
  await sql`
    update batch_decision set done_to = ${ids.at(-1) ?? undone.doneTo}, done_at = ${isDone ? now : null} where ${which} and decision = ${decision}`
  // What the last step has scheduled is to go out too.
  return ids.length > 0
}

/** From now on they are on their way (delivery/release.ts), each at its own time. */
async function schedule(sql: Db, { senderId, batchId, doneTo }: Undone, now: Date): Promise<string[]> {
  const rows = await sql<{ messageId: string }[]>`
    with next as materialized (
      select message_id from withheld_message
      where sender_id = ${senderId} and batch_id = ${batchId} and message_id > ${doneTo} and why = 'held'
      order by message_id limit ${lettersAtOnce}
    ),
    released as (
      update withheld_message as withheld set why = 'scheduled', release_at = greatest(release_at, ${now}) from next
      where withheld.sender_id = ${senderId} and withheld.message_id = next.message_id and why = 'held'
    )
    select message_id from next order by message_id`
  return rows.map(({ messageId }) => messageId)
}

async function takeSomeBack(sql: Db, { senderId, batchId, doneTo, doer, reason }: Undone, now: Date): Promise<string[]> {
  const rows = await sql<{ messageId: string }[]>`
    select message_id from ledger where sender_id = ${senderId} and batch_id = ${batchId} and message_id > ${doneTo}
    order by message_id limit ${lettersAtOnce}`
  const messageIds = rows.map(({ messageId }) => messageId)
  await takeBack(sql, { senderId, messageIds, reason: reason!, doer }, now)
  return messageIds
}
