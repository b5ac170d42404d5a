import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { asPart, type StoredFile } from '../documents/document.ts'
import { readFile } from '../documents/read.ts'
import { Problem } from '../problems.ts'
import { type Letter, letterColumns } from './letter.ts'
import { lookAt, open } from './open.ts'
import { recordHandovers } from './record-handovers.ts'

export type Found = Letter & { mailboxId: string }
/** Of one that was sent: to whom, as they were called then, and when it was answered. */
type FoundOne = Found & { recipientName: string | null; answeredAt: Date | null }

/** A message that the actor has received or sent, without opening it. Throws `not-found`. */
export async function find(db: Db, actor: Actor, messageId: string): Promise<FoundOne> {
  requireRight(actor, 'inbox:read')
  const [letter] = await readWithin<FoundOne>(
    db,
    scopeOf(actor),
    db`
    select ${foundColumns(db, actor)}, ledger.recipient_name, ledger.answered_at
    from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ${inOwnLedger(db, actor)} and ledger.message_id = ${messageId}
    union all
    select ${foundColumns(db, actor)}, null, null
    from message where ${inOwnMailbox(db, actor)} and message.id = ${messageId}
    limit 1`,
  )
  if (letter === undefined) throw new Problem('not-found')
  return letter
}

/** A message from one's own mailbox to itself is received, and is there once. */
function columns(db: Db, { mailboxId }: Actor): Fragment {
  return db`${letterColumns(db)}, message.mailbox_id <> ${mailboxId} as is_sent`
}

/** Of a Found. */
export function foundColumns(db: Db, actor: Actor): Fragment {
  return db`${columns(db, actor)}, message.mailbox_id`
}

/** What has been written back and forth, the oldest first; a message is in a thread with what it answers. */
export async function findThread(db: Db, actor: Actor, threadId: string): Promise<Letter[]> {
  requireRight(actor, 'inbox:read')
  return readWithin<Letter>(
    db,
    scopeOf(actor),
    db`
    select ${columns(db, actor)}
    from message where ${inOwnMailbox(db, actor)} and message.thread_id = ${threadId}
    union
    select ${columns(db, actor)}
    from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ${inOwnLedger(db, actor)} and ledger.thread_id = ${threadId}
    order by id`,
  )
}

/**
 * The same, to show it with the words of each message that was opened before, and of those sent. Whoever is not the owner leaves
 * a look at each; not at that with id `noted`, which opening it has noted already.
 */
export async function readThread(db: Db, actor: Actor, threadId: string, now: Date, noted?: string): Promise<Letter[]> {
  const thread = await findThread(db, actor, threadId)
  if (actor.by.kind === 'owner') return thread
  const isShown = (letter: Letter) => (letter.isSent ? !actor.isOrganisation : letter.openedAt !== null)
  const looks = thread.filter((letter) => letter.id !== noted && isShown(letter)).map((letter) => lookAt(actor, letter, 'read'))
  await within(db, scopeOf(actor), (sql) => noteLooks(sql, looks, now))
  return thread
}

/**
 * A file of a message that the actor has received or sent. Who reads a letter's file has opened the letter, whichever way
 * they came to it. Its bytes come piece by piece, as they are taken. Throws `not-found`.
 */
export async function findFile(
  db: Db,
  actor: Actor,
  messageId: string,
  fileId: string,
  now: Date,
): Promise<{ file: StoredFile; bytes: AsyncIterable<Buffer> }> {
  const letter = await find(db, actor, messageId)
  const document = letter.documents.find(({ files }) => files.some(({ id }) => id === fileId))
  const file = document?.files.find(({ id }) => id === fileId)
  const bytes = file && (await readFile(db, scopeOf(actor), letter.mailboxId, file))
  if (file === undefined || bytes === undefined) throw new Problem('not-found')
  if (!letter.isSent) {
    if (letter.openedAt === null) await open(db, actor, messageId, now)
    await recordHandovers(db, actor, [{ letter, part: asPart(document!.role, file) }], now)
  }
  if (actor.by.kind !== 'owner') {
    await within(db, scopeOf(actor), (sql) => noteLooks(sql, [lookAt(actor, letter, 'downloaded')], now))
  }
  return { file, bytes }
}
