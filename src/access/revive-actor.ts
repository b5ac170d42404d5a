import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { Actor, By } from './actor.ts'
import { type GrantRole, grantHolds, grantLeavesAny, grantOpens, grantPassesOn, weakerOfBoth } from './grant.ts'
import { rightsOf, rightsOfStaff, type StaffRole } from './rights.ts'

/** Who asked for something that is done later, as it was written down then. */
export type Asker = Omit<By, 'identifiedAt'> & { identifiedAt?: string }

type Found = { partyId: string; role: GrantRole | null; serviceIds: string[] | null; categories: string[] | null }

/**
 * The actor who asked for something earlier, with what they may do in that mailbox now; undefined where they may not any more: their
 * grant has ended, or the mailbox is closed.
 */
export async function reviveActor(
  db: Db,
  { mailboxId, by, requestId }: { mailboxId: string; by: Asker; requestId: string },
  now: Date,
): Promise<Actor | undefined> {
  const [found] = await readWithin<Found>(
    db,
    { purpose: 'sign-in' },
    by.kind === 'owner'
      ? db`
        select party_id, null as role, null::uuid[] as service_ids, null::text[] as categories from mailbox
        where id = ${mailboxId} and party_id = ${by.id} and registration <> 'closed'`
      : db`
        select owner_mailbox.party_id, held.role, held.service_ids, held.categories
        from (
          select held.giver_id, held.kind, ${weakerOfBoth(db)}
          from access_grant held
          left join lateral (
            select * from access_grant held_by_firm where held.holder_id <> ${by.id} and held_by_firm.giver_id = held.holder_id
              and held_by_firm.holder_id = ${by.id} and exists (
                select from access_grant held where held.id = held_by_firm.id and ${grantPassesOn(db)} and ${grantHolds(db, now)}
              )
            order by held_by_firm.role desc limit 1
          ) via on true
          where held.id = ${by.grantId ?? null} and ${grantHolds(db, now)} and (held.holder_id = ${by.id} or via.id is not null)
        ) held
        join mailbox owner_mailbox on owner_mailbox.party_id = held.giver_id and owner_mailbox.id = ${mailboxId}
        where held.role <> 'none' and ${grantOpens(db)} and ${grantLeavesAny(db)}`,
  )
  if (found === undefined) return undefined
  const { identifiedAt, ...who } = by
  return {
    partyId: found.partyId,
    mailboxId,
    isOrganisation: false,
    rights: found.role === null ? rightsOf('owner') : rightsOf(found.role as 'reader' | 'writer', found.serviceIds ?? 'all'),
    categories: found.categories ?? undefined,
    by: who,
    identifiedAt: identifiedAt === undefined ? undefined : new Date(identifiedAt),
    door: 'citizen-pages',
    requestId,
  }
}

/** The same for a member of a public body's staff: undefined where they are no longer there. What they may do is by their roles now. */
export async function reviveStaff(
  db: Db,
  { mailboxId, by, requestId }: { mailboxId: string; by: Asker; requestId: string },
): Promise<Actor | undefined> {
  const [found] = await readWithin<{ partyId: string; roles: { role: StaffRole; serviceId: string }[] | null }>(
    db,
    { purpose: 'sign-in' },
    db`
      select organisation_id as party_id, (
        select jsonb_agg(jsonb_build_object('role', role, 'serviceId', service_id)) from staff_role where staff_id = staff_member.id
      ) as roles
      from staff_member where id = ${by.id} and is_active`,
  )
  if (found === undefined) return undefined
  const { identifiedAt, ...who } = by
  return {
    partyId: found.partyId,
    mailboxId,
    isOrganisation: true,
    rights: rightsOfStaff(found.roles ?? []),
    categories: undefined,
    by: who,
    identifiedAt: identifiedAt === undefined ? undefined : new Date(identifiedAt),
    door: 'department-pages',
    requestId,
  }
}
