import type { Actor } from '../access/actor.ts'
import { servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { awaitWriters, shareFeeds } from '../database/feed-lock.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Identifier, type IdentifierKeys, openIdentifier } from './identifier.ts'
import { type Reachability, type RecipientStatus, statusOf } from './registration.ts'
import { installationNamespace } from './scheme.ts'

const feedLock = 8202

export type RecipientChange = {
  /** Whom the services know, and whose registration, consent or link has changed. */
  partyId: string
  /** Only this service is told: a link of its own has changed. */
  serviceId?: string
  /** A link that is gone already, and by which the service does not know the party any more. */
  endedLink?: { scheme: string; valueSealed: Buffer }
  /** The one link that is new. */
  madeLink?: { scheme: string; valueSealed: Buffer }
  /** A link of the party's that somebody else has claimed, and was refused. */
  contestedLink?: { scheme: string; valueSealed: Buffer }
}

/**
 * Tells the services that know a party how it can be reached now. In the transaction of the change, and its last statement: a
 * reader of the feed waits for whoever has told, so who has told must not wait for a row of others (database/feed-lock.ts
 * says why nothing is missed).
 */
export async function noteRecipientChange(
  db: Db,
  { partyId, serviceId, endedLink, madeLink, contestedLink }: RecipientChange,
  now: Date,
): Promise<void> {
  // What a letter's way needs to see is what there is to tell.
  await within(db, { purpose: 'delivery' }, async (sql) => {
    const oneLink = endedLink ?? madeLink ?? contestedLink
    const links = oneLink
      ? [{ serviceId: serviceId!, ...oneLink }]
      : await sql<{ serviceId: string; scheme: string; valueSealed: Buffer }[]>`
          select service_id, scheme, value_sealed from link
          where party_id = ${partyId} and service_id <> ${installationNamespace}
          union all
          select known.service_id, link.scheme, link.value_sealed
          from link
          join known_identifier known on known.scheme = link.scheme and known.value_hash = link.value_hash
          join service_scheme allowed on allowed.service_id = known.service_id and allowed.scheme = known.scheme
          where link.party_id = ${partyId} and link.service_id = ${installationNamespace}`
    const told = links.filter((link) => serviceId === undefined || link.serviceId === serviceId)
    if (told.length === 0) return
    const mailbox = endedLink ? undefined : await findReachability(sql, partyId)
    const status = statusOf(mailbox, now)
    const reachableFrom = status === 'not-yet' ? mailbox!.reachableFrom : null
    const serviceIds = told.map((link) => link.serviceId)
    await sql`${shareFeeds(sql, feedLock, serviceIds)}`
    await sql`
      insert into recipient_change (service_id, at, scheme, value_sealed, status, categories, reachable_from, contested)
      select told.service_id, ${now}, told.scheme, decode(told.value_sealed, 'hex'), ${status}, ${mailbox?.categories ?? null}::text[],
             ${reachableFrom}, ${contestedLink !== undefined}
      from unnest(
        ${serviceIds}::uuid[],
        ${told.map(({ scheme }) => scheme)}::text[],
        ${told.map(({ valueSealed }) => valueSealed.toString('hex'))}::text[]
      ) as told (service_id, scheme, value_sealed)`
  })
}

async function findReachability(db: Db, partyId: string): Promise<Reachability | undefined> {
  const [mailbox] = await db<Reachability[]>`
    select registration, nullif(reachable_from, '-infinity') as reachable_from,
           case when by_consent then array(
             select category from consent where consent.party_id = mailbox.party_id and withdrawn_at is null order by category
           ) end as categories
    from mailbox where party_id = ${partyId}`
  return mailbox
}

export type ToldChange = {
  serviceId: string
  identifier: Identifier
  status: RecipientStatus
  categories: string[] | null
  reachableFrom: Date | null
  contested: boolean
  at: Date
  position: string
}

/** Up to `limit` changes after a position, in order, for one service or all that the actor acts for: nothing missed, nothing twice. */
export async function readRecipientChanges(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { after, limit }: { after: string; limit: number },
): Promise<ToldChange[]> {
  requireRight(actor, 'recipients:read')
  const serviceIds = servicesFor(actor, 'recipients:read')
  if (serviceIds === undefined) throw new Problem('not-found')
  const query = (sql: Db) => sql`
    select service_id, scheme, value_sealed, status, categories, reachable_from, contested, at, position from recipient_change
    where ${own(sql, sql`service_id = any(${serviceIds as string[]}::uuid[])`)} and position > ${after}
    order by position limit ${limit}`
  type Row = Omit<ToldChange, 'identifier'> & { scheme: string; valueSealed: Buffer }
  const scope = { ownServices: serviceIds }
  if ((await readWithin<Row>(db, scope, query(db))).length === 0) return []
  // There is something new, so there may be something on its way to a place before it.
  const rows = await within(db, scope, async (sql) => {
    await awaitWriters(sql, feedLock, serviceIds)
    return sql<Row[]>`${query(sql)}`
  })
  return rows.map(({ scheme, valueSealed, ...row }) => ({
    ...row,
    identifier: { scheme, value: openIdentifier(keys, row.serviceId, valueSealed, scheme) },
  }))
}
