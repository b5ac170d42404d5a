import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { checkPersonsFile } from '../documents/check.ts'
import { Problem } from '../problems.ts'
import { type DraftFile, draftColumns, inOwnDrafts } from './draft.ts'

export type UploadedFile = { filename: string; mediaType: string; bytes: Buffer }
export type FileLimits = { files: number; bytes: number }

/**
 * Puts a file to a draft, where it stays until it is sent or taken away; the same one again is there once. Throws `not-found`, what is wrong with the
 * file (documents/check.ts), `too-many-files`, and `too-large` where all are too large together.
 */
export async function addDraftFile(
  db: Db,
  actor: Actor,
  draftId: string,
  file: UploadedFile,
  limits: FileLimits,
): Promise<DraftFile> {
  requireRight(actor, 'messages:write')
  const sha256 = await checkPersonsFile(file)
  const { filename, mediaType, bytes } = file
  const added: DraftFile = { id: newId(), filename, mediaType, size: bytes.length, sha256 }
  return within(db, scopeOf(actor), async (sql) => {
    const [draft] = await sql<{ files: DraftFile[]; sendAt: Date | null }[]>`
      select ${draftColumns(sql)} from draft where ${inOwnDrafts(sql, actor)} and draft.id = ${draftId} for update of draft`
    if (draft === undefined) throw new Problem('not-found')
    if (draft.sendAt !== null) throw new Problem('draft-changed')
    const same = draft.files.find((each) => each.sha256 === sha256 && each.filename === filename)
    if (same) return same
    if (draft.files.length >= limits.files) throw new Problem('too-many-files')
    if (draft.files.reduce((sum, { size }) => sum + size, added.size) > limits.bytes) throw new Problem('too-large')
    await sql`
      insert into draft_file (mailbox_id, draft_id, id, filename, media_type, size, sha256, bytes)
      values (${actor.mailboxId}, ${draftId}, ${added.id}, ${filename}, ${mediaType}, ${added.size}, ${sha256}, ${bytes})`
    return added
  })
}

/** One that is gone already is no mistake. Throws `not-found` where the draft is. */
export async function removeDraftFile(db: Db, actor: Actor, draftId: string, fileId: string): Promise<void> {
  requireRight(actor, 'messages:write')
  await within(db, scopeOf(actor), async (sql) => {
    const [draft] = await sql<{ sendAt: Date | null }[]>`
      select send_at from draft where ${inOwnDrafts(sql, actor)} and draft.id = ${draftId} for update`
    if (draft === undefined) throw new Problem('not-found')
    if (draft.sendAt !== null) throw new Problem('draft-changed')
    await sql`delete from draft_file where mailbox_id = ${actor.mailboxId} and draft_id = ${draftId} and id = ${fileId}`
  })
}

/** To look at it once more before it is sent. Throws `not-found`. */
export async function readDraftFile(
  db: Db,
  actor: Actor,
  draftId: string,
  fileId: string,
): Promise<{ filename: string; mediaType: string; bytes: Buffer }> {
  requireRight(actor, 'messages:write')
  const [file] = await readWithin<{ filename: string; mediaType: string; bytes: Buffer }>(
    db,
    scopeOf(actor),
    db`
      select draft_file.filename, draft_file.media_type, draft_file.bytes
      from draft join draft_file on draft_file.mailbox_id = draft.mailbox_id and draft_file.draft_id = draft.id
      where ${inOwnDrafts(db, actor)} and draft.id = ${draftId} and draft_file.id = ${fileId}`,
  )
  if (file === undefined) throw new Problem('not-found')
  return file
}
