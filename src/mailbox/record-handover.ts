import { type Actor, doerOf } from '../access/actor.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import type { Part } from '../evidence/record.ts'
import { type Letter, senderIdOf } from './letter.ts'

/**
 * The evidence that the bytes of a file were given to somebody who was identified: once for each file and person, before the
 * bytes leave. Of two at once, the second waits for the row of the message, and finds that it is recorded.
 */
export async function recordHandover(db: Db, actor: Actor, letter: Letter, part: Part, now: Date): Promise<void> {
  const isRecorded = (sql: Db): Fragment => sql`
    select from event
    where sender_id = ${senderIdOf(letter)} and message_id = ${letter.id} and type = 'message.handed-over'
      and facts->'by'->>'id' = ${actor.by.id} and facts->'part'->>'digest' = ${part.digest}
      and facts->'part'->>'filename' = ${part.filename ?? ''}`
  if ((await readWithin(db, scopeOfReceived(actor), isRecorded(db))).length > 0) return
  await within(db, scopeOfReceived(actor), async (sql) => {
    await sql`select from message where mailbox_id = ${actor.mailboxId} and id = ${letter.id} for update`
    const facts = sql.json({ by: doerOf(actor), door: actor.door, part })
    await sql`
      with feeds as materialized (${lockFeeds(sql, [senderIdOf(letter)])})
      insert into event (sender_id, type, message_id, reference, at, facts)
      select ledger.sender_id, 'message.handed-over', ledger.message_id, ledger.reference, ${now}, ${facts}::jsonb
      from feeds, ledger
      where ledger.sender_id = ${senderIdOf(letter)} and ledger.message_id = ${letter.id} and not exists (${isRecorded(sql)})`
  })
}
