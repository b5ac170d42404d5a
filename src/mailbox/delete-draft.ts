import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { inOwnDrafts } from './draft.ts'

/** With its files, and for good. Throws `not-found`. */
export async function deleteDraft(db: Db, actor: Actor, draftId: string): Promise<void> {
  requireRight(actor, 'messages:write')
  const { count } = await within(
    db,
    scopeOf(actor),
    (sql) => sql`delete from draft where ${inOwnDrafts(sql, actor)} and draft.id = ${draftId}`,
  )
  if (count === 0) throw new Problem('not-found')
}
