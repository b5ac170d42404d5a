import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'

/** Each may have some hundred thousand rows of the database's own, and a statement has its limit of time. */
const uploadsAtOnce = 5

/**
 * For a job: uploads whose time has passed and that no letter has. Whoever writes a letter with one holds its row until that is committed, and it is
 * passed over; whoever comes while it is being deleted waits, and finds that it is gone.
 */
export async function deleteOldUploads(db: Db, now: Date): Promise<void> {
  for (let count = uploadsAtOnce; count === uploadsAtOnce; ) {
    count = await within(db, { purpose: 'upkeep' }, async (sql) => {
      const unused = sql`not exists (select from file where file.upload_id = upload.id and file.upload_sender_id = upload.sender_id)`
      const locked = await sql<{ id: string }[]>`
        select id from upload where expires_at <= ${now} and ${unused} order by expires_at limit ${uploadsAtOnce} for update skip locked`
      // Asked again: what was committed between the look and the lock is seen by a new statement only.
      const { count: deleted } = await sql`
        delete from upload where id = any(${locked.map(({ id }) => id)}::uuid[]) and expires_at <= ${now} and ${unused}`
      return deleted
    })
  }
}
