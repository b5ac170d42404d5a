import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteClientChange } from './client-change.ts'
import { findSystemToChange } from './client-list.ts'

/**
 * Takes a key from a system: at once, and then the access tokens that it has are worth nothing either; or from a day on, so that
 * it has time to go over to another key. A day that was set may come nearer and not go further away.
 */
export async function endClientKey(
  db: Db,
  actor: Actor,
  { clientId, thumbprint, at }: { clientId: string; thumbprint: string; at?: Date | undefined },
  now: Date,
): Promise<void> {
  requireRight(actor, 'systems:manage')
  await within(db, scopeOf(actor), async (sql) => {
    const { name, serviceIds, keys } = await findSystemToChange(sql, actor, clientId, now)
    if (!keys.some((key) => key.thumbprint === thumbprint)) throw new Problem('not-found')
    const isNow = at === undefined || at <= now
    const isOwn = own(sql, sql`organisation_id = ${actor.partyId}`)
    const ofKey = sql`client_id = ${clientId} and thumbprint = ${thumbprint} and ${isOwn}`
    const { count } = isNow
      ? await sql`update client_key set removed_at = ${now} where ${ofKey} and removed_at is null`
      : await sql`update client_key set ends_at = ${at} where ${ofKey} and removed_at is null and (ends_at is null or ends_at > ${at})`
    if (count === 0) return
    if (isNow) await sql`update client set version = version + 1, changed_at = ${now} where id = ${clientId} and ${isOwn}`
    const change = { organisationId: actor.partyId, clientId, clientName: name, serviceIds, key: thumbprint, by: actor.by }
    await noteClientChange(sql, { ...change, what: isNow ? 'key-removed' : 'key-ended' }, now)
  })
}
