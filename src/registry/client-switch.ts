import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { noteClientChange } from './client-change.ts'
import { findSystemToChange } from './client-list.ts'

/** Switches a system off, at once: access tokens that it has already are worth nothing any more. Or on again, for new ones. */
export async function switchClient(
  db: Db,
  actor: Actor,
  { clientId, isActive }: { clientId: string; isActive: boolean },
  now: Date,
): Promise<void> {
  requireRight(actor, 'systems:manage')
  await within(db, scopeOf(actor), async (sql) => {
    const { name, serviceIds } = await findSystemToChange(sql, actor, clientId, now)
    const { count } = await sql`
      update client set is_active = ${isActive}, version = version + 1, changed_at = ${now}
      where id = ${clientId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} and is_active <> ${isActive}`
    if (count === 0) return
    const what = isActive ? 'switched-on' : 'switched-off'
    await noteClientChange(
      sql,
      { organisationId: actor.partyId, clientId, clientName: name, serviceIds, what, by: actor.by },
      now,
    )
  })
}
