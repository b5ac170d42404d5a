import type { Db, Fragment } from '../database/connect.ts'
import { awaitWriters, shareFeeds } from '../database/feed-lock.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import type { ChangedAction, EvidenceEvent } from './record.ts'

const feedLock = 8201

/** For whoever writes events, in the same statement and before it draws their positions (database/feed-lock.ts). */
export function lockFeeds(db: Db, senderIds: readonly string[]): Fragment {
  return shareFeeds(db, feedLock, senderIds)
}

/**
 * What a sender is told of; each is evidence too (evidence/record.ts). Each once for a message but for answers, files that were
 * handed over, what became of actions, and rejections, which are of a try.
 */
export const messageEventTypes = [
  'message.accepted',
  'message.rejected',
  'message.available',
  'message.opened',
  'message.handed-over',
  'message.answered',
  'message.action',
  'message.recalled',
  'message.failed',
] as const satisfies EvidenceEvent[]
export type MessageEventType = (typeof messageEventTypes)[number]

export type MessageEvent = {
  /** Of the event, and of its evidence. */
  id: string
  type: MessageEventType
  messageId: string
  reference: string
  at: Date
  position: string
  /** Of an action that has changed; otherwise null. */
  action: ChangedAction | null
}

/** Up to `limit` events of these senders after a position, in order: nothing missed, nothing twice. */
export async function readEvents(db: Db, senderIds: readonly string[], after: string, limit: number): Promise<MessageEvent[]> {
  const scope = { senders: senderIds }
  const query = (sql: Db) => sql`
    select id, type, message_id, reference, at, position, ${actionOf(sql)} from event
    where ${own(sql, sql`sender_id = any(${senderIds as string[]}::uuid[])`)} and position > ${after}
    order by position limit ${limit}`
  if ((await readWithin(db, scope, query(db))).length === 0) return []
  // There is something new, so there may be something on its way to a place before it.
  return within(db, scope, async (sql) => {
    await awaitWriters(sql, feedLock, senderIds)
    return sql<MessageEvent[]>`${query(sql)}`
  })
}

/** Only of events that have one: the facts of an acceptance are long. */
export function actionOf(db: Db): Fragment {
  return db`case event.type when 'message.action' then event.facts->'action' end as action`
}

/** An event as its sender reads it: in the feed, and from a webhook. */
export function asSenderReads({ id, type, messageId, reference, at, action }: MessageEvent) {
  const changed = action && { action: { id: action.id, kind: action.kind, state: action.state } }
  return { id, type, messageId, reference, at: at.toISOString(), ...changed }
}

/** Where a feed ends at this moment, in a transaction: whatever is written later comes after it. */
export async function endOfFeed(sql: Db, senderId: string): Promise<string> {
  await awaitWriters(sql, feedLock, [senderId])
  const [row] = await sql<{ position: string }[]>`
    select coalesce(max(position), 0)::text as position from event where ${own(sql, sql`sender_id = ${senderId}`)}`
  return row!.position
}
