import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Draft, draftColumns, inOwnDrafts } from './draft.ts'

/** A draft in the mailbox that is open. Who reads there what somebody else wrote leaves a look. Throws `not-found`. */
export async function findDraft(db: Db, actor: Actor, draftId: string, now: Date): Promise<Draft> {
  requireRight(actor, 'messages:write')
  const [draft] = await readWithin<Draft>(
    db,
    scopeOf(actor),
    db`select ${draftColumns(db)} from draft where ${inOwnDrafts(db, actor)} and draft.id = ${draftId}`,
  )
  if (draft === undefined) throw new Problem('not-found')
  if (actor.by.kind !== 'owner' && draft.writtenById !== actor.by.id) {
    const { partyId, by } = actor
    const look = { partyId, by, what: 'draft-read', serviceId: draft.serviceId } as const
    await within(db, scopeOf(actor), (sql) => noteLooks(sql, [look], now))
  }
  return draft
}

/** The draft of an answer to this message, or of handing it on, that was changed last. */
export async function findDraftAbout(
  db: Db,
  actor: Actor,
  { messageId, kind }: { messageId: string; kind: 'answer' | 'forward' },
): Promise<{ id: string } | undefined> {
  requireRight(actor, 'messages:write')
  const [draft] = await readWithin<{ id: string }>(
    db,
    scopeOf(actor),
    db`
      select draft.id from draft where ${inOwnDrafts(db, actor)} and draft.message_id = ${messageId} and draft.kind = ${kind}
      order by draft.updated_at desc limit 1`,
  )
  return draft
}
