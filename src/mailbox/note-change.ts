import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'

/**
 * Says that something in the mailbox is filed another way, or that something it asks to do is done, and holds the mailbox until the end of
 * the transaction: what is filed in it is filed one after another, so that no letter goes to a folder that is being deleted. It comes first
 * in its transaction, and in it the table of letters, in the order in which a merger of two mailboxes takes them. Letters that arrive
 * wait for none of this.
 */
export async function noteChange(sql: Db, { mailboxId }: { mailboxId: string }): Promise<void> {
  await sql`lock table message in row exclusive mode`
  const noted =
    await sql`update mailbox set changed = changed + 1 where ${own(sql, sql`id = ${mailboxId}`)} and id = ${mailboxId}`
  if (noted.count !== 1) throw new Error('A mailbox was to be changed that its scope does not let change.')
}
