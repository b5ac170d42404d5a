import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import { readWithin, within } from '../database/scope.ts'
import { type FieldProblem, Problem, type ProblemCode } from '../problems.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { type Admitted, check, deliver, deliverShared } from './accept.ts'
import { type Batch, type BatchState, refusalOf } from './batch.ts'
import { withUploads } from './find-uploads.ts'
import type { Submission } from './message.ts'
import { recordRejections } from './record-rejections.ts'
import type { OfBatch, Outcome } from './write.ts'

/** A line of a batch, with its number: a letter, or what was wrong with it where it could be read no further. */
export type BatchLine = { line: number; reference: string | undefined; submission: Submission | Problem }

/**
 * Accepts some lines of a batch, in one statement, in the batch's lane. Only the first `newMax` of them may be new: of those that
 * follow it is said whether they were accepted before. Lines that were refused are kept with the batch, to be mended. Safe to try again.
 */
export async function acceptBatch(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  batch: Pick<Batch, 'id' | 'senderId' | 'lane' | 'hold'>,
  lines: readonly BatchLine[],
  newMax: number,
  now: Date,
): Promise<Outcome[]> {
  requireRight(actor, 'messages:write')
  const checked: (Admitted | Problem)[] = []
  const known = await withUploads(
    db,
    actor,
    lines.map(({ submission }) => submission),
  )
  for (const [place, submission] of known.entries()) {
    const { line } = lines[place]!
    const one = submission instanceof Problem ? submission : await check(keys, actor, submission, now)
    const refusal = checked.length < newMax ? undefined : new Problem('letters-of-day-used')
    checked.push(one instanceof Problem ? one : { ...one, line, refusal, heldIn: batch.hold ? batch.id : undefined })
  }
  const admitted = checked.filter((one): one is Admitted => !(one instanceof Problem))
  const delivered =
    admitted.length === 0
      ? []
      : await deliverShared(db, admitted, {
          lane: batch.lane,
          queue: batch.senderId,
          run: (sql, some) => deliver(sql, some, { ...batch, whyShut: (pool) => whyShut(pool, batch) }),
          failed: (error) => {
            console.error('A letter of a batch was not taken.', describeError(error))
            return new Problem('failed')
          },
        })
  let place = 0
  const outcomes = checked.map((one) => (one instanceof Problem ? one : delivered[place++]!))
  await recordRefused(db, actor, batch, lines, outcomes, now)
  await forgetErrors(
    db,
    batch,
    lines.filter((_, index) => !(outcomes[index] instanceof Problem)),
  )
  return outcomes
}

async function recordRefused(
  db: Db,
  actor: Actor,
  batch: Pick<Batch, 'id' | 'senderId'>,
  lines: readonly BatchLine[],
  outcomes: readonly Outcome[],
  now: Date,
): Promise<void> {
  const refused = outcomes.flatMap((problem, place) =>
    problem instanceof Problem && isFinal(problem) ? { ...lines[place]!, problem } : [],
  )
  if (refused.length === 0) return
  await keepErrors(db, batch, refused, now)
  const rejected = refused.flatMap(({ submission, problem }) =>
    submission instanceof Problem ? [] : { actor, submission, problem },
  )
  await recordRejections(db, rejected, now)
}

/** Whether the same line would be refused again: what may be sent later as it is, is no error of the batch. */
function isFinal({ code, status }: Problem): boolean {
  return status < 429 && code !== 'batch-paused' && code !== 'batch-over'
}

type ErrorRow = { line: number; reference: string | null; code: string; fields: readonly FieldProblem[] | null }

async function keepErrors(
  db: Db,
  { id, senderId }: Pick<Batch, 'id' | 'senderId'>,
  refused: readonly (BatchLine & { problem: Problem })[],
  now: Date,
): Promise<void> {
  const rows = refused.map(
    ({ line, reference = null, problem: { code, fields = null } }): ErrorRow => ({ line, reference, code, fields }),
  )
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`
    insert into batch_error (sender_id, batch_id, line, reference, code, fields, at)
    select distinct on (line) ${senderId}, ${id}, line, reference, code, fields, ${now}::timestamptz
    from jsonb_to_recordset(${sql.json(rows as never)}) as refused (line bigint, reference text, code text, fields jsonb)
    order by line
    on conflict (sender_id, batch_id, line)
    do update set reference = excluded.reference, code = excluded.code, fields = excluded.fields, at = excluded.at`,
  )
}

/** Of lines that were accepted now, or before: what was said when they were refused. Most batches have nothing of the kind. */
async function forgetErrors(
  db: Db,
  { id, senderId }: Pick<Batch, 'id' | 'senderId'>,
  accepted: readonly BatchLine[],
): Promise<void> {
  const scope = { senders: [senderId] }
  const some = await readWithin(db, scope, db`select from batch_error where sender_id = ${senderId} and batch_id = ${id} limit 1`)
  if (some.length === 0 || accepted.length === 0) return
  const references = accepted.flatMap(({ reference }) => reference ?? [])
  await within(db, scope, async (sql) => {
    const errors = sql`from batch_error where sender_id = ${senderId} and batch_id = ${id}`
    await sql`delete ${errors} and reference = any(${references}::text[])`
    await sql`delete ${errors} and line = any(${accepted.map(({ line }) => line)}::bigint[]) and reference is null`
  })
}

async function whyShut(db: Db, { id, senderId }: OfBatch): Promise<ProblemCode | undefined> {
  const query = db`select state from batch where sender_id = ${senderId} and id = ${id}`
  const [batch] = await readWithin<{ state: BatchState }>(db, { senders: [senderId] }, query)
  return batch ? refusalOf(batch.state) : 'batch-over'
}
