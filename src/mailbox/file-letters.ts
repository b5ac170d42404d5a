import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { inOwnFolders, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { isFixed } from './folder.ts'
import { noteChange } from './note-change.ts'

/** So many letters are filed at once at most. */
export const lettersAtOnce = 100

export const waysToFile = ['archive', 'bin', 'restore', 'move', 'read', 'unread', 'flag', 'unflag'] as const
export type WayToFile = (typeof waysToFile)[number]

export type Filing = {
  ids: readonly string[]
  what: WayToFile
  /** For `move`. */
  to?: string | undefined
  /** Where the letters were when they were chosen. Of these, any that has been moved meanwhile stays where it is now. */
  from?: string | undefined
}

export type Filed = {
  /** By which it can be undone; undefined where nothing was changed. */
  id: string | undefined
  what: WayToFile
  folder: string | undefined
  /** How many letters are another way than before. */
  count: number
  /** How many were left, as they had been moved meanwhile. */
  moved: number
  /** How many stay unread, as nobody has opened them: that is evidence, and no mark. */
  unopened: number
}

/** What of a letter's row filing changes. */
type Place = { folder: string; flagged: boolean; markedUnread: boolean; binnedAt: string | null }
type Row = {
  id: string
  serviceId: string
  isOpened: boolean
  isRecalled: boolean
  folder: string
  flagged: boolean
  markedUnread: boolean
  binnedAt: Date | null
}
type Change = { id: string; before: Place; after: Place }

const targets = { archive: 'archive', bin: 'bin', restore: 'inbox' } as const

/**
 * Files letters: puts them into a folder, marks or flags them. Those that the actor may not see are passed over; throws `not-found`
 * where none is left, and where the folder is not there.
 */
export async function fileLetters(db: Db, actor: Actor, filing: Filing, now: Date): Promise<Filed> {
  requireRight(actor, 'mailbox:file')
  const { what, from } = filing
  const folder = what === 'move' ? filing.to : what in targets ? targets[what as keyof typeof targets] : undefined
  if (what === 'move' && folder === undefined) throw new Problem('not-found')
  return within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    if (folder !== undefined && !(await isThere(sql, actor, folder))) throw new Problem('not-found')
    const rows = await readRows(sql, actor, filing.ids.slice(0, lettersAtOnce))
    if (rows.length === 0) throw new Problem('not-found')
    const here = from === undefined ? rows : rows.filter((row) => row.folder === from)
    const changes = here
      .map((row): Change => ({ id: row.id, before: placeOf(row), after: change(placeOf(row), { what, folder }, row, now) }))
      .filter(({ before, after }) => !isSame(before, after))
    const done = { what, folder, count: changes.length, moved: rows.length - here.length, unopened: 0 }
    if (what === 'read') done.unopened = here.filter(({ isOpened, isRecalled }) => !isOpened && !isRecalled).length
    if (changes.length === 0) return { ...done, id: undefined }
    await writePlaces(
      sql,
      actor,
      changes.map(({ id, after }) => ({ id, ...after })),
    )
    if (actor.by.kind !== 'owner') await noteFiling(sql, actor, rows, changes, now)
    const id = newId()
    await sql`
      insert into filing (mailbox_id, id, by_id, at, what, folder, letters)
      values (${actor.mailboxId}, ${id}, ${actor.by.id}, ${now}, ${what}, ${folder ?? null}, ${sql.json(changes)})`
    return { ...done, id }
  })
}

export type Undone = { count: number; left: number }

/**
 * Puts back what one's own filing did: each letter that is still where that had put it, and no other. Again, it finds nothing more
 * to do. Throws `not-found`.
 */
