import type { Db, Fragment } from '../database/connect.ts'
import { Problem } from '../problems.ts'
import type { Actor } from './actor.ts'
import { requireRight } from './rights.ts'

const [person, business, either] = [['person'], ['business'], ['person', 'business']] as const
const post = { roles: ['reader', 'writer'], mayAdminister: false } as const

/** What each kind of grant may be. Those by law are entered by a registrar, with a document and an end, and end as they came. */
export const grantKinds = {
  helper: { givers: person, holders: either, ...post, isByLaw: false },
  employee: { givers: business, holders: person, roles: ['none', 'reader', 'writer'], mayAdminister: true, isByLaw: false },
  adviser: { givers: business, holders: either, ...post, isByLaw: false },
  guardian: { givers: person, holders: person, ...post, isByLaw: true },
  attorney: { givers: either, holders: person, ...post, isByLaw: true },
  executor: { givers: person, holders: person, ...post, isByLaw: true },
  'insolvency-practitioner': { givers: either, holders: person, ...post, isByLaw: true },
} as const satisfies Record<
  string,
  {
    givers: readonly string[]
    holders: readonly string[]
    roles: readonly GrantRole[]
    mayAdminister: boolean
    isByLaw: boolean
  }
>
export type GrantKind = keyof typeof grantKinds
/** Who may be let into a closed mailbox, to read what it keeps. */
export const kindsOfClosed: readonly GrantKind[] = ['executor', 'insolvency-practitioner']
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

/** Of a kind of post, by language; English is always there. */
export type CategoryName = { en: string; [language: string]: string }

export type Grant = {
  id: string
  giverId: string
  giverName: string
  giverIsBusiness: boolean
  /** Nobody until it is accepted. */
  holderId: string | null
  /** As the giver wrote it; once accepted, that of its party. */
  holderName: string
  /** A firm holds it, whose employees act by it. */
  holderIsBusiness: boolean
  kind: GrantKind
  role: GrantRole
  isAdministrator: boolean
  serviceIds: string[] | null
  serviceNames: string[] | null
  categories: string[] | null
  categoryNames: CategoryName[] | null
  startsAt: Date
  endsAt: Date | null
  offeredAt: Date
  offeredByName: string
  invitationEndsAt: Date | null
  acceptedAt: Date | null
  /** Who accepted for a firm. */
  acceptedByName: string | null
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

/** Throws `grant-not-possible` where such a grant makes no sense for who gives it, or for who is to hold it. */
export function refuseImpossible(
  { kind, role, isAdministrator }: Pick<Access, 'kind' | 'role' | 'isAdministrator'>,
  giverKind: string,
  holderKind = 'person',
): void {
  const { givers, holders, roles, mayAdminister } = grantKinds[kind]
  const isPossible =
    (givers as readonly string[]).includes(giverKind) &&
    (holders as readonly string[]).includes(holderKind) &&
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

/** For whom somebody takes on a grant, or gives it up: themselves, or the firm whose mailbox they have open. */
export type Side = 'person' | 'firm'

/** The party on whose side the actor is. Throws `scope-missing` where they may not manage the firm's grants. */
export function holderOf(actor: Actor, side: Side): string {
  if (side === 'person') return personOf(actor)
  requireRight(actor, 'grants:manage')
  return actor.partyId
}

/** Of a row `held` of access_grant: whether it lets its holder in at this time. */
export function grantHolds(db: Db, now: Date): Fragment {
  return db`held.accepted_at is not null and held.ended_at is null and held.starts_at <= ${now} and (held.ends_at is null or held.ends_at > ${now})`
}

/**
 * Of a row `held` of access_grant, a firm's to a person: whether they open through the firm what it holds itself. Only its
 * employees who read or write do, and so it goes one step and no further.
 */
export function grantPassesOn(db: Db): Fragment {
  return db`held.kind = 'employee' and held.role <> 'none'`
}

/**
 * What a row `held` of access_grant lets somebody do: opened through a firm, whose grant to them is `via`, what both do. Where
 * there is no `via`, all that `held` does.
 */
export function weakerOfBoth(db: Db): Fragment {
  // The names of the roles stand in the order of their strength.
  return db`
    least(held.role, via.role) as role, held.is_administrator and via.id is null as is_administrator,
    least(held.ends_at, via.ends_at) as ends_at, in_both(held.service_ids, via.service_ids) as service_ids,
    in_both(held.categories, via.categories) as categories`
}

/** Of a row `held`, made by weakerOfBoth: whether the two have anything in common. */
export function grantLeavesAny(db: Db): Fragment {
  return db`held.service_ids is distinct from '{}' and held.categories is distinct from '{}'`
}

/**
 * Of rows `held` of access_grant and `owner_mailbox`, its giver's: whether it may be opened. What a closed mailbox keeps is for
 * those only whom the law puts in the place of who had it.
 */
export function grantOpens(db: Db): Fragment {
  return db`
    (owner_mailbox.registration <> 'closed' or (held.kind in ('executor', 'insolvency-practitioner') and held.role = 'reader'))
    and ${grantLeavesAny(db)}`
}

/** Of a row `held` of access_grant: its limits, by the names that people read. */
export function limitsByName(db: Db): Fragment {
  return db`
    case when held.service_ids is not null then
      (select array_agg(service.name order by service.name) from service where service.id = any(held.service_ids)) end as service_names,
    case when held.categories is not null then
      (select jsonb_agg(jsonb_build_object('en', category.slug) || category.name order by category.slug)
       from category where category.slug = any(held.categories)) end as category_names`
}

/** The columns of a Grant, from a row `held` of access_grant. */
export function grantColumns(db: Db): Fragment {
  return db`
    held.id, held.giver_id, held.giver_name, held.giver_is_business, held.holder_id, held.holder_name,
    held.holder_is_business, held.kind, held.role, held.is_administrator, held.service_ids, held.categories, held.starts_at,
    held.ends_at, held.offered_at, held.offered_by_name, held.invitation_ends_at, held.accepted_at, held.accepted_by_name, held.declined_at, held.ended_at, held.ended_by_name, ${limitsByName(db)}`
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
