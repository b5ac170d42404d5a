import { hash, randomBytes } from 'node:crypto'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { type Action, readAction, type StoredAction } from '../documents/action.ts'
import { Problem } from '../problems.ts'
import { storedAction } from './letter.ts'

/** A private address at which calendar programs read what is due in a mailbox. */
export type CalendarFeed = { isDiscreet: boolean; createdAt: Date }

/** What stands in the address: 256 random bits. */
const secretPattern = /^[A-Za-z0-9_-]{43}$/
const hashOf = (secret: string) => hash('sha256', secret, 'buffer')

/** Whoever has it reads for as long as it holds, and so only the owner makes one, for their own mailbox. */
function requireOwner(actor: Actor): void {
  requireRight(actor, 'actions:take')
  if (actor.by.kind !== 'owner') throw new Problem('scope-missing')
}

/** Makes an address, or another in place of the one that there is, which ends. It is shown once. */
export async function makeCalendarFeed(
  db: Db,
  actor: Actor,
  { isDiscreet, language }: { isDiscreet: boolean; language: string },
  now: Date,
): Promise<{ secret: string }> {
  requireOwner(actor)
  const secret = randomBytes(32).toString('base64url')
  await within(
    db,
    scopeOfReceived(actor),
    (sql) => sql`
    insert into calendar_feed (mailbox_id, token_hash, is_discreet, language, created_at)
    values (${actor.mailboxId}, ${hashOf(secret)}, ${isDiscreet}, ${language}, ${now})
    on conflict (mailbox_id) do update
    set token_hash = excluded.token_hash, is_discreet = excluded.is_discreet, language = excluded.language, created_at = excluded.created_at`,
  )
  return { secret }
}

/** Again is harmless. */
export async function endCalendarFeed(db: Db, actor: Actor): Promise<void> {
  requireOwner(actor)
  await within(db, scopeOfReceived(actor), (sql) => sql`delete from calendar_feed where ${ofActor(sql, actor)}`)
}

export async function findCalendarFeed(db: Db, actor: Actor): Promise<CalendarFeed | undefined> {
  requireOwner(actor)
  const query = db`select is_discreet, created_at from calendar_feed where ${ofActor(db, actor)}`
  const [feed] = await readWithin<CalendarFeed>(db, scopeOfReceived(actor), query)
  return feed
}

const ofActor = (db: Db, { mailboxId }: Actor) => own(db, db`mailbox_id = ${mailboxId}`)

export type CalendarEntry = Action & { messageId: string; senderName: string; serviceName: string }

const entriesMax = 500
/** What is long past is of no use in a calendar. */
const pastMs = 31 * 24 * 3_600_000

/** What the address of this secret shows: appointments, and what is to be done until some day. Undefined where there is no such address. */
export async function readCalendarFeed(
  db: Db,
  secret: string,
  now: Date,
): Promise<{ isDiscreet: boolean; language: string; entries: CalendarEntry[] } | undefined> {
  if (!secretPattern.test(secret)) return undefined
  const [feed] = await readWithin<{ mailboxId: string; isDiscreet: boolean; language: string }>(
    db,
    { purpose: 'calendar' },
    db`select mailbox_id, is_discreet, language from calendar_feed where token_hash = ${hashOf(secret)}`,
  )
  if (feed === undefined) return undefined
  const { mailboxId, isDiscreet, language } = feed
  const mine = own(db, db`action.mailbox_id = ${mailboxId}`)
  const from = new Date(now.getTime() - pastMs)
  const columns = db`${storedAction(db)} as action, action.message_id, message.sender_name, message.service_name`
  const withLetter = db`
    action join message on message.mailbox_id = action.mailbox_id and message.id = action.message_id
    where ${mine} and message.erased_at is null and message.folder <> 'bin'`
  const rows = await readWithin<{ action: StoredAction; messageId: string; senderName: string; serviceName: string }>(
    db,
    { mailbox: mailboxId },
    db`
    (
      select ${columns} from ${withLetter} and state in ('open', 'started', 'failed') and ends_at >= ${from} and meets_at is null
      order by ends_at limit ${entriesMax}
    )
    union all (
      select ${columns} from ${withLetter} and meets_at >= ${from} and state <> 'cancelled' order by meets_at limit ${entriesMax}
    )`,
  )
  return { isDiscreet, language, entries: rows.map(({ action, ...rest }) => ({ ...readAction(action), ...rest })) }
}
