import type { Db, Fragment } from './connect.ts'

/**
 * A feed is read in the order of positions that are drawn before their transaction commits. So that a reader never passes over
 * one that is still to be committed, whoever writes to a feed takes its shared lock first, and draws positions under it. A
 * reader waits once for all who hold it. Writers never wait for each other. `lock` tells kinds of feed apart: any number
 * that no other advisory lock of this program has; `ids` are of the feeds.
 *
 * Rejected: one counter for each feed (writers would wait for each other's commit), positions from transaction ids (a
 * restored database starts them anew), and reading only what is some seconds old (late, and still not certain).
 */
export function shareFeeds(db: Db, lock: number, ids: readonly string[]): Fragment {
  return db`select count(*) from (
    select pg_advisory_xact_lock_shared(${lock}, key) from unnest(${keysOf(ids)}::integer[]) as feed (key)
  ) as locked`
}

/** Waits, in a transaction, for all who are writing to these feeds. */
export async function awaitWriters(db: Db, lock: number, ids: readonly string[]): Promise<void> {
  await db`select pg_advisory_xact_lock(${lock}, key) from unnest(${keysOf(ids)}::integer[]) as feed (key)`
}

/** In one order, so that two who lock several wait for each other and never both. From the random end of the id. */
function keysOf(ids: readonly string[]): number[] {
  const keys = ids.map((id) => Number.parseInt(id.slice(-8), 16) | 0)
  return [...new Set(keys)].sort((a, b) => a - b)
}