export async function undoFiling(db: Db, actor: Actor, filingId: string, now: Date): Promise<Undone> {
  requireRight(actor, 'mailbox:file')
  return within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    const [filing] = await sql<{ letters: Change[] }[]>`
      delete from filing
      where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and id = ${filingId} and by_id = ${actor.by.id}
      returning letters`
    if (filing === undefined) throw new Problem('not-found')
    const rows = await readRows(
      sql,
      actor,
      filing.letters.map(({ id }) => id),
    )
    const now_ = new Map(rows.map((row) => [row.id, placeOf(row)]))
    const still = filing.letters.filter(({ id, after }) => now_.has(id) && isSame(now_.get(id)!, after))
    const back: (Place & { id: string })[] = []
    for (const { id, before } of still) {
      const isGone = !isFixed(before.folder) && !(await isThere(sql, actor, before.folder))
      back.push({ id, ...before, folder: isGone ? 'archive' : before.folder })
    }
    await writePlaces(sql, actor, back)
    if (actor.by.kind !== 'owner') await noteFiling(sql, actor, rows, still, now)
    return { count: still.length, left: filing.letters.length - still.length }
  })
}

/** What was done, for who did it: to say it on the next page. Undefined where it is undone or too long ago. */
export async function findFiling(
  db: Db,
  actor: Actor,
  filingId: string,
): Promise<{ what: WayToFile; folder: string | null; count: number } | undefined> {
  const [row] = await within(
    db,
    scopeOfReceived(actor),
    (sql) => sql<{ what: WayToFile; folder: string | null; count: number }[]>`
      select what, folder, jsonb_array_length(letters) as count from filing
      where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and id = ${filingId} and by_id = ${actor.by.id}`,
  )
  return row
}

function change(place: Place, { what, folder }: { what: WayToFile; folder: string | undefined }, row: Row, now: Date): Place {
  if (what === 'flag' || what === 'unflag') return { ...place, flagged: what === 'flag' }
  if (what === 'read') return { ...place, markedUnread: false }
  // One that was never opened is unread as it is.
  if (what === 'unread') return { ...place, markedUnread: row.isOpened }
  if (folder === undefined || folder === place.folder) return place
  return { ...place, folder, binnedAt: folder === 'bin' ? now.toISOString() : null }
}

function placeOf({ folder, flagged, markedUnread, binnedAt }: Row): Place {
  return { folder, flagged, markedUnread, binnedAt: binnedAt?.toISOString() ?? null }
}

function isSame(one: Place, other: Place): boolean {
  return one.folder === other.folder && one.flagged === other.flagged && one.markedUnread === other.markedUnread
}

/** Whether letters can be put there by this actor. */
async function isThere(sql: Db, actor: Actor, folder: string): Promise<boolean> {
  if (isFixed(folder)) return true
  const found = await sql`select from folder where ${inOwnFolders(sql, actor)} and folder.id::text = ${folder}`
  return found.length > 0
}

async function readRows(sql: Db, actor: Actor, ids: readonly string[]): Promise<Row[]> {
  return sql<Row[]>`
    select id, service_id, opened_at is not null and recalled_at is null as is_opened, recalled_at is not null as is_recalled, folder, flagged, marked_unread, binned_at
    from message where ${inOwnMailbox(sql, actor)} and message.id = any(${ids as string[]}::uuid[])
    order by id for update`
}

async function writePlaces(sql: Db, actor: Actor, places: readonly (Place & { id: string })[]): Promise<void> {
  await sql`
    update message
    set folder = place.folder, flagged = place.flagged, marked_unread = place."markedUnread", binned_at = place."binnedAt", modseq = nextval('modseq')
    from jsonb_to_recordset(${sql.json(places as never)})
      as place (id uuid, folder text, flagged boolean, "markedUnread" boolean, "binnedAt" timestamptz)
    where ${inOwnMailbox(sql, actor)} and message.id = place.id`
}

/** Its owner sees that somebody else has moved their letters about. */
async function noteFiling(sql: Db, actor: Actor, rows: readonly Row[], changes: readonly Change[], now: Date): Promise<void> {
  const services = new Map(rows.map(({ id, serviceId }) => [id, serviceId]))
  const { partyId, by } = actor
  await noteLooks(
    sql,
    changes.map(({ id }) => ({ partyId, by, what: 'filed', messageId: id, serviceId: services.get(id) })),
    now,
  )
}
