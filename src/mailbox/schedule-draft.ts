import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { inOwnDrafts } from './draft.ts'

/**
 * Lets a draft be sent by itself at that time, by whoever asks for it now and by what they may do then (delivery/send-due-drafts.ts); with null, not any
 * more. Throws `not-found`, and `draft-changed` where it is not the version that its writer has seen.
 */
export async function scheduleDraft(
  db: Db,
  actor: Actor,
  { id, version }: { id: string; version: number },
  sendAt: Date | null,
): Promise<void> {
  requireRight(actor, 'messages:write')
  const by = { ...actor.by, ...(actor.identifiedAt ? { identifiedAt: actor.identifiedAt.toISOString() } : {}) }
  await within(db, scopeOf(actor), async (sql) => {
    const [found] = await sql<{ version: number }[]>`
      select version from draft where ${inOwnDrafts(sql, actor)} and draft.id = ${id} for update`
    if (found === undefined) throw new Problem('not-found')
    if (sendAt !== null && found.version !== version) throw new Problem('draft-changed')
    await sql`
      update draft set send_at = ${sendAt}, send_by = ${sendAt === null ? null : sql.json(by)}, refused = null, version = version + 1
      where ${inOwnDrafts(sql, actor)} and draft.id = ${id}`
  })
}
