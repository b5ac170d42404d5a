import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'

/** Any number that no other advisory lock of this program has. */
const feedLock = 8201

/**
 * A sender's events are read in the order of their position, which is drawn before the transaction commits. So that a
 * reader never passes over a position that is still to be committed, whoever writes an event takes this shared lock of the
 * sender's feed first, in the same statement, and draws positions under it. A reader waits once for all who hold it
 * (`readEvents`). Writers never wait for each other.
 *
 * Rejected: one counter for each sender (writers would wait for each other's commit), positions from transaction ids (a
 * restored database starts them anew), and reading only what is some seconds old (late, and still not certain).
 */
export function lockFeeds(db: Db, senderIds: readonly string[]): Fragment {
  return db`select count(*) from (
    select pg_advisory_xact_lock_shared(${feedLock}, key) from unnest(${feedKeys(senderIds)}::integer[]) as feed (key)
  ) as locked`
}

/** In one order, so that two who lock several wait for each other and never both. From the random end of the id. */
function feedKeys(senderIds: readonly string[]): number[] {
  const keys = senderIds.map((id) => Number.parseInt(id.slice(-8), 16) | 0)
  return [...new Set(keys)].sort((a, b) => a - b)
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
    await sql`select pg_advisory_xact_lock(${feedLock}, key) from unnest(${feedKeys(senderIds)}::integer[]) as feed (key)`
    return sql<MessageEvent[]>`${query(sql)}`
  })
}
