import type { Actor } from '../access/actor.ts'
import { inOwnFolders, inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived, scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type FolderInTree, isFixed, type OwnFolder, toTree } from './folder.ts'
import { isUnread, type LetterSummary, stateOf, subjectIn } from './letter.ts'
import { type DueCounts, dueCounts } from './list-actions.ts'

export const lettersPerPage = 20

/** `page` counts from 1. */
export type LetterPage = { letters: LetterSummary[]; page: number; pages: number; total: number; unread: number }

export const shows = ['all', 'unread', 'flagged'] as const
export type Show = (typeof shows)[number]

/** Which letters: those of a folder (see folder.ts), all of them or only some, of these a page, and in which language they are called by. */
export type Listed = { folder: string; show?: Show | undefined; page?: number | undefined; language?: string | undefined }

export type FolderPage = LetterPage & {
  folder: string
  show: Show
  /** The own folders that the actor may see. */
  folders: FolderInTree[]
  /** Of every folder that has any. */
  unreadIn: Record<string, number>
  /** Whether the mailbox holds any letter at all. */
  holdsAny: boolean
  /** What letters ask to do, where a time was given to count it at. */
  due: DueCounts | undefined
  /** Another whenever the mailbox may look different from before; see watch-mailboxes.ts. */
  state: string
}

/** What has arrived and was put nowhere else, the newest first. */
export async function listInbox(db: Db, actor: Actor, page: number): Promise<LetterPage> {
  const { letters, pages, total, unread } = await listFolder(db, actor, { folder: 'inbox', page })
  return { letters, page, pages, total, unread }
}

/** A page's letters and what stands beside them, as one JSON: a row and a column for each take the driver longer than all else. */
type Found = {
  letters: (Omit<LetterSummary, Times> & { availableAt: string } & Record<Exclude<Times, 'availableAt'>, string | null>)[]
  total: number
  unreadIn: Record<string, number>
  folders: OwnFolder[]
  changed: number
  newest: string | null
  due: DueCounts | null
}
type Times = 'availableAt' | 'openedAt' | 'binnedAt' | 'expiresAt' | 'recalledAt'

/** A folder as its page shows it, with what stands beside it: one query. With `now`, what is due at that time too. Throws `not-found` for an own folder that is not there. */
export async function listFolder(
  db: Db,
  actor: Actor,
  { folder, show = 'all', page = 1, language }: Listed,
  now?: Date,
): Promise<FolderPage> {
  requireRight(actor, 'inbox:read')
  const mine = inOwnMailbox(db, actor)
  const shown = db`${mine} and ${inFolder(db, folder)} ${only(db, show)}`
  const [row] = await readWithin<{ found: string }>(
    db,
    scopeOfReceived(actor),
    db`
    select row_to_json(found)::text as found
    from (
      select
        (
          select coalesce(json_agg(letter), '[]')
          from (
            select id, sender_name as "otherName", service_name as "serviceName", ${subjectIn(db, language)} as subject, available_at as "availableAt", opened_at as "openedAt",
                   documents <> '[]' as "hasDocuments", ${isUnread(db)} as "isUnread", flagged as "isFlagged", note is not null as "hasNote",
                   binned_at as "binnedAt", expires_at as "expiresAt", recalled_at as "recalledAt", recall_reason as "recallReason"
            from message where ${shown}
            order by message.id desc limit ${lettersPerPage} offset ${(page - 1) * lettersPerPage}
          ) as letter
        ) as letters,
        (select count(*) from message where ${shown}) as total,
        (
          select coalesce(json_object_agg(folder, count), '{}')
          from (select folder, count(*) from message where ${mine} and ${isUnread(db)} group by folder) as unread
        ) as "unreadIn",
        (
          select coalesce(json_agg(json_build_object('id', id, 'parentId', parent_id, 'name', name)), '[]')
          from folder where ${inOwnFolders(db, actor)}
        ) as folders,
        (select changed from mailbox where ${own(db, db`id = ${actor.mailboxId}`)} and id = ${actor.mailboxId}) as changed,
        (select id from message where ${mine} order by id desc limit 1) as newest,
        ${now ? db`(select row_to_json(due) from (${dueCounts(db, actor, now)}) as due)` : db`null`} as due
    ) as found`,
  )
  const { letters, total, unreadIn, folders: stored, changed, newest, due } = JSON.parse(row!.found) as Found
  const folders = toTree(stored)
  if (!isFixed(folder) && !folders.some(({ id }) => id === folder)) throw new Problem('not-found')
  const unread = Object.values(unreadIn).reduce((sum, count) => sum + count, 0)
  const state = stateOf({ newest, unread, changed: String(changed) })
  return {
    ...toPage(letters.map(withTimes), total, page, unreadIn[folder] ?? 0),
    folder,
    show,
    folders,
    unreadIn,
    holdsAny: newest !== null,
    due: due ?? undefined,
    state,
  }
}

function withTimes(letter: Found['letters'][number]): LetterSummary {
  const timeOf = (text: string | null) => (text === null ? null : new Date(text))
  return {
    ...letter,
    availableAt: new Date(letter.availableAt),
    openedAt: timeOf(letter.openedAt),
    binnedAt: timeOf(letter.binnedAt),
    expiresAt: timeOf(letter.expiresAt),
    recalledAt: timeOf(letter.recalledAt),
  }
}

/** Two ways of saying it, as the inbox and the others have an index each. */
function inFolder(db: Db, folder: string): Fragment {
  return folder === 'inbox' ? db`message.folder = 'inbox'` : db`message.folder <> 'inbox' and message.folder = ${folder}`
}

function only(db: Db, show: Show): Fragment {
  if (show === 'all') return db``
  return show === 'unread' ? db`and ${isUnread(db)}` : db`and message.flagged`
}

/** Of what was sent: `openedAt` and `answeredAt` are what happened at the other side. */
export type SentPage = Omit<LetterPage, 'letters'> & { letters: (LetterSummary & { answeredAt: Date | null })[] }

/** What the actor has sent, the newest first. `openedAt` is when it was opened at the other side. */
export async function listSent(db: Db, actor: Actor, page: number): Promise<SentPage> {
  requireRight(actor, 'messages:read')
  const mine = inOwnLedger(db, actor)
  const rows = await readWithin<SentPage['letters'][number] & { total: string }>(
    db,
    scopeOfSent(actor),
    db`
    select counts.total, letter.*
    from (
      select count(*) as total
      from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where ${mine}
    ) as counts
    left join lateral (
      select message.id, ledger.recipient_name as other_name, message.service_name, message.subject, message.available_at, message.opened_at,
             ledger.answered_at, message.documents <> '[]' as has_documents
      from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where ${mine}
      order by ledger.message_id desc limit ${lettersPerPage} offset ${(page - 1) * lettersPerPage}
    ) as letter on true`,
  )
  return toPage(rows, Number(rows[0]!.total), page, 0)
}

function toPage<Line extends LetterSummary>(rows: Line[], total: number, page: number, unread: number) {
  const letters = rows.filter((row) => row.id !== null)
  return { letters, page, pages: Math.max(1, Math.ceil(total / lettersPerPage)), total, unread }
}
