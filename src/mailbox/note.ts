import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteChange } from './note-change.ts'

export const noteLengthMax = 2_000

/** Where a letter is in its mailbox, and what its readers have made of it. */
export type LetterPlace = {
  folder: string
  isFlagged: boolean
  binnedAt: Date | null
  note: string | null
  /** Raised with each change, so that one who writes says which note they had before them. */
  noteVersion: number
}

/** The columns of a LetterPlace, from the table message. */
export function placeColumns(db: Db): Fragment {
  return db`message.folder, message.flagged as is_flagged, message.binned_at, message.note, message.note_version`
}

/** Throws `not-found`, also for a letter that the actor has sent. */
export async function findPlace(db: Db, actor: Actor, messageId: string): Promise<LetterPlace> {
  requireRight(actor, 'inbox:read')
  const [place] = await readWithin<LetterPlace>(
    db,
    scopeOfReceived(actor),
    db`
    select ${placeColumns(db)} from message
    where ${inOwnMailbox(db, actor)} and message.id = ${messageId}`,
  )
  if (place === undefined) throw new Problem('not-found')
  return place
}

/**
 * Writes the note of a letter over that of `version`; an empty one takes it away. Where somebody has written another meanwhile, nothing
 * is changed, and theirs is in the answer. Throws `not-found`.
 */
export async function writeNote(
  db: Db,
  actor: Actor,
  { messageId, text, version }: { messageId: string; text: string; version: number },
  now: Date,
): Promise<{ isWritten: boolean; place: LetterPlace }> {
  requireRight(actor, 'mailbox:file')
  const note = text.trim() === '' ? null : text.trim()
  return within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    const [written] = await sql<{ serviceId: string }[]>`
      update message set note = ${note}, note_version = note_version + 1, modseq = nextval('modseq')
      where ${inOwnMailbox(sql, actor)} and message.id = ${messageId}
        and (note_version = ${version} or note is not distinct from ${note})
      returning service_id`
    if (written !== undefined && actor.by.kind !== 'owner') {
      const { partyId, by } = actor
      await noteLooks(sql, [{ partyId, by, what: 'filed', messageId, serviceId: written.serviceId }], now)
    }
    return { isWritten: written !== undefined, place: await findPlace(sql, actor, messageId) }
  })
}
