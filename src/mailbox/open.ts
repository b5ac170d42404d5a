import { type Actor, doerOf } from '../access/actor.ts'
import { type Look, type LookKind, noteLooks } from '../access/look.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import { Problem } from '../problems.ts'
import { type Letter, letterColumns, senderIdOf } from './letter.ts'
import { type LetterPlace, placeColumns } from './note.ts'

/**
 * A letter in the mailbox that is open. The first time, that it was opened is recorded with its time, for the reader and for
 * the sender together; two who open it at once record it once. Throws `not-found`, the same for a letter that is not there
 * and one that is not theirs. `isAgain` for a page that shows it already: then the reader's mark that it is unread stays.
 */
export async function open(db: Db, actor: Actor, messageId: string, now: Date, isAgain = false): Promise<ReceivedLetter> {
  requireRight(actor, 'inbox:read')
  return openForWhoeverMay(db, actor, messageId, now, isAgain)
}

/** Like open, for a verb that has asked for a right of its own. */
export async function openForWhoeverMay(
  db: Db,
  actor: Actor,
  messageId: string,
  now: Date,
  isAgain = false,
): Promise<ReceivedLetter> {
  const letter = await findReceived(db, actor, messageId)
  // What was taken back has nothing that could be opened.
  if (letter.recalledAt !== null) return letter
  const isFirst = letter.openedAt === null
  const isMarked = letter.markedUnread && !isAgain
  if (!isFirst && !isMarked && actor.by.kind === 'owner') return letter
  const isOpened = await within(db, scopeOfReceived(actor), async (sql) => {
    const opened = isFirst && (await recordOpenings(sql, actor, [letter], now)).length > 0
    if (isMarked) await clearMark(sql, actor, letter)
    if (opened || actor.by.kind !== 'owner') await noteLooks(sql, [lookAt(actor, letter, opened ? 'opened' : 'read')], now)
    return opened
  })
  if (!isFirst) return letter
  // Where another opened it in the same moment, their time stands.
  return isOpened ? { ...letter, openedAt: now } : findReceived(db, actor, messageId)
}

/** A letter with what its readers have made of it. */
export type ReceivedLetter = Letter & LetterPlace & { markedUnread: boolean }

async function findReceived(db: Db, actor: Actor, messageId: string): Promise<ReceivedLetter> {
  const [letter] = await readWithin<ReceivedLetter>(
    db,
    scopeOfReceived(actor),
    db`
    select ${letterColumns(db)}, ${placeColumns(db)}, message.marked_unread, false as is_sent
    from message where ${inOwnMailbox(db, actor)} and message.id = ${messageId}`,
  )
  if (letter === undefined) throw new Problem('not-found')
  return letter
}

/** Its owner sees who looked: of a letter whoever received it, and of a message to a public body whoever wrote it. */
export function lookAt(actor: Actor, letter: Letter, what: LookKind): Look {
  const partyId = actor.isOrganisation && letter.isFromParty ? letter.senderPartyId : actor.partyId
  return { partyId, by: actor.by, what, messageId: letter.id, serviceId: letter.serviceId }
}

/** The reader's own mark, which is gone once it is read again. */
async function clearMark(db: Db, actor: Actor, { id }: Letter): Promise<void> {
  await db`
    update message set marked_unread = false, modseq = nextval('modseq')
    where ${inOwnMailbox(db, actor)} and message.id = ${id} and message.marked_unread`
}

/**
 * One statement: the mailbox, the senders' ledgers and the senders' events, or none of them. Answers the ids of those that nobody
 * had opened before.
 */
export async function recordOpenings(db: Db, actor: Actor, letters: readonly Letter[], now: Date): Promise<string[]> {
  const facts = db.json({ by: doerOf(actor), door: actor.door })
  const opened = await db<{ messageId: string }[]>`
    with feeds as materialized (
      ${lockFeeds(db, [...new Set(letters.map(senderIdOf))])}
    ),
    opened as (
      update message set opened_at = ${now}, marked_unread = false, modseq = nextval('modseq')
      where ${own(db, db`mailbox_id = ${actor.mailboxId}`)} and id = any(${letters.map(({ id }) => id)}::uuid[]) and opened_at is null and recalled_at is null
      returning sender_id, id
    ),
    noted as (
      update ledger set opened_at = ${now} from opened
      where ledger.sender_id = opened.sender_id and ledger.message_id = opened.id
      returning ledger.sender_id, ledger.message_id, ledger.reference
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    select sender_id, 'message.opened', message_id, reference, ${now}, ${facts}::jsonb from feeds, noted
    returning message_id`
  return opened.map(({ messageId }) => messageId)
}
