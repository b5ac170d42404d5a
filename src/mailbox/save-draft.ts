import { isDeepStrictEqual } from 'node:util'
import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Draft, type DraftAim, type DraftWords, draftColumns, draftsMax, inOwnDrafts } from './draft.ts'

export type DraftEdit = DraftWords & {
  id: string
  /** That its writer has seen; 0 of one that is new. */
  version: number
  /** What a new one is to be. */
  aim: DraftAim
}

/**
 * Keeps what was written. Where somebody, or another window, has saved something else meanwhile, nothing is changed, and the answer is
 * that, as `isConflict`; the same again is no conflict. Throws `not-found` where it is gone, or was never this actor's, and
 * `too-many-drafts`.
 */
export async function saveDraft(
  db: Db,
  actor: Actor,
  { id, version, aim, subject, body, answers }: DraftEdit,
  now: Date,
): Promise<{ draft: Draft; isConflict: boolean }> {
  requireRight(actor, 'messages:write')
  const words = { subject, body, answers }
  return within(db, scopeOf(actor), async (sql) => {
    if (version === 0) await insert(sql, actor, id, aim, words, now)
    const [before] = await sql<Draft[]>`
      select ${draftColumns(sql)} from draft where ${inOwnDrafts(sql, actor)} and draft.id = ${id} for update of draft`
    if (before === undefined) throw new Problem(version === 0 ? 'too-many-drafts' : 'not-found')
    if (isDeepStrictEqual(wordsOf(before), words)) return { draft: before, isConflict: false }
    if (before.version !== version || before.sendAt !== null) return { draft: before, isConflict: true }
    const by = { writtenById: actor.by.id, writtenByName: actor.by.name }
    await sql`
      update draft set subject = ${subject}, body = ${body}, answers = ${sql.json(answers)}, version = version + 1, updated_at = ${now},
        written_by_id = ${by.writtenById}, written_by_name = ${by.writtenByName}, refused = null
      where ${own(sql, sql`draft.mailbox_id = ${actor.mailboxId}`)} and draft.id = ${id}`
    return { draft: { ...before, ...words, ...by, version: version + 1, updatedAt: now, refused: null }, isConflict: false }
  })
}

const wordsOf = ({ subject, body, answers }: Draft): DraftWords => ({ subject, body, answers })

async function insert(sql: Db, actor: Actor, id: string, aim: DraftAim, words: DraftWords, now: Date): Promise<void> {
  await sql`
    insert into draft (mailbox_id, id, kind, message_id, contact_point_id, to_party_id, to_name, service_id, category, recipient_only,
      subject, body, answers, updated_at, written_by_id, written_by_name)
    select ${actor.mailboxId}::uuid, ${id}::uuid, ${aim.kind}, ${aim.messageId}::uuid, ${aim.contactPointId}::uuid, ${aim.toPartyId}::uuid, ${aim.toName},
      ${aim.serviceId}::uuid, ${aim.category}, ${aim.recipientOnly}, ${words.subject}, ${words.body}, ${sql.json(words.answers)},
      ${now}::timestamptz, ${actor.by.id}::uuid, ${actor.by.name}
    where (select count(*) from draft where mailbox_id = ${actor.mailboxId}) < ${draftsMax}
    on conflict (mailbox_id, id) do nothing`
}

/** Gives a draft another id, and with it another reference: what was sent under the old one said something else. Throws `not-found`. */
export async function renewDraft(db: Db, actor: Actor, draftId: string): Promise<string> {
  requireRight(actor, 'messages:write')
  const id = newId()
  const { count } = await within(
    db,
    scopeOf(actor),
    (sql) => sql`update draft set id = ${id} where ${inOwnDrafts(sql, actor)} and draft.id = ${draftId}`,
  )
  if (count === 0) throw new Problem('not-found')
  return id
}
