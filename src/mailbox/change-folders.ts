import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { inOwnFolders, inOwnMailbox, isLimited } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import {
  type FolderInTree,
  type FolderRefusal,
  type OwnFolder,
  refuseFolder,
  toFolderName,
  toTree,
  withThoseInside,
} from './folder.ts'
import { noteChange } from './note-change.ts'

/** Whoever sees some of the letters only changes no folders: the names tell of letters that are not theirs to know of. */
export function mayChangeFolders(actor: Actor): boolean {
  return actor.rights.has('mailbox:file') && !isLimited(actor)
}

function requireFolders(actor: Actor): void {
  requireRight(actor, 'mailbox:file')
  if (!mayChangeFolders(actor)) throw new Problem('scope-missing')
}

/** The own folders that the actor may see, each with how many letters it holds. */
export async function listFolders(db: Db, actor: Actor): Promise<(FolderInTree & { count: number })[]> {
  requireRight(actor, 'inbox:read')
  const rows = await readWithin<OwnFolder & { count: string }>(
    db,
    scopeOfReceived(actor),
    db`
    select id, parent_id, name, (
      select count(*) from message
      where ${inOwnMailbox(db, actor)} and message.folder <> 'inbox' and message.folder = folder.id::text
    ) as count
    from folder where ${inOwnFolders(db, actor)}`,
  )
  const counts = new Map(rows.map(({ id, count }) => [id, Number(count)]))
  return toTree(rows).map((folder) => ({ ...folder, count: counts.get(folder.id)! }))
}

export type FolderInput = { name: string; parentId: string | null }
export type FolderChanged = { id: string } | { refused: FolderRefusal }

/** Makes a folder, in another one or at the top. */
export async function makeFolder(db: Db, actor: Actor, input: FolderInput): Promise<FolderChanged> {
  requireFolders(actor)
  const name = toFolderName(input.name)
  return within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    const refused = refuseFolder(await readFolders(sql, actor), { ...input, name })
    if (refused) return { refused }
    const id = newId()
    await sql`insert into folder (mailbox_id, id, parent_id, name) values (${actor.mailboxId}, ${id}, ${input.parentId}, ${name})`
    return { id }
  })
}

/**
 * Gives a folder another name or another place, with all that is in it. `seen` is how it was before whoever changes it: where another has
 * changed it since, nothing is. Throws `not-found`.
 */
export async function changeFolder(
  db: Db,
  actor: Actor,
  id: string,
  { seen, ...input }: FolderInput & { seen: FolderInput },
): Promise<FolderChanged> {
  requireFolders(actor)
  const name = toFolderName(input.name)
  return within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    const folders = await readFolders(sql, actor)
    const current = folders.find((folder) => folder.id === id)
    if (current === undefined) throw new Problem('not-found')
    const isNow = (other: FolderInput) => current.name === other.name && current.parentId === other.parentId
    if (!isNow(seen) && !isNow({ ...input, name })) return { refused: 'changed' }
    const refused = refuseFolder(folders, { ...input, name, id })
    if (refused) return { refused }
    await sql`
      update folder set name = ${name}, parent_id = ${input.parentId}
      where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and id = ${id}`
    return { id }
  })
}

/**
 * Deletes a folder with those in it. No letter is lost: all of theirs are in the archive then, also those that the actor may not
 * see, which would otherwise be nowhere. Throws `not-found`.
 */
export async function deleteFolder(db: Db, actor: Actor, id: string): Promise<void> {
  requireFolders(actor)
  await within(db, { ...scopeOfReceived(actor), isHelper: false }, async (sql) => {
    await noteChange(sql, actor)
    const ids = withThoseInside(toTree(await readFolders(sql, actor)), id).map((folder) => folder.id)
    if (ids.length === 0) throw new Problem('not-found')
    await sql`
      update message set folder = 'archive', modseq = nextval('modseq')
      where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and folder <> 'inbox' and folder = any(${ids}::text[]) and erased_at is null`
    await sql`delete from folder where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and id = any(${ids}::uuid[])`
  })
}

async function readFolders(sql: Db, { mailboxId }: Actor): Promise<OwnFolder[]> {
  return sql<OwnFolder[]>`select id, parent_id, name from folder where ${own(sql, sql`mailbox_id = ${mailboxId}`)}`
}
