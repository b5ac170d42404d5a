import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Actor, isFromOutside } from './actor.ts'
import {
  type Access,
  type Grant,
  grantColumns,
  grantHolds,
  lockGrants,
  periodOf,
  refuseImpossible,
  refuseLastAdministrator,
} from './grant.ts'
import { noteLooks } from './look.ts'
import { refuseMoreThanMailbox } from './offer-grant.ts'
import { requireRight } from './rights.ts'

export type Change = Access & { grantId: string; endsAt?: Date | undefined }

/**
 * An administrator changes what one of a business's people may do. The grant as it was ends, and another begins in its place, so
 * that the history stays. Nobody changes their own. Throws `not-found`, `grant-to-oneself`, and what offerGrant throws.
 */
export async function changeGrant(db: Db, actor: Actor, change: Change, now: Date): Promise<{ grantId: string }> {
  requireRight(actor, 'grants:manage')
  const id = newId()
  await within(db, { party: actor.partyId, mailbox: actor.mailboxId, isHelper: isFromOutside(actor) }, async (sql) => {
    await lockGrants(sql)
    const [before] = await sql<Grant[]>`
      select ${grantColumns(sql)} from access_grant held
      where held.id = ${change.grantId} and ${own(sql, sql`held.giver_id = ${actor.partyId}`)} and held.giver_is_business
        and held.accepted_at is not null and held.ended_at is null and (held.ends_at is null or held.ends_at > ${now})`
    if (before === undefined) throw new Problem('not-found')
    if (before.holderId === actor.by.id || (await isOfFirm(sql, actor.by.id, before, now))) throw new Problem('grant-to-oneself')
    refuseImpossible(change, 'business', before.holderIsBusiness ? 'business' : 'person')
    await refuseMoreThanMailbox(sql, actor, change)
    const { startsAt, endsAt } = periodOf({ startsAt: before.startsAt, endsAt: change.endsAt }, now)
    if (before.isAdministrator && !change.isAdministrator) await refuseLastAdministrator(sql, before, now)
    await sql`
      update access_grant set ended_at = ${now}, ended_by_name = ${actor.by.name} where id = ${before.id}`
    await sql`
      insert into access_grant ${sql({
        id,
        giver_id: actor.partyId,
        giver_name: before.giverName,
        giver_is_business: true,
        holder_id: before.holderId,
        holder_name: before.holderName,
        holder_is_business: before.holderIsBusiness,
        kind: change.kind,
        role: change.role,
        is_administrator: change.isAdministrator,
        service_ids: (change.serviceIds as string[] | undefined) ?? null,
        categories: (change.categories as string[] | undefined) ?? null,
        starts_at: startsAt,
        ends_at: endsAt,
        offered_at: now,
        offered_by_id: actor.by.id,
        offered_by_name: actor.by.name,
        accepted_at: now,
        accepted_by_name: before.acceptedByName,
        replaces_id: before.id,
      })}`
    await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'grant-entered' }], now)
  })
  return { grantId: id }
}

/** Whether a firm holds it that lets the person in: what they may do through the firm is their own as well. */
async function isOfFirm(db: Db, personId: string, { holderId, holderIsBusiness }: Grant, now: Date): Promise<boolean> {
  if (!holderIsBusiness) return false
  const [ofFirm] = await within(
    db,
    { party: personId },
    (sql) => sql`
      select from access_grant held where held.giver_id = ${holderId} and held.holder_id = ${personId} and ${grantHolds(sql, now)} limit 1`,
  )
  return ofFirm !== undefined
}
