import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import type { FieldProblem } from '../problems.ts'
import { bringActionHosts } from './action-hosts.ts'
import { applyNotices } from './apply-notices.ts'
import { bringCategories } from './category-register.ts'
import { bringClients } from './client-register.ts'
import { bringContacts } from './contact-register.ts'
import { createParty } from './create-party.ts'
import {
  checkDeclaration,
  type Declaration,
  DeclarationError,
  type DeclaredOrganisation,
  type RegisterOptions,
} from './declaration.ts'
import type { IdentifierKeys } from './identifier.ts'
import { bringLinks, type Linked } from './identifier-register.ts'
import { bringLinking } from './link-declaration.ts'
import { noteRecipientChange } from './recipient-changes.ts'
import { defaultRules } from './registration.ts'
import { bringSchemes } from './scheme-register.ts'
import { bringStaff } from './staff-register.ts'

/**
 * Brings public bodies, with their services, contact points, systems, staff and links, and registrars to what the declaration says, all or
 * nothing. Again with the same declaration changes nothing. What it does not name stays as it is, and nothing moves from one
 * public body, or one party, to another. Throws DeclarationError.
 */
export async function register(
  db: Db,
  keys: IdentifierKeys,
  declaration: unknown,
  options: RegisterOptions,
  now: Date,
): Promise<void> {
  const { organisations, registrars = [], categories = [], notices = [] } = checkDeclaration(declaration, options)
  const inTransaction = async (sql: Db) => {
    // One at a time, so that what was looked up still holds when it is written.
    await sql`select pg_advisory_xact_lock(hashtext('digital-post register'))`
    const problems: FieldProblem[] = []
    const linked: Linked[] = []
    await bringCategories(sql, categories)
    for (const [index, organisation] of organisations.entries()) {
      const at = `/organisations/${index}`
      const organisationId = await bringOrganisation(sql, organisation, now)
      const serviceIds = await bringServices(sql, organisationId, organisation, at, problems)
      await bringActionHosts(sql, organisationId, organisation, { at, demo: options.demo }, problems, now)
      await bringContacts(sql, organisationId, organisation, serviceIds, at, problems, now)
      await bringClients(sql, organisationId, organisation, serviceIds, at, problems, now)
      await bringStaff(sql, organisationId, organisation, serviceIds, at, problems, now)
      await bringSchemes(sql, keys.schemes, organisation, serviceIds, at, problems)
      linked.push(...(await bringLinks(sql, keys, organisation, serviceIds, at, problems, now)))
    }
    await bringRegistrars(sql, registrars)
    for (const link of linked) await noteRecipientChange(sql, link, now)
    problems.push(...(await applyNotices(sql, keys, notices, options.rules ?? defaultRules, now)))
    if (problems.length > 0) throw new DeclarationError(problems)
  }
  await within(db, { purpose: 'registry' }, inTransaction)
}

async function bringOrganisation(db: Db, declared: DeclaredOrganisation, now: Date): Promise<string> {
  const { slug, name, description = '', evidenceYears = null } = declared
  const [known] = await db<{ partyId: string }[]>`select party_id from organisation where slug = ${slug}`
  if (known === undefined) {
    const { partyId } = await createParty(db, { kind: 'public-body', name }, now)
    await db`insert into organisation (party_id, slug, description, evidence_years) values (${partyId}, ${slug}, ${description}, ${evidenceYears})`
    return partyId
  }
  await db`update party set name = ${name} where id = ${known.partyId} and name <> ${name}`
  await db`
    update organisation set description = ${description}, evidence_years = ${evidenceYears}
    where party_id = ${known.partyId} and (description, evidence_years) is distinct from (${description}, ${evidenceYears}::integer)`
  return known.partyId
}

/** The ids of the organisation's services, by slug. */
async function bringServices(
  db: Db,
  organisationId: string,
  { services }: DeclaredOrganisation,
  at: string,
  problems: FieldProblem[],
): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const [
    index,
    {
      slug,
      name,
      description = '',
      linking,
      lettersPerSecond = null,
      lettersPerDay = null,
      holdBatches = false,
      releaseByTwo = false,
      urgent = false,
    },
  ] of services.entries()) {
    const [service] = await db<{ id: string; organisationId: string }[]>`
      with written as (
        insert into service (id, slug, organisation_id, name, description)
        values (${newId()}, ${slug}, ${organisationId}, ${name}, ${description})
        on conflict (slug) do update set name = excluded.name, description = excluded.description
        where service.organisation_id = excluded.organisation_id
          and (service.name, service.description) is distinct from (excluded.name, excluded.description)
        returning id, organisation_id
      )
      select id, organisation_id from written union select id, organisation_id from service where slug = ${slug}`
    if (service!.organisationId !== organisationId) {
      problems.push({ field: `${at}/services/${index}/slug`, message: 'belongs to another organisation' })
    } else {
      await bringLinking(db, service!.id, linking)
      await db`
        update service
        set letters_per_second = ${lettersPerSecond}, letters_per_day = ${lettersPerDay}, hold_batches = ${holdBatches}, release_by_two = ${releaseByTwo}, sends_urgent = ${urgent}
        where id = ${service!.id}
          and (letters_per_second, letters_per_day, hold_batches, release_by_two, sends_urgent)
            is distinct from (${lettersPerSecond}::integer, ${lettersPerDay}::bigint, ${holdBatches}::boolean, ${releaseByTwo}::boolean, ${urgent}::boolean)`
    }
    ids.set(slug, service!.id)
  }
  return ids
}

async function bringRegistrars(db: Db, registrars: NonNullable<Declaration['registrars']>): Promise<void> {
  for (const { subject, name, active = true } of registrars) {
    await db`
      insert into registrar (id, subject, name, is_active) values (${newId()}, ${subject}, ${name}, ${active})
      on conflict (subject) do update set name = excluded.name, is_active = excluded.is_active
      where (registrar.name, registrar.is_active) is distinct from (excluded.name, excluded.is_active)`
  }
}
