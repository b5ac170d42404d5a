import type { Db, Fragment } from '../database/connect.ts'
import { Problem } from '../problems.ts'
import type { Actor } from './actor.ts'

/** What each kind of grant may be. Those by law are entered by a registrar, with a document and an end, and end as they came. */
export const grantKinds = {
  helper: { givers: ['person'], roles: ['reader', 'writer'], mayAdminister: false, isByLaw: false },
  employee: { givers: ['business'], roles: ['none', 'reader', 'writer'], mayAdminister: true, isByLaw: false },
  adviser: { givers: ['business'], roles: ['reader', 'writer'], mayAdminister: false, isByLaw: false },
  guardian: { givers: ['person'], roles: ['reader', 'writer'], mayAdminister: false, isByLaw: true },
  attorney: { givers: ['person', 'business'], roles: ['reader', 'writer'], mayAdminister: false, isByLaw: true },
  executor: { givers: ['person'], roles: ['reader', 'writer'], mayAdminister: false, isByLaw: true },
  'insolvency-practitioner': {
    givers: ['person', 'business'],
    roles: ['reader', 'writer'],
    mayAdminister: false,
    isByLaw: true,
  },
} as const satisfies Record<
  string,
  { givers: readonly string[]; roles: readonly GrantRole[]; mayAdminister: boolean; isByLaw: boolean }
>
export type GrantKind = keyof typeof grantKinds
export type GrantRole = 'none' | 'reader' | 'writer'

/** What a grant lets its holder do. */
export type Access = {
  kind: GrantKind
  role: GrantRole
  isAdministrator: boolean
  /** Limits; undefined is none. */
  serviceIds?: readonly string[] | undefined
  categories?: readonly string[] | undefined
}

export type Grant = {
  id: string
  giverId: string
  giverName: string
  giverIsBusiness: boolean
  /** Nobody until it is accepted. */
  holderId: string | null
  /** As the giver wrote it; once accepted, that of its party. */
  holderName: string
  kind: GrantKind
  role: GrantRole
  isAdministrator: boolean
  serviceIds: string[] | null
  serviceNames: string[] | null
  categories: string[] | null
  categoryNames: string[] | null
  startsAt: Date
  endsAt: Date | null
  offeredAt: Date
  offeredByName: string
  invitationEndsAt: Date | null
  acceptedAt: Date | null
  declinedAt: Date | null
  endedAt: Date | null
  endedByName: string | null
}

/** `expired`: nobody accepted in time. `over`: past its own end. `ended`: somebody ended it. */
export type GrantState = 'offered' | 'expired' | 'declined' | 'not-begun' | 'active' | 'over' | 'ended'

export function stateOf(grant: Grant, now: Date): GrantState {
  if (grant.declinedAt) return 'declined'
  if (grant.endedAt) return 'ended'
  if (!grant.acceptedAt) return grant.invitationEndsAt && grant.invitationEndsAt > now ? 'offered' : 'expired'
  if (grant.endsAt && grant.endsAt <= now) return 'over'
  return grant.startsAt > now ? 'not-begun' : 'active'
}

/** From when until when; nothing begins in the past. Throws `grant-over`. */
export function periodOf({ startsAt, endsAt }: { startsAt?: Date | undefined; endsAt?: Date | undefined }, now: Date) {
  const from = startsAt && startsAt > now ? startsAt : now
  if (endsAt && endsAt <= from) throw new Problem('grant-over')
  return { startsAt: from, endsAt: endsAt ?? null }
}

/** Throws `grant-not-possible` where such a grant makes no sense for who gives it. */
export function refuseImpossible({ kind, role, isAdministrator }: Access, giverKind: string): void {
  const { givers, roles, mayAdminister } = grantKinds[kind]
  const isPossible =
    (givers as readonly string[]).includes(giverKind) &&
    (roles as readonly GrantRole[]).includes(role) &&
    (mayAdminister || !isAdministrator) &&
    (role !== 'none' || isAdministrator)
  if (!isPossible) throw new Problem('grant-not-possible')
}

/** The party of the person who acts, whoever's mailbox is open. */
export function personOf({ by }: Actor): string {
  if (by.kind !== 'owner' && by.kind !== 'helper') throw new Problem('scope-missing')
  return by.id
}

/** Of a row `held` of access_grant: whether it lets its holder in at this time. */
export function grantHolds(db: Db, now: Date): Fragment {
  return db`held.accepted_at is not null and held.ended_at is null and held.starts_at <= ${now} and (held.ends_at is null or held.ends_at > ${now})`
}

/**
 * Of rows `held` of access_grant and `owner_mailbox`, its giver's: whether it may be opened. What a closed mailbox keeps is for
 * those only whom the law puts in the place of who had it.
 */
export function grantOpens(db: Db): Fragment {
  return db`(owner_mailbox.registration <> 'closed' or (held.kind in ('executor', 'insolvency-practitioner') and held.role = 'reader'))`
}

/** Of a row `held` of access_grant: its limits, by the names that people read. */
export function limitsByName(db: Db): Fragment {
  return db`
    case when held.service_ids is not null then
      (select array_agg(service.name order by service.name) from service where service.id = any(held.service_ids)) end as service_names,
    case when held.categories is not null then
      (select array_agg(coalesce(category.name->>'en', category.slug) order by category.slug)
       from category where category.slug = any(held.categories)) end as category_names`
}

/** The columns of a Grant, from a row `held` of access_grant. */
export function grantColumns(db: Db): Fragment {
  return db`
    held.id, held.giver_id, held.giver_name, held.giver_is_business, held.holder_id, held.holder_name, held.kind, held.role,
    held.is_administrator, held.service_ids, held.categories, held.starts_at, held.ends_at, held.offered_at, held.offered_by_name,
    held.invitation_ends_at, held.accepted_at, held.declined_at, held.ended_at, held.ended_by_name, ${limitsByName(db)}`
}

/**
 * From here to the end of the transaction nobody else's grant begins or ends: two that are right one by one must not close
 * a circle together, nor leave a business without an administrator.
 */
export async function lockGrants(db: Db): Promise<void> {
  await db`select pg_advisory_xact_lock(hashtext('digital-post grants'))`
}

/**
 * Throws `grant-to-oneself` or `grant-in-circle`, where the holder already lets somebody in who lets somebody in … who is the giver.
 * Wants lockGrants, and a scope in which all grants are seen.
 */
export async function refuseCircle(db: Db, giverId: string, holderId: string, now: Date): Promise<void> {
  if (giverId === holderId) throw new Problem('grant-to-oneself')
  const [circle] = await db`
    with recursive reached (party_id) as (
      select ${holderId}::uuid
      union
      select held.holder_id from reached join access_grant held on held.giver_id = reached.party_id
      where held.accepted_at is not null and held.ended_at is null and (held.ends_at is null or held.ends_at > ${now})
    )
    select from reached where party_id = ${giverId}`
  if (circle !== undefined) throw new Problem('grant-in-circle')
}

/** Throws `last-administrator` where a business has none but the holder of this grant. Wants lockGrants. */
export async function refuseLastAdministrator(db: Db, grant: Pick<Grant, 'id' | 'giverId'>, now: Date): Promise<void> {
  const [other] = await db`
    select from access_grant held
    where held.giver_id = ${grant.giverId} and held.id <> ${grant.id} and held.is_administrator and ${grantHolds(db, now)} limit 1`
  if (other === undefined) throw new Problem('last-administrator')
}
