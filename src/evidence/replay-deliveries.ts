import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'

/**
 * Puts dead deliveries of these services back on their way, for as long as new ones: that of one event, or all. They keep
 * their ids. Answers how many there were.
 */
export async function replayDeliveries(
  db: Db,
  serviceIds: readonly string[],
  which: { id: string } | 'all',
  now: Date,
): Promise<number> {
  return within(db, { ownServices: serviceIds }, async (sql) => {
    const replayed = await sql`
      update webhook_delivery set is_dead = false, due_at = ${now}, tries = 0, first_tried_at = null, leased_until = null
      where ${own(sql, sql`service_id = any(${serviceIds as string[]}::uuid[])`)} and is_dead
        and ${which === 'all' ? sql`true` : sql`event_id = ${which.id}`}`
    return replayed.count
  })
}
