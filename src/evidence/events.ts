import type { Db, Fragment } from '../database/connect.ts'
import { awaitWriters, shareFeeds } from '../database/feed-lock.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'

const feedLock = 8201

/** For whoever writes events, in the same statement and before it draws their positions (database/feed-lock.ts). */
export function lockFeeds(db: Db, senderIds: readonly string[]): Fragment {
  return shareFeeds(db, feedLock, senderIds)
}

/** What a sender is told of, each once for a message but for answers, of which there may be several. */
export const messageEventTypes = ['message.accepted', 'message.available', 'message.opened', 'message.answered'] as const
export type MessageEventType = (typeof messageEventTypes)[number]

export type MessageEvent = {
  id: string
  type: MessageEventType
  messageId: string
  reference: string
  at: Date
  position: string
}

/** Up to `limit` events of these senders after a position, in order: nothing missed, nothing twice. */
export async function readEvents(db: Db, senderIds: readonly string[], after: string, limit: number): Promise<MessageEvent[]> {
  const scope = { senders: senderIds }
  const query = (sql: Db) => sql`
    select id, type, message_id, reference, at, position from event
    where ${own(sql, sql`sender_id = any(${senderIds as string[]}::uuid[])`)} and position > ${after}
    order by position limit ${limit}`
  if ((await readWithin(db, scope, query(db))).length === 0) return []
  // There is something new, so there may be something on its way to a place before it.
  return within(db, scope, async (sql) => {
    await awaitWriters(sql, feedLock, senderIds)
    return sql<MessageEvent[]>`${query(sql)}`
  })
}
