import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { inOwnDrafts } from './draft.ts'

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
