import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Actor, type By, nameWithFirm } from './actor.ts'
import { type Grant, grantColumns, grantKinds, lockGrants, personOf, refuseLastAdministrator } from './grant.ts'
import { noteLooks } from './look.ts'
import { requireRight } from './rights.ts'

export type Ending = { grantId: string; reason?: string | undefined }

/**
 * Ends what one party let another do, or takes back what was offered: at once, also where the mailbox is open just now. By its
 * owner, a business's administrator, whoever holds it (for a firm its administrator), or a registrar, who says why. Again is harmless. Throws `not-found`;
 * `grant-by-law` where only a registrar or its holder may end it; `last-administrator` where nobody would be left to let anyone in.
 */
export async function endGrant(db: Db, actor: Actor, { grantId, reason }: Ending, now: Date): Promise<void> {
  if (actor.by.kind === 'registrar') {
    requireRight(actor, 'registry:manage')
    if (!reason?.trim()) throw new Problem('grant-incomplete', [{ field: '/reason', message: 'Say why.' }])
    const isThere = await within(db, { purpose: 'registry' }, (sql) => end(sql, actor, sql`held.id = ${grantId}`, reason, now))
    if (!isThere) throw new Problem('not-found')
    return
  }
  const personId = personOf(actor)
  if (await endOwn(db, actor, grantId, now)) return
  const isHeld = await within(db, { party: personId }, (sql) =>
    end(sql, actor, sql`held.id = ${grantId} and ${own(sql, sql`held.holder_id = ${personId}`)}`, undefined, now),
  )
  if (!isHeld) throw new Problem('not-found')
}

/** Given or held by the party whose mailbox is open, by whoever may manage its grants. */
async function endOwn(db: Db, actor: Actor, grantId: string, now: Date): Promise<boolean> {
  if (!actor.rights.has('grants:manage')) return false
  return within(db, { party: actor.partyId }, (sql) =>
    end(
      sql,
      actor,
      sql`held.id = ${grantId} and ${own(sql, sql`${actor.partyId} in (held.giver_id, held.holder_id)`)}`,
      undefined,
      now,
    ),
  )
}

/** Of a row `held`, the one that is meant; answers whether there is one. */
async function end(db: Db, actor: Actor, isMeant: Fragment, reason: string | undefined, now: Date): Promise<boolean> {
  await lockGrants(db)
  const [grant] = await db<Grant[]>`select ${grantColumns(db)} from access_grant held where ${isMeant}`
  if (grant === undefined) return false
  if (grant.endedAt !== null || grant.declinedAt !== null) return true
  const by = endedBy(actor, grant)
  if (by.kind !== 'registrar') {
    if (grantKinds[grant.kind].isByLaw && by.id !== grant.holderId) throw new Problem('grant-by-law')
    if (grant.isAdministrator && grant.acceptedAt) {
      await within(db, { party: grant.giverId }, (sql) => refuseLastAdministrator(sql, grant, now))
    }
  }
  await db`
    update access_grant set ended_at = ${now}, ended_by_name = ${by.name}, end_reason = ${reason ?? null}, invitation_hash = null
    where id = ${grant.id}`
  if (by.id !== grant.giverId) await noteLooks(db, [{ partyId: grant.giverId, by, what: 'grant-ended', reason }], now)
  return true
}

/** A firm's grant is given up for the firm; one's own for oneself, also from a mailbox that is open through a firm. */
function endedBy({ partyId, by }: Actor, { holderId, holderName }: Grant): By {
  if (by.id === holderId) return { ...by, name: holderName }
  return partyId === holderId ? { ...by, name: nameWithFirm(by.name, holderName) } : by
}
