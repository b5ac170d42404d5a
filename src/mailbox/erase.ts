import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { lettersAtOnce } from './file-letters.ts'
import { noteChange } from './note-change.ts'

/**
 * Takes letters that are in the bin out of the mailbox for good, or with 'all' whatever is there. Nobody who reads the mailbox sees them any more;
 * the sender's copy and the evidence stay. Answers how many they were.
 */
export async function eraseLetters(db: Db, actor: Actor, ids: readonly string[] | 'all', now: Date): Promise<number> {
  requireRight(actor, 'mailbox:erase')
  const these = (sql: Db) => (ids === 'all' ? sql`` : sql`and id = any(${ids.slice(0, lettersAtOnce)}::uuid[])`)
  // A scope of its own: in the actor's, no letter can be changed to be seen no more.
  return within(db, { ...scopeOfReceived(actor), purpose: 'erasing' }, async (sql) => {
    await noteChange(sql, actor)
    const { count } = await sql`
      update message set erased_at = ${now}, note = null, modseq = nextval('modseq')
      where ${own(sql, sql`mailbox_id = ${actor.mailboxId}`)} and folder <> 'inbox' and folder = 'bin' and erased_at is null ${these(sql)}`
    return count
  })
}

const erasedAtOnce = 1_000

/** For a job: what has been in the bin for so many days. */
export async function eraseOldFromBins(db: Db, binDays: number, now: Date): Promise<void> {
  const before = new Date(now.getTime() - binDays * 24 * 60 * 60_000)
  let count = erasedAtOnce
  while (count === erasedAtOnce) {
    const erased = await within(
      db,
      { purpose: 'erasing' },
      (sql) => sql`
        update message set erased_at = ${now}, note = null, modseq = nextval('modseq')
        from (
          select mailbox_id, id from message
          where folder = 'bin' and erased_at is null and binned_at <= ${before}
          order by binned_at limit ${erasedAtOnce} for update skip locked
        ) as old
        where message.mailbox_id = old.mailbox_id and message.id = old.id`,
    )
    count = erased.count
  }
  const dayBefore = new Date(now.getTime() - 24 * 60 * 60_000)
  await within(db, { purpose: 'upkeep' }, (sql) => sql`delete from filing where at <= ${dayBefore}`)
}
