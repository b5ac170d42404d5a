import { type Actor, doerOf, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import {
  type Approval,
  type ApprovalKind,
  askApproval,
  decideApproval,
  type Effect,
  listApprovals,
} from '../registry/approval.ts'
import { type Batch, type Decisions, requireReleasable, takesLetters } from './batch.ts'
import { decidedColumns, withDecisions } from './find-batches.ts'

/** `reason`: why letters are taken back. Their recipients read it where they were available. */
export type Decision = { batchId: string; decision: 'release' } | { batchId: string; decision: 'recall'; reason: string }

/** What is asked for where two have to agree, as the approval keeps it. `letters`: how many were accepted. */
export type AskedOfBatch = Decision & { name: string; letters: number }

const kinds = { release: 'batch-release', recall: 'batch-recall' } as const satisfies Record<string, ApprovalKind>

/**
 * Decides to release the letters that a batch holds, or to take back all that nobody has opened: of a batch that is held still that is all of
 * them, and none ever was in a mailbox. The worker carries it out (delivery/carry-out.ts). A batch is released when it takes no more
 * letters, so that what was looked at is what is released; to take it back stops it. Where the service wants two people for it, nothing is done
 * until another approves; what is held still, one may discard. Again is harmless. Throws `not-found`, `batch-open`, `action-not-possible`.
 */
export async function decideBatch(
  db: Db,
  actor: Actor,
  decision: Decision,
  now: Date,
): Promise<'decided' | { approvalId: string }> {
  requireRight(actor, 'messages:write')
  return within(db, scopeOf(actor), async (sql) => {
    // Before the batch is locked, in the order in which an approval locks them: what is taken back is not released any more.
    if (decision.decision === 'recall') await endRequests(sql, actor, decision.batchId, now)
    const batch = await lockBatch(sql, decision.batchId, servicesFor(actor, 'messages:write') ?? [])
    if (isDecided(batch, decision)) return 'decided'
    requirePossible(batch, decision)
    if (decision.decision === 'recall' && takesLetters(batch.state)) await stop(sql, batch, actor.by.name, now)
    if (!needsTwo(batch, decision)) {
      await write(sql, batch, { ...decision, byName: actor.by.name, doer: { by: doerOf(actor), door: actor.door } }, now)
      return 'decided'
    }
    const [waiting] = await findRequests(sql, actor, decision, now)
    if (waiting !== undefined) return { approvalId: waiting.id }
    const what: AskedOfBatch = { ...decision, name: batch.name, letters: batch.accepted }
    return askApproval(sql, actor, { kind: kinds[decision.decision], serviceIds: [batch.senderId], what }, now)
  })
}

/** Does what one member of staff asked for and another has approved. Throws as `decideBatch`. */
export const decideApprovedBatch: Effect = async (sql, { what, serviceIds, askedBy }, approvedBy, now) => {
  const decision = what as AskedOfBatch
  const batch = await lockBatch(sql, decision.batchId, serviceIds)
  if (isDecided(batch, decision)) return
  requirePossible(batch, decision)
  const byName = `${askedBy.name} and ${approvedBy.name}`
  const doer = { by: { kind: 'staff', ...approvedBy }, door: 'department-pages' }
  await write(sql, batch, { ...decision, byName, doer }, now)
}

/** What waits for another to approve it: the same about the same batch, which the actor may see. */
export async function findRequests(
  db: Db,
  actor: Actor,
  { batchId, decision }: Pick<Decision, 'batchId' | 'decision'>,
  now: Date,
): Promise<Approval[]> {
  const waiting = await listApprovals(db, actor, now)
  return waiting.filter(({ kind, what }) => kind === kinds[decision] && (what as AskedOfBatch).batchId === batchId)
}

async function endRequests(sql: Db, actor: Actor, batchId: string, now: Date): Promise<void> {
  for (const { id, isOwn } of await findRequests(sql, actor, { batchId, decision: 'release' }, now)) {
    const decision = isOwn ? 'withdrawn' : 'refused'
    await decideApproval(sql, actor, { approvalId: id, decision }, {}, now)
  }
}

type Locked = Batch & Decisions & { releaseByTwo: boolean; accepted: number }

/** Whoever decides about the same batch waits here, as do statements that are writing its letters. Throws `not-found`. */
async function lockBatch(sql: Db, id: string, senders: readonly string[]): Promise<Locked> {
  const which = sql`${own(sql, sql`batch.sender_id = any(${senders as string[]}::uuid[])`)} and batch.id = ${id}`
  await sql`select from batch where ${which} for no key update`
  const [batch] = await sql<Locked[]>`
    select ${decidedColumns(sql)}, release_by_two, (
      select coalesce(sum(accepted), 0)::int from batch_count where sender_id = batch.sender_id and batch_id = batch.id
    ) as accepted
    from batch join service on service.id = batch.sender_id ${withDecisions(sql)} where ${which}`
  if (batch === undefined) throw new Problem('not-found')
  return batch
}

function isDecided({ releasedAt, recalledAt }: Locked, { decision }: Decision): boolean {
  return decision === 'recall' ? recalledAt !== null : releasedAt !== null && recalledAt === null
}

function requirePossible(batch: Locked, { decision }: Decision): void {
  if (decision === 'release') requireReleasable(batch)
}

function needsTwo({ releaseByTwo, hold, releasedAt }: Locked, { decision }: Decision): boolean {
  const isDiscard = decision === 'recall' && hold && releasedAt === null
  return releaseByTwo && !isDiscard
}

async function stop(sql: Db, { senderId, id }: Locked, byName: string, now: Date): Promise<void> {
  await sql`
    update batch set state = 'stopped', changed_at = ${now}, changed_by_name = ${byName} where sender_id = ${senderId} and id = ${id}`
}

async function write(
  sql: Db,
  { senderId, id }: Locked,
  decided: Decision & { byName: string; doer: object },
  now: Date,
): Promise<void> {
  const { decision, byName, doer } = decided
  const reason = decided.decision === 'recall' ? decided.reason : null
  await sql`
    insert into batch_decision (sender_id, batch_id, decision, decided_at, decided_by_name, doer, reason)
    values (${senderId}, ${id}, ${decision}, ${now}, ${byName}, ${sql.json(doer as never)}, ${reason})`
  if (decision === 'release') return
  // What it has not released yet stays where it is, to be taken back.
  await sql`
    update batch_decision set done_at = ${now}
    where sender_id = ${senderId} and batch_id = ${id} and decision = 'release' and done_at is null`
}
