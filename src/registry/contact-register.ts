import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import { isOpen, lockContacts, refreshSearch, takenSlugs } from './contact-edit.ts'
import { contactSlug, toContactPointRow } from './contact-point.ts'
import type { DeclaredContacts, DeclaredOrganisation } from './declaration.ts'

const changedBy = 'Registration'

/**
 * Brings a public body's contact groups and points to what the declaration says, as `register` does; a service that is in no
 * point gets a general one. Somewhere one must be able to write to.
 */
export async function bringContacts(
  db: Db,
  organisationId: string,
  { contacts = {} }: DeclaredOrganisation,
  serviceIds: ReadonlyMap<string, string>,
  at: string,
  problems: FieldProblem[],
  now: Date,
): Promise<void> {
  await lockContacts(db, organisationId)
  const groupIds = await bringGroups(db, organisationId, contacts.groups ?? [], now)
  for (const { slug, service, group, ...details } of contacts.points ?? []) {
    const row = {
      ...toContactPointRow(db, details),
      service_id: serviceIds.get(service)!,
      group_id: group === undefined ? null : groupIds.get(group)!,
    }
    await db`
      insert into contact_point ${db({ ...row, id: newId(), organisation_id: organisationId, slug, changed_at: now, changed_by_name: changedBy })}
      on conflict (organisation_id, slug) do update
      set name = excluded.name, description = excluded.description, search_words = excluded.search_words, audience = excluded.audience,
          asks = excluded.asks, files_max = excluded.files_max, megabytes_max = excluded.megabytes_max, form_url = excluded.form_url,
          active = excluded.active, visible = excluded.visible, service_id = excluded.service_id, group_id = excluded.group_id,
          version = contact_point.version + 1, changed_at = excluded.changed_at, changed_by_name = excluded.changed_by_name
      where (contact_point.name, contact_point.description, contact_point.search_words, contact_point.audience, contact_point.asks,
             contact_point.files_max, contact_point.megabytes_max, contact_point.form_url, contact_point.active, contact_point.visible,
             contact_point.service_id, contact_point.group_id)
        is distinct from
            (excluded.name, excluded.description, excluded.search_words, excluded.audience, excluded.asks,
             excluded.files_max, excluded.megabytes_max, excluded.form_url, excluded.active, excluded.visible,
             excluded.service_id, excluded.group_id)`
  }
  await addGeneralPoints(db, organisationId, now)
  // Where its services are another's, that is said already.
  if (problems.length === 0 && !(await isOpen(db, organisationId))) {
    problems.push({ field: `${at}/contacts/points`, message: 'leaves no active, visible point to write to' })
  }
  await refreshSearch(db, organisationId)
}

/** The ids of the declared groups, by slug. A group may be named before the one that it is in. */
async function bringGroups(
  db: Db,
  organisationId: string,
  groups: NonNullable<DeclaredContacts['groups']>,
  now: Date,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const { slug, name, description = {} } of groups) {
    const [group] = await db<{ id: string }[]>`
      with written as (
        insert into contact_group (id, organisation_id, slug, name, description, changed_at, changed_by_name)
        values (${newId()}, ${organisationId}, ${slug}, ${db.json(name)}, ${db.json(description)}, ${now}, ${changedBy})
        on conflict (organisation_id, slug) do update
        set name = excluded.name, description = excluded.description, version = contact_group.version + 1,
            changed_at = excluded.changed_at, changed_by_name = excluded.changed_by_name
        where (contact_group.name, contact_group.description) is distinct from (excluded.name, excluded.description)
        returning id
      )
      select id from written union select id from contact_group where organisation_id = ${organisationId} and slug = ${slug}`
    ids.set(slug, group!.id)
  }
  for (const { slug, group } of groups) {
    const parentId = group === undefined ? null : ids.get(group)!
    await db`
      update contact_group set parent_id = ${parentId}, version = version + 1
      where id = ${ids.get(slug)!} and parent_id is distinct from ${parentId}`
  }
  return ids
}

/** One for each service that has no point at all, so that it can be written to. */
export async function addGeneralPoints(db: Db, organisationId: string, now: Date): Promise<void> {
  const services = await db<{ id: string; slug: string; name: string; description: string }[]>`
    select id, slug, name, description from service
    where organisation_id = ${organisationId} and not exists (select from contact_point where service_id = service.id)
    order by slug`
  if (services.length === 0) return
  const taken = await takenSlugs(db, 'contact_point', organisationId)
  for (const { id, slug: serviceSlug, name, description } of services) {
    const details = {
      name: { en: name.slice(0, 100) },
      ...(description ? { description: { en: description.slice(0, 500) } } : {}),
    }
    const slug = contactSlug(serviceSlug, taken)
    taken.add(slug)
    const row = { ...toContactPointRow(db, details), id: newId(), organisation_id: organisationId, service_id: id, slug }
    await db`insert into contact_point ${db({ ...row, changed_at: now, changed_by_name: changedBy })}`
  }
}
