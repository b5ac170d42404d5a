import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type ContactGroup, type ContactPoint, contactPointColumns, contactPointTables } from './contact-point.ts'

/** Of `point`: whether it is there for the party whose mailbox is open. */
function isForParty(db: Db, actor: Actor): Fragment {
  return db`(select kind from party where id = ${actor.partyId}) = any(point.audience)`
}

/** The same, and it is shown to whoever browses or searches: of the services that the actor may write to. */
export function isOffered(db: Db, actor: Actor): Fragment {
  const services = servicesFor(actor, 'messages:write')
  return db`
    point.active and point.visible and ${isForParty(db, actor)}
    ${services ? db`and point.service_id = any(${services as string[]}::uuid[])` : db``}`
}

/** Whether the actor may write to its service: who writes for another may be limited to some. */
export function mayWriteTo(actor: Actor, { serviceId }: ContactPoint): boolean {
  return servicesFor(actor, 'messages:write')?.includes(serviceId) ?? true
}

export type Organisation = { slug: string; name: string; description: string }

/** Public bodies at which there is a place for the actor to write to. */
export async function listOrganisations(db: Db, actor: Actor): Promise<Organisation[]> {
  requireRight(actor, 'messages:write')
  return readWithin<Organisation>(
    db,
    scopeOf(actor),
    db`
      select organisation.slug, party.name, organisation.description
      from organisation join party on party.id = organisation.party_id
      where exists (select from contact_point point where point.organisation_id = organisation.party_id and ${isOffered(db, actor)})
      order by party.name`,
  )
}

/** Where one may write to about a service, as far as the actor may; some of them, by their names. */
export async function listContactsOf(db: Db, actor: Actor, serviceId: string, limit: number): Promise<ContactPoint[]> {
  if (!actor.rights.has('messages:write')) return []
  return readWithin<ContactPoint>(
    db,
    scopeOf(actor),
    db`
      select ${contactPointColumns(db)} from ${contactPointTables(db)}
      where point.service_id = ${serviceId} and ${isOffered(db, actor)}
      order by point.name ->> 'en', point.id limit ${limit}`,
  )
}

type Group = Pick<ContactGroup, 'slug' | 'name' | 'description'>
/** What one sees at a public body, or in one of its groups: groups, and points to write to. */
export type ContactLevel = {
  organisationName: string
  /** The groups that one is in, the outermost first. */
  path: Group[]
  groups: Group[]
  points: ContactPoint[]
}

/** One level of the tree. Groups in which nothing is offered are left out. Throws `not-found`. */
export async function browseContacts(
  db: Db,
  actor: Actor,
  at: { organisation: string; group?: string | undefined },
): Promise<ContactLevel> {
  requireRight(actor, 'messages:write')
  const [points, groups] = await Promise.all([
    readWithin<ContactPoint>(
      db,
      scopeOf(actor),
      db`
        select ${contactPointColumns(db)} from ${contactPointTables(db)}
        where organisation.slug = ${at.organisation} and ${isOffered(db, actor)}
        order by point.name ->> 'en', point.id`,
    ),
    readWithin<ContactGroup>(
      db,
      scopeOf(actor),
      db`
        select contact_group.id, contact_group.slug, version, parent_id, name, contact_group.description
        from contact_group join organisation on organisation.party_id = organisation_id
        where organisation.slug = ${at.organisation}
        order by name ->> 'en', id`,
    ),
  ])
  const [anyPoint] = points
  const here = at.group === undefined ? undefined : groups.find(({ slug }) => slug === at.group)
  if (anyPoint === undefined || (at.group !== undefined && here === undefined)) throw new Problem('not-found')
  const filled = new Set(points.flatMap(({ groupId }) => pathOf(groups, groupId).map(({ id }) => id)))
  if (here !== undefined && !filled.has(here.id)) throw new Problem('not-found')
  const hereId = here?.id ?? null
  return {
    organisationName: anyPoint.organisationName,
    path: pathOf(groups, hereId),
    groups: groups.filter(({ id, parentId }) => parentId === hereId && filled.has(id)),
    points: points.filter(({ groupId }) => groupId === hereId),
  }
}

/** A group and those that it is in, the outermost first. */
export function pathOf<Node extends { id: string; parentId: string | null }>(
  groups: readonly Node[],
  groupId: string | null,
): Node[] {
  const group = groupId === null ? undefined : groups.find(({ id }) => id === groupId)
  return group === undefined ? [] : [...pathOf(groups, group.parentId), group]
}

/**
 * A contact point by its address or its id, also one that is hidden, no longer active, or of a service that the actor may not write to: its
 * page says so. Throws `not-found`.
 */
export async function findContactPoint(
  db: Db,
  actor: Actor,
  at: { organisation: string; point: string } | { id: string },
): Promise<ContactPoint> {
  requireRight(actor, 'messages:write')
  const [point] = await readWithin<ContactPoint>(
    db,
    scopeOf(actor),
    db`
      select ${contactPointColumns(db)} from ${contactPointTables(db)}
      where ${'id' in at ? db`point.id = ${at.id}` : db`organisation.slug = ${at.organisation} and point.slug = ${at.point}`}
        and ${isForParty(db, actor)}`,
  )
  if (point === undefined) throw new Problem('not-found')
  return point
}
