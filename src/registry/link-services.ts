import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type IdentifierKeys, openIdentifier } from './identifier.ts'
import { endingOf } from './link-request.ts'

/** A service that people can link, as its declaration says. */
export type LinkingService = {
  id: string
  slug: string
  name: string
  organisationName: string
  /** What its site calls itself. */
  siteName: string
  address: string
  issuer: string
  jwksUrl: string
}

function columns(db: Db): Fragment {
  return db`service.id, service.slug, service.name, party.name as organisation_name,
    coalesce(service.linking_name, party.name) as site_name,
    service.linking_address as address, service.linking_issuer as issuer, service.linking_jwks_url as jwks_url`
}

/** Undefined where there is no such service, or it takes no part. */
export async function findLinkingService(db: Db, slug: string): Promise<LinkingService | undefined> {
  const [service] = await db<LinkingService[]>`
    select ${columns(db)} from service join party on party.id = service.organisation_id
    where service.slug = ${slug} and service.linking_issuer is not null`
  return service
}

/** All that can be linked, by name. Whoever has two accounts with one service links both. */
export async function listLinkingServices(db: Db): Promise<LinkingService[]> {
  return db<LinkingService[]>`
    select ${columns(db)} from service join party on party.id = service.organisation_id
    where service.linking_issuer is not null
    order by party.name, service.name`
}

/** A link as its owner sees it. */
export type OwnLink = {
  id: string
  serviceName: string
  organisationName: string
  linkedAt: Date
  /** The last characters of the identifier. */
  ending: string
  /** Whether people can link the service here; otherwise the link was entered for them. */
  isLinkable: boolean
}

/** What the actor has linked, by name. */
export async function listLinks(db: Db, keys: IdentifierKeys, actor: Actor, only?: { id: string }): Promise<OwnLink[]> {
  requireRight(actor, 'links:manage')
  const services = servicesFor(actor, 'links:manage')
  const rows = await readWithin<Omit<OwnLink, 'ending'> & { serviceId: string; valueSealed: Buffer }>(
    db,
    scopeOf(actor),
    db`
      select link.id, link.service_id, link.value_sealed, link.linked_at, service.name as service_name, party.name as organisation_name,
        service.linking_issuer is not null as is_linkable
      from link join service on service.id = link.service_id join party on party.id = service.organisation_id
      where ${own(db, db`link.party_id = ${actor.partyId} ${services ? db`and link.service_id = any(${services as string[]}::uuid[])` : db``}`)}
        ${only ? db`and link.id = ${only.id}` : db``}
      order by party.name, service.name, link.linked_at`,
  )
  return rows.map(({ serviceId, valueSealed, ...link }) => ({
    ...link,
    ending: endingOf(openIdentifier(keys, serviceId, valueSealed)),
  }))
}

export async function findLink(db: Db, keys: IdentifierKeys, actor: Actor, id: string): Promise<OwnLink> {
  const [link] = await listLinks(db, keys, actor, { id })
  if (link === undefined) throw new Problem('not-found')
  return link
}
