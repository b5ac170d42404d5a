import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import type { LookKind } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { hashIdentifier, type Identifier, type IdentifierKeys } from './identifier.ts'
import { type Reachability, type RecipientStatus, refusalOf, statusOf } from './registration.ts'
import { namespaceOf, whatIsWrong } from './scheme.ts'

export type LookedUp = {
  status: RecipientStatus
  /** Of a mailbox opened by consent: what is consented to. Otherwise null, which is everything. */
  categories: string[] | null
  /** When a business that cannot be written to yet can be. */
  reachableFrom: Date | null
  /** Why nothing can be delivered; undefined where it can. */
  refusal: ProblemCode | undefined
}

/**
 * How each recipient can be reached, in the order asked. A scheme that the service may not use finds nobody, like an identifier
 * that is nobody's. Each who is found is told of it, and the look-up itself is kept in a log: one statement, however many.
 */
export async function lookUpRecipients(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { serviceId, identifiers }: { serviceId: string; identifiers: readonly Identifier[] },
  now: Date,
): Promise<LookedUp[]> {
  requireRight(actor, 'recipients:read')
  if (!servicesFor(actor, 'recipients:read')?.includes(serviceId)) throw new Problem('service-not-found')
  const wrong = identifiers.map(({ scheme, value }) => whatIsWrong(keys.schemes, scheme, value) !== undefined)
  const found = await find(db, keys, actor, serviceId, identifiers, now)
  return identifiers.map((_, index): LookedUp => {
    const mailbox = found.get(index + 1)
    const status = statusOf(mailbox, now)
    return {
      status,
      categories: mailbox?.categories ?? null,
      reachableFrom: status === 'not-yet' ? mailbox!.reachableFrom : null,
      refusal: wrong[index] ? 'identifier-invalid' : refusalOf(mailbox, now),
    }
  })
}

type Row = Reachability & { place: number }

/** By the place of its identifier, from one. */
async function find(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  serviceId: string,
  identifiers: readonly Identifier[],
  now: Date,
): Promise<Map<number, Reachability>> {
  const looked: LookKind = 'looked-up'
  const rows = await within(
    db,
    { purpose: 'delivery', ownServices: [serviceId] },
    (sql) => sql<Row[]>`
    with found as materialized (
      select asked.place::int, asked.look_id, asked.scheme, link.value_hash, link.service_id as namespace, mailbox.party_id,
        mailbox.registration, nullif(mailbox.reachable_from, '-infinity') as reachable_from,
        case when mailbox.by_consent then array(
          select category from consent where consent.party_id = mailbox.party_id and withdrawn_at is null order by category
        ) end as categories
      from (
        -- Row-level security keeps what calls a function out of an index: the hash is made here.
        select namespace, scheme, decode(hash, 'hex') as value_hash, look_id, place from unnest(
        ${identifiers.map(({ scheme }) => namespaceOf(keys.schemes, serviceId, scheme))}::uuid[],
        ${identifiers.map(({ scheme }) => scheme)}::text[],
        ${identifiers.map((identifier) => hashIdentifier(keys, serviceId, identifier).toString('hex'))}::text[],
        ${identifiers.map(() => newId())}::uuid[]
      ) with ordinality as given (namespace, scheme, hash, look_id, place) offset 0) as asked
      join link on link.service_id = asked.namespace and link.scheme = asked.scheme and link.value_hash = asked.value_hash
      join mailbox on mailbox.party_id = link.party_id
      where asked.namespace = ${serviceId}
        or exists (select from service_scheme where service_scheme.service_id = ${serviceId} and service_scheme.scheme = asked.scheme)
    ),
    looks as (
      insert into look (party_id, id, at, by_kind, by_id, by_name, what, service_id)
      select distinct on (party_id) party_id, look_id, ${now}::timestamptz, ${actor.by.kind}, ${actor.by.id}, ${actor.by.name}, ${looked}, ${serviceId}::uuid
      from found order by party_id, place
    ),
    known as (
      insert into known_identifier (service_id, scheme, value_hash)
      select distinct ${serviceId}::uuid, scheme, value_hash from found where namespace <> ${serviceId} order by scheme, value_hash
      on conflict do nothing
    ),
    logged as (
      insert into lookup_log (service_id, id, at, client_id, count, found)
      select ${serviceId}, ${newId()}, ${now}, ${actor.by.id}, ${identifiers.length}, count(*) from found
    )
    select place, registration, reachable_from, categories from found`,
  )
  return new Map(rows.map(({ place, ...mailbox }) => [place, mailbox]))
}
