import { v7 as newId } from 'uuid'
import { type Asker, reviveActor } from '../access/revive-actor.ts'
import type { Db } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { sendDraft } from './send-draft.ts'

/** So many at a time; the next minute goes on. */
const dueMax = 500

type Due = { mailboxId: string; id: string; version: number; sendBy: Asker }

/**
 * Sends what was to be sent by now, each for whoever asked for it and by what they may do now. What is refused is a draft again, with the reason for
 * its writer to see. Harmless when run twice, or beside itself: each has its reference. Answers how many were sent.
 */
export async function sendDueDrafts(db: Db, keys: IdentifierKeys, now: Date): Promise<number> {
  const due = await readWithin<Due>(
    db,
    { purpose: 'delivery' },
    db`select mailbox_id, id, version, send_by from draft where send_at <= ${now} order by send_at limit ${dueMax}`,
  )
  let sent = 0
  for (const draft of due) {
    try {
      if (await send(db, keys, draft, now)) sent += 1
    } catch (error) {
      // It stays as it is, and is tried again in the next minute.
      console.error('A draft that was due was not sent.', describeError(error))
    }
  }
  return sent
}

async function send(db: Db, keys: IdentifierKeys, { mailboxId, id, version, sendBy }: Due, now: Date): Promise<boolean> {
  const actor = await reviveActor(db, { mailboxId, by: sendBy, requestId: newId() }, now)
  if (actor === undefined) return giveBack(db, { mailboxId, id, version }, 'access-ended')
  try {
    await sendDraft(db, keys, actor, { id, version }, now)
    return true
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // Changed or deleted in this moment, by somebody who is there.
    if (error.code === 'draft-changed' || error.code === 'not-found') return false
    return giveBack(db, { mailboxId, id, version }, error.code)
  }
}

/** Back among the drafts, also where whoever wanted it sent may not see it any more: the owner does. */
async function giveBack(db: Db, { mailboxId, id, version }: Omit<Due, 'sendBy'>, why: ProblemCode): Promise<false> {
  await within(
    db,
    { mailbox: mailboxId },
    (sql) => sql`
      update draft set send_at = null, send_by = null, refused = ${why}, version = version + 1
      where mailbox_id = ${mailboxId} and id = ${id} and version = ${version}`,
  )
  return false
}
