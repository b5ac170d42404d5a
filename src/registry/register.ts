import { v7 as newId } from 'uuid'
import type { Database, Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import { createParty } from './create-party.ts'
import { checkDeclaration, DeclarationError, type DeclaredOrganisation, type RegisterOptions } from './declaration.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from './identifier.ts'

/**
 * Brings public bodies, with their services, systems, staff and links, to what the declaration says, all or nothing. Again
 * with the same declaration changes nothing. What it does not name stays as it is, and nothing moves from one public body, or
 * one party, to another. Throws DeclarationError.
 */
export async function register(
  db: Db,
  keys: IdentifierKeys,
  declaration: unknown,
  options: RegisterOptions,
  now: Date,
): Promise<void> {
  const { organisations } = checkDeclaration(declaration, options)
  const inTransaction = async (sql: Db) => {
    // One at a time, so that what was looked up still holds when it is written.
    await sql`select pg_advisory_xact_lock(hashtext('digital-post register'))`
    const problems: FieldProblem[] = []
    for (const [index, organisation] of organisations.entries()) {
      const at = `/organisations/${index}`
      const organisationId = await bringOrganisation(sql, organisation, now)
      const serviceIds = await bringServices(sql, organisationId, organisation, at, problems)
      await bringClients(sql, organisationId, organisation, serviceIds, at, problems)
      await bringStaff(sql, organisationId, organisation, serviceIds, at, problems)
      await bringLinks(sql, keys, organisation, serviceIds, at, problems, now)
    }
    if (problems.length > 0) throw new DeclarationError(problems)
  }
  await (isPool(db) ? db.begin(inTransaction) : inTransaction(db))
}

function isPool(db: Db): db is Database {
  return 'begin' in db
}

async function bringOrganisation(db: Db, { slug, name, description = '' }: DeclaredOrganisation, now: Date): Promise<string> {
  const [known] = await db<{ partyId: string }[]>`select party_id from organisation where slug = ${slug}`
  if (known === undefined) {
    const { partyId } = await createParty(db, { kind: 'public-body', name }, now)
    await db`insert into organisation (party_id, slug, description) values (${partyId}, ${slug}, ${description})`
    return partyId
  }
  await db`update party set name = ${name} where id = ${known.partyId} and name <> ${name}`
  await db`update organisation set description = ${description} where party_id = ${known.partyId} and description <> ${description}`
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
  for (const [index, { slug, name, description = '' }] of services.entries()) {
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
    }
    ids.set(slug, service!.id)
  }
  return ids
}

const inOrder = (slugs: readonly string[], ids: Map<string, string>) => slugs.map((slug) => ids.get(slug)!)

async function bringClients(
  db: Db,
  organisationId: string,
  { clients = [] }: DeclaredOrganisation,
  serviceIds: Map<string, string>,
  at: string,
  problems: FieldProblem[],
): Promise<void> {
  for (const [index, { id, name, services, scopes, jwks, demoSecret }] of clients.entries()) {
    const [client] = await db<{ organisationId: string }[]>`
      with written as (
        insert into client (id, organisation_id, name, service_ids, scopes, jwks, demo_secret)
        values (${id}, ${organisationId}, ${name}, ${inOrder(services, serviceIds)}::uuid[], ${scopes}::text[],
                ${jwks ? db.json(jwks) : null}, ${demoSecret ?? null})
        on conflict (id) do update set name = excluded.name, service_ids = excluded.service_ids, scopes = excluded.scopes,
          jwks = excluded.jwks, demo_secret = excluded.demo_secret
        where client.organisation_id = excluded.organisation_id
          and (client.name, client.service_ids, client.scopes, client.jwks, client.demo_secret)
            is distinct from (excluded.name, excluded.service_ids, excluded.scopes, excluded.jwks, excluded.demo_secret)
        returning organisation_id
      )
      select organisation_id from written union select organisation_id from client where id = ${id}`
    if (client!.organisationId !== organisationId) {
      problems.push({ field: `${at}/clients/${index}/id`, message: 'belongs to another organisation' })
    }
  }
}

async function bringStaff(
  db: Db,
  organisationId: string,
  { staff = [] }: DeclaredOrganisation,
  serviceIds: Map<string, string>,
  at: string,
  problems: FieldProblem[],
): Promise<void> {
  for (const [index, { subject, name, services, roles = ['post-reader', 'post-writer'] }] of staff.entries()) {
    const [member] = await db<{ id: string; organisationId: string }[]>`
      with written as (
        insert into staff_member (id, organisation_id, subject, name)
        values (${newId()}, ${organisationId}, ${subject}, ${name})
        on conflict (subject) do update set name = excluded.name
        where staff_member.organisation_id = excluded.organisation_id and staff_member.name <> excluded.name
        returning id, organisation_id
      )
      select id, organisation_id from written union select id, organisation_id from staff_member where subject = ${subject}`
    if (member!.organisationId !== organisationId) {
      problems.push({ field: `${at}/staff/${index}/subject`, message: 'belongs to another organisation' })
      continue
    }
    await db`
      with wanted as (
        select service_id, role from unnest(${inOrder(services, serviceIds)}::uuid[]) as service_id, unnest(${roles as string[]}::text[]) as role
      ),
      taken as (
        delete from staff_role
        where staff_id = ${member!.id} and (service_id, role) not in (select service_id, role from wanted)
      )
      insert into staff_role (staff_id, service_id, role) select ${member!.id}, service_id, role from wanted on conflict do nothing`
  }
}

/** A link is never turned to another party: the letters already sent by it would have gone to the wrong one. */
async function bringLinks(
  db: Db,
  keys: IdentifierKeys,
  { links = [] }: DeclaredOrganisation,
  serviceIds: Map<string, string>,
  at: string,
  problems: FieldProblem[],
  now: Date,
): Promise<void> {
  for (const [index, { service, identifier, party }] of links.entries()) {
    const serviceId = serviceIds.get(service)!
    const [known] = await db`select from party where id = ${party}`
    if (known === undefined) {
      problems.push({ field: `${at}/links/${index}/party`, message: 'is the id of no party' })
      continue
    }
    const hash = hashIdentifier(keys, serviceId, identifier)
    const sealed = sealIdentifier(keys, serviceId, identifier.value)
    await db`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
      values (${serviceId}, ${identifier.scheme}, ${hash}, ${sealed}, ${party}, ${now})
      on conflict do nothing`
    const [link] = await db<{ partyId: string }[]>`
      select party_id from link where service_id = ${serviceId} and scheme = ${identifier.scheme} and value_hash = ${hash}`
    if (link!.partyId !== party)
      problems.push({ field: `${at}/links/${index}/identifier`, message: 'already means another party' })
  }
}
