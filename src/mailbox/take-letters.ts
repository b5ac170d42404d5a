import type { Actor } from '../access/actor.ts'
import { type Look, noteLooks } from '../access/look.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf, scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { asPart, type StoredFile } from '../documents/document.ts'
import { readFile } from '../documents/read.ts'
import { Problem } from '../problems.ts'
import { type Found, foundColumns } from './find.ts'
import { lookAt, recordOpenings } from './open.ts'
import { type Handover, lockMessages, recordHandovers } from './record-handovers.ts'

/** Of the documents of letters that somebody has chosen. A ZIP file, of the kind that everybody can open, holds less than 4 GB. */
const archiveBytesMax = 2 * 1024 ** 3

/** With the note that whoever reads the mailbox made on it. */
export type Taken = Found & { note: string | null }

/** Those with these ids; or, in order, those after one letter up to another. */
export type Wanted = { ids: readonly string[] } | { after: string; until: string; limit: number; withUnopened: boolean }

/**
 * Letters that the actor has received or sent, to be taken away with all their documents: whoever has them has opened them, and
 * was handed their files, which is recorded before any byte leaves. One round for all of them. Throws `not-found` where one that
 * was asked for by its id is not there, and `archive-too-large` where those are too much together.
 */
export async function takeLetters(db: Db, actor: Actor, wanted: Wanted, now: Date): Promise<Taken[]> {
  requireRight(actor, 'inbox:read')
  const letters = await readLetters(db, actor, wanted)
  if ('ids' in wanted && letters.length < new Set(wanted.ids).size) throw new Problem('not-found')
  if ('ids' in wanted && bytesOf(letters) > archiveBytesMax) throw new Problem('archive-too-large')
  const received = letters.filter(({ isSent }) => !isSent)
  const closed = received.filter(({ openedAt, recalledAt }) => openedAt === null && recalledAt === null)
  const opened = closed.length === 0 ? [] : await openAll(db, actor, closed, now)
  await recordHandovers(db, actor, received.flatMap(handoversOf), now)
  if (actor.by.kind !== 'owner') {
    const looks = letters.map((letter): Look => lookAt(actor, letter, 'downloaded'))
    await within(db, scopeOf(actor), (sql) => noteLooks(sql, looks, now))
  }
  return letters.map((letter) => (opened.includes(letter.id) ? { ...letter, openedAt: now } : letter))
}

/** The bytes of a file of a letter that was taken, piece by piece. */
export async function readTaken(db: Db, actor: Actor, { mailboxId }: Found, file: StoredFile): Promise<AsyncIterable<Buffer>> {
  const bytes = await readFile(db, scopeOf(actor), mailboxId, file)
  if (bytes === undefined) throw new Problem('not-found')
  return bytes
}

async function readLetters(db: Db, actor: Actor, wanted: Wanted): Promise<Taken[]> {
  const [limit, condition] = conditionFor(db, wanted)
  const opened =
    'ids' in wanted || wanted.withUnopened ? db`` : db`and (message.opened_at is not null or message.recalled_at is not null)`
  return readWithin<Taken>(
    db,
    scopeOf(actor),
    db`
    select * from (
      (select ${foundColumns(db, actor)}, message.note from message
       where ${inOwnMailbox(db, actor)} and ${condition(db`message.id`)} ${opened} order by message.id limit ${limit})
      union
      (select ${foundColumns(db, actor)}, case when message.mailbox_id = ${actor.mailboxId} then message.note end as note
       from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
       where ${inOwnLedger(db, actor)} and ${condition(db`ledger.message_id`)} order by ledger.message_id limit ${limit})
    ) as letter
    order by id limit ${limit}`,
  )
}

function conditionFor(db: Db, wanted: Wanted): [limit: number, condition: (id: Fragment) => Fragment] {
  if ('ids' in wanted) return [wanted.ids.length, (id) => db`${id} = any(${wanted.ids as string[]}::uuid[])`]
  return [wanted.limit, (id) => db`${id} > ${wanted.after} and ${id} <= ${wanted.until}`]
}

function bytesOf(letters: readonly Found[]): number {
  return letters.reduce(
    (sum, { documents }) => documents.reduce((all, { files }) => files.reduce((more, { size }) => more + size, all), sum),
    0,
  )
}

async function openAll(db: Db, actor: Actor, letters: readonly Found[], now: Date): Promise<string[]> {
  return within(db, scopeOfReceived(actor), async (sql) => {
    await lockMessages(
      sql,
      actor,
      letters.map(({ id }) => id),
    )
    const opened = await recordOpenings(sql, actor, letters, now)
    await noteLooks(
      sql,
      letters.filter(({ id }) => opened.includes(id)).map((letter) => lookAt(actor, letter, 'opened')),
      now,
    )
    return opened
  })
}

function handoversOf(letter: Found): Handover[] {
  return letter.documents.flatMap(({ role, files }) => files.map((file) => ({ letter, part: asPart(role, file) })))
}
