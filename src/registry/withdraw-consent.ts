import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { noteRecipientChange } from './recipient-changes.ts'

/** From now on post of this category is refused to whoever sends it. What was consented to, and when, is kept. */
export async function withdrawConsent(db: Db, actor: Actor, { category }: { category: string }, now: Date): Promise<void> {
  requireRight(actor, 'registration:manage')
  await within(db, scopeOf(actor), async (sql) => {
    const [withdrawn] = await sql`
      update consent set withdrawn_at = ${now}
      where ${own(sql, sql`party_id = ${actor.partyId}`)} and category = ${category} and withdrawn_at is null returning id`
    if (withdrawn === undefined) return
    if (actor.by.kind !== 'owner')
      await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'registration-changed' }], now)
    await noteRecipientChange(sql, { partyId: actor.partyId }, now)
  })
}
