import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { hashIdentifier, type Identifier, type IdentifierKeys } from './identifier.ts'
import { merged, type Registration } from './registration.ts'
import { installationNamespace } from './scheme.ts'

/** What a registrar knows of somebody: never a part of a name, so that nobody can go through the register. */
export type RecordQuery =
  | { by: 'person'; name: string; birthDate: string }
  | { by: 'business'; name: string }
  /** Of a scheme of the whole installation. */
  | { by: 'identifier'; identifier: Identifier }

export type FoundParty = {
  id: string
  kind: 'person' | 'business'
  name: string
  birthDate: string | null
  registration: Registration
  createdAt: Date
}
export type RecordSearch = {
  searchId: string
  reason: string
  found: FoundParty[]
  /** More fit than are shown. */
  isCutOff: boolean
}

export const foundMax = 20
/** For how long a search and a viewing may be come back to. */
export const viewMinutes = 30

/** Finds people or businesses. The search is kept with its reason, and each who is shown is told. */
export async function searchRecords(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { query, reason }: { query: RecordQuery; reason: string },
  now: Date,
): Promise<RecordSearch> {
  requireRight(actor, 'registry:manage')
  return within(db, { purpose: 'registry' }, async (sql) => {
    const fitting = await sql<FoundParty[]>`
      select ${columns(sql)} from party join mailbox on mailbox.party_id = party.id
      where ${fits(sql, keys, query)} and party.kind in ('person', 'business') and ${isNotMerged(sql)}
      order by party.created_at, party.id limit ${foundMax + 1}`
    const found = fitting.slice(0, foundMax)
    const searchId = newId()
    await sql`
      insert into record_search (id, registrar_id, at, searched_by, reason, party_ids)
      values (${searchId}, ${actor.by.id}, ${now}, ${query.by}, ${reason}, ${found.map(({ id }) => id)}::uuid[])`
    const looks = found.map(({ id }) => ({ partyId: id, by: actor.by, what: 'looked-up' as const, reason }))
    await noteLooks(sql, looks, now)
    return { searchId, reason, found, isCutOff: fitting.length > foundMax }
  })
}

function columns(db: Db): Fragment {
  return db`party.id, party.kind, party.name, party.birth_date::text, mailbox.registration, party.created_at`
}

/** What is left of a record that was merged into another is not found any more. */
function isNotMerged(db: Db): Fragment {
  return db`not exists (
    select from registration_change where registration_change.party_id = party.id and became = 'closed' and reason = ${merged})`
}

function fits(db: Db, keys: IdentifierKeys, query: RecordQuery): Fragment {
  if (query.by === 'identifier') {
    const hash = hashIdentifier(keys, installationNamespace, query.identifier)
    return db`party.id in (
      select link.party_id from link
      where link.service_id = ${installationNamespace} and link.scheme = ${query.identifier.scheme} and link.value_hash = ${hash})`
  }
  const name = db`party.name_key = lower(${asOneLine(query.name)})`
  if (query.by === 'business') return db`${name} and party.kind = 'business'`
  return db`${name} and party.birth_date = ${query.birthDate}::text::date and party.kind = 'person'`
}

/** As a name is kept, however it was typed. */
function asOneLine(name: string): string {
  return name.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
}

/** A search of the same registrar's, while it may be come back to. Throws `not-found`. */
export async function readSearch(db: Db, actor: Actor, searchId: string, now: Date): Promise<Omit<RecordSearch, 'isCutOff'>> {
  requireRight(actor, 'registry:manage')
  return within(db, { purpose: 'registry' }, async (sql) => {
    const [search] = await sql<{ reason: string; partyIds: string[] }[]>`
      select reason, party_ids from record_search
      where id = ${searchId} and registrar_id = ${actor.by.id} and at > ${earliest(now)}`
    if (search === undefined) throw new Problem('not-found')
    const found = await sql<FoundParty[]>`
      select ${columns(sql)} from party join mailbox on mailbox.party_id = party.id
      where party.id = any(${search.partyIds}::uuid[]) order by party.created_at, party.id`
    return { searchId, reason: search.reason, found }
  })
}

/** Opens a viewing of one of those whom a search showed, by its place there. */
export async function viewFound(
  db: Db,
  actor: Actor,
  { searchId, place }: { searchId: string; place: number },
  now: Date,
): Promise<{ viewId: string }> {
  return within(db, { purpose: 'registry' }, async (sql) => {
    const { found, reason } = await readSearch(sql, actor, searchId, now)
    const party = found[place]
    if (party === undefined) throw new Problem('not-found')
    return startView(sql, actor, { partyId: party.id, reason }, now)
  })
}

/** A viewing, which its owner is told of before anything is shown. */
export async function startView(
  db: Db,
  actor: Actor,
  { partyId, reason }: { partyId: string; reason: string },
  now: Date,
): Promise<{ viewId: string }> {
  requireRight(actor, 'registry:manage')
  const viewId = newId()
  await within(db, { purpose: 'registry' }, async (sql) => {
    await sql`
      insert into record_view (id, registrar_id, party_id, at, reason)
      values (${viewId}, ${actor.by.id}, ${partyId}, ${now}, ${reason})`
    await noteLooks(sql, [{ partyId, by: actor.by, what: 'record-viewed', reason }], now)
  })
  return { viewId }
}

/** Whose record a viewing is of: the same registrar's, while it lasts. Throws `not-found`. */
export async function findView(
  db: Db,
  actor: Actor,
  viewId: string,
  now: Date,
): Promise<{ viewId: string; partyId: string; reason: string; endsAt: Date }> {
  requireRight(actor, 'registry:manage')
  const [view] = await readWithin<{ partyId: string; reason: string; at: Date }>(
    db,
    { purpose: 'registry' },
    db`
      select party_id, reason, at from record_view
      where id = ${viewId} and registrar_id = ${actor.by.id} and at > ${earliest(now)}`,
  )
  if (view === undefined) throw new Problem('not-found')
  return { viewId, partyId: view.partyId, reason: view.reason, endsAt: new Date(view.at.getTime() + viewMinutes * 60_000) }
}

function earliest(now: Date): Date {
  return new Date(now.getTime() - viewMinutes * 60_000)
}
