import { type Actor, senderIdsOf, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import type { FieldProblem, ProblemCode } from '../problems.ts'
import { Problem } from '../problems.ts'
import type { Batch, BatchCounts, BatchProgress, Decisions } from './batch.ts'

/** A batch to which the actor may add letters. Throws `not-found`. */
export async function findOpenBatch(db: Db, actor: Actor, id: string): Promise<Batch> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  const [batch] = await readWithin<Batch>(
    db,
    { senders },
    db`select * from batch where ${own(db, db`sender_id = any(${senders}::uuid[])`)} and id = ${id}`,
  )
  if (batch === undefined) throw new Problem('not-found')
  return batch
}

const ownBatches = (db: Db, actor: Actor): Fragment =>
  own(db, db`batch.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)

/** Of `batch` with what was decided of it. */
export const decidedColumns = (db: Db): Fragment => db`
  batch.*, release.decided_at as released_at, release.decided_by_name as released_by_name, release.done_at as release_done_at,
  recall.decided_at as recalled_at, recall.decided_by_name as recalled_by_name, recall.reason as recall_reason, recall.done_at as recall_done_at`

export const withDecisions = (db: Db): Fragment => db`
  left join batch_decision as release on release.sender_id = batch.sender_id and release.batch_id = batch.id and release.decision = 'release'
  left join batch_decision as recall on recall.sender_id = batch.sender_id and recall.batch_id = batch.id and recall.decision = 'recall'`

export type ListedBatch = Batch & Decisions & { accepted: number; refused: number }

/** The newest first, those that come after one where that is named. */
export async function listBatches(
  db: Db,
  actor: Actor,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<ListedBatch[]> {
  requireRight(actor, 'messages:read')
  const rows = await readWithin<ListedBatch>(
    db,
    scopeOfSent(actor),
    db`
    select ${decidedColumns(db)}, counted.accepted, refused.refused
    from batch
    ${withDecisions(db)}
    cross join lateral (
      select coalesce(sum(accepted), 0) as accepted from batch_count where sender_id = batch.sender_id and batch_id = batch.id
    ) counted
    cross join lateral (select count(*) as refused from batch_error where sender_id = batch.sender_id and batch_id = batch.id) refused
    where ${ownBatches(db, actor)} ${after === undefined ? db`` : db`and batch.id < ${after}`}
    order by batch.id desc limit ${limit}`,
  )
  return rows.map((row) => ({ ...row, accepted: Number(row.accepted), refused: Number(row.refused) }))
}

/** `releaseByTwo`: its service wants that two people agree to release it, or to take it back then. */
export type BatchFound = Batch & Decisions & BatchCounts & { progress: BatchProgress; releaseByTwo: boolean }

/** With what became of its letters. Throws `not-found`. */
export async function findBatch(db: Db, actor: Actor, id: string): Promise<BatchFound> {
  requireRight(actor, 'messages:read')
  const scope = scopeOfSent(actor)
  const [batch] = await readWithin<Batch & Decisions & { accepted: string; releaseByTwo: boolean }>(
    db,
    scope,
    db`
    select ${decidedColumns(db)}, service.release_by_two, (
      select coalesce(sum(accepted), 0) from batch_count where sender_id = batch.sender_id and batch_id = batch.id
    ) as accepted
    from batch join service on service.id = batch.sender_id ${withDecisions(db)}
    where ${ownBatches(db, actor)} and batch.id = ${id}`,
  )
  if (batch === undefined) throw new Problem('not-found')
  const refusedBy = await readWithin<{ code: ProblemCode; count: string }>(
    db,
    scope,
    db`
    select code, count(*) as count from batch_error where sender_id = ${batch.senderId} and batch_id = ${id}
    group by code order by code`,
  )
  const counts = refusedBy.map(({ code, count }) => ({ code, count: Number(count) }))
  return {
    ...batch,
    accepted: Number(batch.accepted),
    refused: counts.reduce((sum, { count }) => sum + count, 0),
    refusedBy: counts,
    progress: await countProgress(db, actor, batch),
  }
}

/** A count of its own, so that one of tens of millions that takes too long leaves the rest of the answer. */
async function countProgress(db: Db, actor: Actor, { senderId, id }: Batch): Promise<BatchProgress> {
  try {
    const [row] = await readWithin<Record<keyof NonNullable<BatchProgress>, string>>(
      db,
      scopeOfSent(actor),
      db`
      select count(available_at) as available, count(opened_at) as opened, count(answered_at) as answered,
             count(recalled_at) as recalled, count(failed_at) as failed, (
               select count(*) from withheld_message where sender_id = ${senderId} and batch_id = ${id} and why = 'held'
             ) as held
      from ledger where sender_id = ${senderId} and batch_id = ${id}`,
    )
    return Object.fromEntries(Object.entries(row!).map(([name, count]) => [name, Number(count)])) as BatchProgress
  } catch (error) {
    // The limit of time that every statement has.
    if ((error as { code?: string }).code === '57014') return undefined
    throw error
  }
}

export type BatchError = {
  line: number
  reference: string | null
  code: ProblemCode
  fields: FieldProblem[] | null
  at: Date
}

/** Of a batch that the caller has found: lines that were refused, in order, after one. */
export async function listBatchErrors(
  db: Db,
  actor: Actor,
  { senderId, id }: Pick<Batch, 'senderId' | 'id'>,
  { after, limit }: { after: number; limit: number },
): Promise<BatchError[]> {
  requireRight(actor, 'messages:read')
  const rows = await readWithin<Omit<BatchError, 'line'> & { line: string }>(
    db,
    scopeOfSent(actor),
    db`
    select line, reference, code, fields, at from batch_error
    where ${own(db, db`sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)}
      and sender_id = ${senderId} and batch_id = ${id} and line > ${after}
    order by line limit ${limit}`,
  )
  return rows.map((row) => ({ ...row, line: Number(row.line) }))
}
