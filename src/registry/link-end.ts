import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteRecipientChange } from './recipient-changes.ts'

/** At once: what is sent by this identifier from now on is refused. What has arrived stays. */
export async function endLink(db: Db, actor: Actor, { linkId }: { linkId: string }, now: Date): Promise<void> {
  requireRight(actor, 'links:manage')
  await within(db, scopeOf(actor), async (sql) => {
    const [link] = await sql<{ serviceId: string; scheme: string; valueSealed: Buffer }[]>`
      delete from link where id = ${linkId} and ${own(sql, sql`party_id = ${actor.partyId}`)}
      returning service_id, scheme, value_sealed`
    if (link === undefined) throw new Problem('not-found')
    await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'link-ended', serviceId: link.serviceId }], now)
    const { serviceId, ...endedLink } = link
    await noteRecipientChange(sql, { partyId: actor.partyId, serviceId, endedLink }, now)
  })
}

/** For a job. Those who come too late are told so. */
export async function deleteExpiredLinkRequests(db: Db, now: Date): Promise<void> {
  await within(db, { purpose: 'upkeep' }, (sql) => sql`delete from link_request where expires_at <= ${now}`)
}
