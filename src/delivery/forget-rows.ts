import type { Db, Fragment } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { isAccepted } from './find-mailings.ts'
import { rowsKeptDays } from './mailing.ts'

const rowsAtOnce = 20_000
const dayMs = 86_400_000

/**
 * For a job: deletes what was read of files and is not needed any more. Of a mailing that has ended at once what was accepted, and what was not, as
 * who needs paper, after `rowsKeptDays`; after as many days a file that nobody has used; and at once one that another has replaced, that was cut off a day
 * ago, or whose mailing is gone. Some rows at a time, each for good: harmless when cut off.
 */
export async function forgetRows(db: Db, now: Date): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs)
  const upkeep = <Result>(work: (sql: Db) => Promise<Result>) => within(db, { purpose: 'upkeep' }, work)
  await upkeep(
    (sql) => sql`
    update mailing set file_id = null, state = 'new' from mailing_file file
    where file.sender_id = mailing.sender_id and file.id = mailing.file_id and mailing.batch_id is null and file.staged_at < ${daysAgo(rowsKeptDays)}`,
  )
  await upkeep(
    (sql) => sql`update mailing set file_id = null where state in ('sent', 'stopped') and ended_at < ${daysAgo(rowsKeptDays)}`,
  )
  const files = await upkeep(
    (sql) => sql<File[]>`
    select file.sender_id, file.id, owner.id as mailing_id, owner.batch_id
    from mailing_file file
    left join mailing owner on owner.sender_id = file.sender_id and owner.file_id = file.id
    where owner.ended_at > ${daysAgo(1)}
      or (owner.id is null and (file.rows is not null or file.staged_at < ${daysAgo(1)}))`,
  )
  for (const file of files) {
    const { senderId, id, mailingId, batchId } = file
    // Which letters were accepted stands in the ledger of the service.
    const some = (table: string, which?: (sql: Db) => Fragment) =>
      within(db, { purpose: 'upkeep', senders: [senderId] }, (sql) => deleteSome(sql, table, file, which?.(sql)))
    if (mailingId !== null) {
      while ((await some('mailing_row', (sql) => isAccepted(sql, { id: mailingId, batchId }))) > 0) {}
      continue
    }
    while ((await some('mailing_row')) > 0) {}
    while ((await some('mailing_error')) > 0) {}
    await upkeep((sql) => sql`delete from mailing_file where sender_id = ${senderId} and id = ${id}`)
  }
}

/** With its mailing, where that still has it and has ended. */
type File = { senderId: string; id: string; mailingId: string | null; batchId: string | null }

async function deleteSome(sql: Db, table: string, { senderId, id }: File, which: Fragment = sql`true`): Promise<number> {
  const { count } = await sql`
    delete from ${sql(table)} where sender_id = ${senderId} and file_id = ${id} and ctid in (
      select ctid from ${sql(table)} where sender_id = ${senderId} and file_id = ${id} and ${which} limit ${rowsAtOnce}
    )`
  return count
}
