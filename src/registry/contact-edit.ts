import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { type FieldProblem, Problem } from '../problems.ts'
import { ContactGroupDetails, type ContactPoint, ContactPointDetails, contactSlug, toContactPointRow } from './contact-point.ts'
import { misfitsOf } from './misfits.ts'

/** What is changed, as whoever changes it last saw it. */
type Seen = { id: string; version: number }

/**
 * Adds a contact point, or changes the one that was seen. Throws `not-found` for one that the actor may not change,
 * `changed-meanwhile`, and `body-invalid` with the fields that are wrong.
 */
export async function saveContactPoint(
  db: Db,
  actor: Actor,
  input: { seen?: Seen | undefined; serviceId: string; groupId: string | null; details: ContactPointDetails },
  now: Date,
): Promise<{ pointId: string }> {
  requireRight(actor, 'contact-points:manage')
  const { seen, serviceId, groupId, details } = input
  const services = servicesFor(actor, 'contact-points:manage')
  const isManaged = (id: string) => services?.includes(id) ?? true
  return within(db, scopeOf(actor), async (sql) => {
    await lockContacts(sql, actor.partyId)
    const [before] = seen
      ? await sql<Pick<ContactPoint, 'serviceId' | 'slug'>[]>`
          select service_id, slug from contact_point where id = ${seen.id} and organisation_id = ${actor.partyId}`
      : []
    if (seen && (before === undefined || !isManaged(before.serviceId))) throw new Problem('not-found')
    const problems = [
      ...misfitsOf(ContactPointDetails, details),
      ...repeatedLabels(details),
      ...(isManaged(serviceId) && (await isOwnService(sql, actor, serviceId))
        ? []
        : [{ field: '/serviceId', message: 'is not the id of a service whose contact points you manage' }]),
      ...(await unknownGroup(sql, actor, '/groupId', groupId)),
    ]
    if (problems.length > 0) throw new Problem('body-invalid', problems)
    const row = {
      ...toContactPointRow(sql, details),
      service_id: serviceId,
      group_id: groupId,
      changed_at: now,
      changed_by_name: actor.by.name,
    }
    const pointId = seen?.id ?? newId()
    if (seen === undefined) {
      const slug = contactSlug(details.name.en, await takenSlugs(sql, 'contact_point', actor.partyId))
      await sql`insert into contact_point ${sql({ ...row, id: pointId, organisation_id: actor.partyId, slug })}`
    } else {
      const wasOpen = await isOpen(sql, actor.partyId)
      const { count } = await sql`
        update contact_point set ${sql(row)}, version = version + 1
        where id = ${pointId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} and version = ${seen.version}`
      if (count === 0) throw new Problem('changed-meanwhile')
      if (wasOpen && !(await isOpen(sql, actor.partyId))) {
        throw new Problem('body-invalid', [{ field: '/active', message: 'leaves no visible place to write to' }])
      }
    }
    await refreshSearch(sql, actor.partyId, pointId)
    return { pointId }
  })
}

/** Adds a group, or changes the one that was seen. Throws as `saveContactPoint` does. */
export async function saveContactGroup(
  db: Db,
  actor: Actor,
  input: { seen?: Seen | undefined; parentId: string | null; details: ContactGroupDetails },
  now: Date,
): Promise<{ groupId: string }> {
  requireRight(actor, 'contact-points:manage')
  const { seen, parentId, details } = input
  return within(db, scopeOf(actor), async (sql) => {
    await lockContacts(sql, actor.partyId)
    const groupId = seen?.id ?? newId()
    if (seen && (await unknownGroup(sql, actor, '', seen.id)).length > 0) throw new Problem('not-found')
    const problems = [
      ...misfitsOf(ContactGroupDetails, details),
      ...(await unknownGroup(sql, actor, '/parentId', parentId)),
      ...((await isWithin(sql, parentId, groupId))
        ? [{ field: '/parentId', message: 'is this group, or one that is in it' }]
        : []),
    ]
    if (problems.length > 0) throw new Problem('body-invalid', problems)
    const row = {
      parent_id: parentId,
      name: sql.json(details.name),
      description: sql.json(details.description ?? {}),
      changed_at: now,
      changed_by_name: actor.by.name,
    }
    if (seen === undefined) {
      const slug = contactSlug(details.name.en, await takenSlugs(sql, 'contact_group', actor.partyId))
      await sql`insert into contact_group ${sql({ ...row, id: groupId, organisation_id: actor.partyId, slug })}`
    } else {
      const { count } = await sql`
        update contact_group set ${sql(row)}, version = version + 1
        where id = ${groupId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} and version = ${seen.version}`
      if (count === 0) throw new Problem('changed-meanwhile')
    }
    await refreshSearch(sql, actor.partyId)
    return { groupId }
  })
}

