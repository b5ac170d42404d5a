import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'

const dayMs = 24 * 3_600_000

/** For a job: addresses that nobody has confirmed, and the traces of what was sent. */
export async function deleteOldAlerts(db: Db, now: Date): Promise<void> {
  const before = (days: number) => new Date(now.getTime() - days * dayMs)
  await within(db, { purpose: 'alerts' }, async (sql) => {
    await sql`delete from contact_detail where verified_at is null and created_at < ${before(7)}`
    await sql`delete from outgoing where (sent_at is not null or failed_at is not null) and created_at < ${before(30)}`
  })
}
