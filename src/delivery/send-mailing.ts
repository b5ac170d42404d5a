import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { reviveStaff } from '../access/revive-actor.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { acceptBatch } from './accept-batch.ts'
import { type LetterLimits, takeLetters } from './allow-letters.ts'
import type { Batch } from './batch.ts'
import { changeBatch } from './change-batch.ts'
import { noteRefusals, wait } from './check-mailing.ts'
import { readRows } from './find-mailings.ts'
import { readTemplate } from './find-templates.ts'
import { type Mailing, paperReasons, type Row, submissionOf } from './mailing.ts'
import { placeholdersOf } from './template.ts'
import type { Outcome } from './write.ts'

/** In two statements, which is as many as may be under way in bulk. */
const rowsInStatement = 500
const statementsAtOnce = 2

/**
 * Sends some more letters of a mailing as lines of its batch, in the name of whoever said that it is to be sent. Answers whether to go on at once.
 * Who is killed between the letters and the note of how far they went sends the same again: each is found by its reference.
 */
export async function sendMailing(
  db: Db,
  keys: IdentifierKeys,
  letters: LetterLimits,
  mailing: Mailing,
  now: Date,
): Promise<boolean> {
  const { senderId } = mailing
  const [batch] = await readWithin<Batch>(
    db,
    { senders: [senderId] },
    db`select * from batch where sender_id = ${senderId} and id = ${mailing.batchId}`,
  )
  if (batch!.state === 'paused') return false
  const rows = await readRows(db, keys, mailing, {
    after: mailing.sentTo,
    limit: rowsInStatement * statementsAtOnce,
    reachable: true,
  })
  if (batch!.state !== 'open') return end(db, mailing, rows.length === 0 && batch!.state === 'closed' ? 'sent' : 'stopped', now)
  const actor = await reviveStaff(db, { ...mailing.sentBy!, requestId: newId() })
  if (actor === undefined || !servicesFor(actor, 'messages:write')?.includes(senderId)) return wait(db, mailing, 'access-ended')
  if (rows.length === 0) {
    await changeBatch(db, actor, batch!.id, 'close', now)
    return end(db, mailing, 'sent', now)
  }
  const allowed = await takeLetters(db, senderId, rows.length, 'bulk', letters, now)
  if (allowed.waitMs > 0) return false
  if (allowed.newMax === 0) {
    allowed.settle(0)
    return wait(db, mailing, 'letters-of-day-used')
  }
  const outcomes = await acceptRows(db, keys, actor, { mailing, batch: batch! }, rows, allowed.newMax, now).catch((error) => {
    allowed.settle(0)
    throw error
  })
  allowed.settle(outcomes.reduce((count, one) => count + (one instanceof Problem || !one.isNew ? 0 : 1), 0))
  return note(db, mailing, rows, outcomes)
}

async function acceptRows(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { mailing, batch }: { mailing: Mailing; batch: Batch },
  rows: readonly Row[],
  newMax: number,
  now: Date,
): Promise<Outcome[]> {
  const template = (await readTemplate(db, [mailing.senderId], mailing.templateId, mailing.templateVersion))!
  const placeholders = placeholdersOf(template.content)
  const lines = rows.map((row) => {
    const submission = submissionOf(mailing, template, placeholders, row)
    return { line: row.row, reference: submission.reference, submission }
  })
  const parts = Array.from({ length: statementsAtOnce }, (_, place) =>
    lines.slice(place * rowsInStatement, (place + 1) * rowsInStatement),
  )
  const accepted = parts.map((part, place) =>
    part.length === 0 ? [] : acceptBatch(db, keys, actor, batch, part, newMax - place * rowsInStatement, now),
  )
  return (await Promise.all(accepted)).flat()
}

/** What may be accepted later as it is. */
const isForLater = (outcome: Outcome): outcome is Problem =>
  outcome instanceof Problem && (outcome.status >= 429 || outcome.code === 'batch-paused' || outcome.code === 'batch-over')

/** How far they went: up to the first that is to be tried again. Who turned out to need paper is listed with the others who do. */
async function note(
  db: Db,
  { senderId, id, fileId }: Mailing,
  rows: readonly Row[],
  outcomes: readonly Outcome[],
): Promise<boolean> {
  const stop = outcomes.findIndex(isForLater)
  const done = stop < 0 ? rows : rows.slice(0, stop)
  const refused = done.flatMap(({ row }, place) => {
    const outcome = outcomes[place]
    return outcome instanceof Problem && paperReasons.includes(outcome.code) ? { row, refusal: outcome.code } : []
  })
  const why = stop < 0 ? null : whyWaiting((outcomes[stop] as Problem).code)
  await within(db, { senders: [senderId] }, async (sql) => {
    await noteRefusals(sql, { senderId, fileId }, refused)
    await sql`
      update mailing set sent_to = greatest(sent_to, ${done.at(-1)?.row ?? 0}), waits_because = ${why}
      where sender_id = ${senderId} and id = ${id}`
  })
  return stop < 0
}

/** A batch that is paused says so itself. */
const whyWaiting = (code: ProblemCode): ProblemCode | null => (code === 'batch-paused' || code === 'batch-over' ? null : code)

async function end(db: Db, { senderId, id }: Mailing, state: 'sent' | 'stopped', now: Date): Promise<false> {
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`
    update mailing set state = ${state}, ended_at = ${now}, waits_because = null where sender_id = ${senderId} and id = ${id} and state = 'sending'`,
  )
  return false
}
