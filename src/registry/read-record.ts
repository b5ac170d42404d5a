import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type FoundParty, findView } from './find-record.ts'

export type RecordedGrant = {
  id: string
  /** Of the other side. */
  name: string
  kind: string
  role: 'none' | 'reader' | 'writer'
  isAdministrator: boolean
  /** Names of what it is limited to. */
  services: string[] | null
  categories: string[] | null
  startsAt: Date
  endsAt: Date | null
  acceptedAt: Date | null
  endedAt: Date | null
  endedByName: string | null
  /** By which it was entered. */
  hasDocument: boolean
}

/** What the registry knows of a party. Nothing of its post, and of its identifiers no more than that there are some. */
export type PartyRecord = FoundParty & {
  viewId: string
  reason: string
  endsAt: Date
  byConsent: boolean
  reachableFrom: Date | null
  keptUntil: string | null
  history: { at: Date; was: string; became: string; reason: string; note: string | null; byKind: string; byName: string }[]
  given: RecordedGrant[]
  held: RecordedGrant[]
  links: { serviceName: string; organisationName: string; linkedAt: Date }[]
  schemes: string[]
  /** Other records of the same name and birth date that it could be merged with. */
  likenesses: { id: string; createdAt: Date; services: number }[]
}

/** The record that a viewing is of. Its owner was told when the viewing began. */
export async function readRecord(db: Db, actor: Actor, viewId: string, now: Date): Promise<PartyRecord> {
  return within(db, { purpose: 'registry' }, async (sql) => {
    const { partyId, reason, endsAt } = await findView(sql, actor, viewId, now)
    const [party] = await sql<(FoundParty & Pick<PartyRecord, 'byConsent' | 'reachableFrom' | 'keptUntil'>)[]>`
      select party.id, party.kind, party.name, party.birth_date::text, party.created_at, mailbox.registration, mailbox.by_consent,
        nullif(mailbox.reachable_from, '-infinity') as reachable_from, mailbox.kept_until::text
      from party join mailbox on mailbox.party_id = party.id where party.id = ${partyId}`
    if (party === undefined) throw new Problem('not-found')
    const history = await sql<PartyRecord['history']>`
      select at, was, became, reason, note, by_kind, by_name from registration_change where party_id = ${partyId} order by id desc`
    const { links, schemes } = await readLinks(sql, partyId)
    return {
      ...party,
      viewId,
      reason,
      endsAt,
      history,
      given: await readGrants(sql, partyId, 'given'),
      held: await readGrants(sql, partyId, 'held'),
      links,
      schemes,
      likenesses: await findLikenesses(sql, party),
    }
  })
}

async function readGrants(db: Db, partyId: string, side: 'given' | 'held'): Promise<RecordedGrant[]> {
  const isGiven = side === 'given'
  return db<RecordedGrant[]>`
    select held.id, coalesce(other.name, held.holder_name) as name, held.kind, held.role, held.is_administrator, held.categories,
      (select array_agg(service.name order by service.name) from service where service.id = any(held.service_ids)) as services,
      held.starts_at, held.ends_at, held.accepted_at, held.ended_at, held.ended_by_name,
      exists (select from grant_document where grant_document.grant_id = held.id) as has_document
    from access_grant held
    left join party other on other.id = ${isGiven ? db`held.holder_id` : db`held.giver_id`}
    where ${isGiven ? db`held.giver_id` : db`held.holder_id`} = ${partyId} and held.declined_at is null
    order by held.ended_at is not null, held.offered_at desc, held.id`
}

async function readLinks(db: Db, partyId: string): Promise<Pick<PartyRecord, 'links' | 'schemes'>> {
  const links = await db<(PartyRecord['links'][number] & { scheme: string; serviceName: string | null })[]>`
    select link.scheme, service.name as service_name, body.name as organisation_name, link.linked_at
    from link
    left join service on service.id = link.service_id
    left join party body on body.id = service.organisation_id
    where link.party_id = ${partyId}
    order by body.name, service.name, link.linked_at`
  const ofServices = links.filter(({ serviceName }) => serviceName !== null)
  const ofInstallation = links.filter(({ serviceName }) => serviceName === null)
  return {
    links: ofServices.map(({ scheme: _, ...link }) => link),
    schemes: [...new Set(ofInstallation.map(({ scheme }) => scheme))],
  }
}

async function findLikenesses(
  db: Db,
  { id, kind, name, birthDate, registration }: FoundParty,
): Promise<PartyRecord['likenesses']> {
  if (kind !== 'person' || birthDate === null || registration === 'closed') return []
  return db<PartyRecord['likenesses']>`
    select party.id, party.created_at,
      (select count(distinct link.service_id)::int from link where link.party_id = party.id) as services
    from party
    where party.name_key = lower(${name}) and party.birth_date = ${birthDate}::text::date and party.kind = 'person' and party.id <> ${id}
      and exists (select from mailbox where mailbox.party_id = party.id and mailbox.registration <> 'closed')
    order by party.created_at, party.id limit 20`
}