/** Takes away a group with nothing in it. Throws `not-found`, and `group-not-empty`. */
export async function deleteContactGroup(db: Db, actor: Actor, input: { groupId: string }, _now: Date): Promise<void> {
  requireRight(actor, 'contact-points:manage')
  const { groupId } = input
  await within(db, scopeOf(actor), async (sql) => {
    await lockContacts(sql, actor.partyId)
    if ((await unknownGroup(sql, actor, '', groupId)).length > 0) throw new Problem('not-found')
    const [content] = await sql`
      select from contact_point where group_id = ${groupId} union all select from contact_group where parent_id = ${groupId} limit 1`
    if (content !== undefined) throw new Problem('group-not-empty')
    await sql`delete from contact_group where id = ${groupId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)}`
  })
}

/** One change of a public body's contacts at a time: what was looked up still holds when it is written. */
export async function lockContacts(db: Db, organisationId: string): Promise<void> {
  await db`select pg_advisory_xact_lock(hashtextextended(${`contacts of ${organisationId}`}, 0))`
}

/** Whether anybody finds a place to write to. */
export async function isOpen(db: Db, organisationId: string): Promise<boolean> {
  const [open] = await db`
    select from contact_point where organisation_id = ${organisationId} and active and visible and form_url is null limit 1`
  return open !== undefined
}

export async function takenSlugs(db: Db, table: 'contact_point' | 'contact_group', organisationId: string): Promise<Set<string>> {
  const rows = await db<{ slug: string }[]>`select slug from ${db(table)} where organisation_id = ${organisationId}`
  return new Set(rows.map(({ slug }) => slug))
}

/** Brings the words that points are found by to what they, their groups, services and public body are called now. */
export async function refreshSearch(db: Db, organisationId: string, pointId?: string): Promise<void> {
  await db`
    update contact_point set search = fresh.search
    from (
      select id, contact_words(id) as search from contact_point
      where organisation_id = ${organisationId} ${pointId === undefined ? db`` : db`and id = ${pointId}`}
      offset 0
    ) as fresh
    where contact_point.id = fresh.id and contact_point.search <> fresh.search`
}

function repeatedLabels({ asks = [] }: ContactPointDetails): FieldProblem[] {
  const [first, second] = asks
  if (first === undefined || second === undefined || first.label?.en !== second.label?.en) return []
  return [{ field: '/asks/1/label/en', message: 'is the same as that of another' }]
}

async function isOwnService(db: Db, actor: Actor, serviceId: string): Promise<boolean> {
  const [service] = await db`select from service where id = ${serviceId} and organisation_id = ${actor.partyId}`
  return service !== undefined
}

async function unknownGroup(db: Db, actor: Actor, field: string, groupId: string | null): Promise<FieldProblem[]> {
  if (groupId === null) return []
  const [group] = await db`select from contact_group where id = ${groupId} and organisation_id = ${actor.partyId}`
  return group === undefined ? [{ field, message: 'is not the id of a group of this organisation' }] : []
}

/** Whether a group is another, or somewhere in it. */
async function isWithin(db: Db, groupId: string | null, outerId: string): Promise<boolean> {
  if (groupId === null) return false
  const [found] = await db`
    with recursive above as (
      select id, parent_id from contact_group where id = ${groupId}
      union
      select contact_group.id, contact_group.parent_id from above join contact_group on contact_group.id = above.parent_id
    )
    select from above where id = ${outerId}`
  return found !== undefined
}
