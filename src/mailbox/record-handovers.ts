import { type Actor, doerOf } from '../access/actor.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import type { Part } from '../evidence/record.ts'
import { type Letter, senderIdOf } from './letter.ts'

export type Handover = { letter: Letter; part: Part }

/**
 * The evidence that the bytes of files were given to somebody who was identified: once for each file and person, before the
 * bytes leave. Of two at once, the second waits for the rows of the messages, and finds that it is recorded.
 */
export async function recordHandovers(db: Db, actor: Actor, handovers: readonly Handover[], now: Date): Promise<void> {
  if (handovers.length === 0) return
  const left = (sql: Db): Fragment => sql`
    select asked.* from jsonb_to_recordset(${sql.json(handovers.map(toRow) as never)}) as asked (sender_id uuid, message_id uuid, place int, part jsonb)
    where not exists (
      select from event
      where event.sender_id = asked.sender_id and event.message_id = asked.message_id and event.type = 'message.handed-over'
        and event.facts->'by'->>'id' = ${actor.by.id} and event.facts->'part'->>'digest' = asked.part->>'digest'
        and coalesce(event.facts->'part'->>'filename', '') = coalesce(asked.part->>'filename', '')
    )`
  if ((await readWithin(db, scopeOfReceived(actor), left(db))).length === 0) return
  await within(db, scopeOfReceived(actor), async (sql) => {
    await lockMessages(
      sql,
      actor,
      handovers.map(({ letter }) => letter.id),
    )
    const [by, senders] = [sql.json(doerOf(actor)), [...new Set(handovers.map(({ letter }) => senderIdOf(letter)))]]
    await sql`
      with feeds as materialized (${lockFeeds(sql, senders)})
      insert into event (sender_id, type, message_id, reference, at, facts)
      select ledger.sender_id, 'message.handed-over', ledger.message_id, ledger.reference, ${now},
             jsonb_build_object('by', ${by}::jsonb, 'door', ${actor.door}::text, 'part', asked.part)
      from feeds, (${left(sql)}) as asked
      join ledger on ledger.sender_id = asked.sender_id and ledger.message_id = asked.message_id
      order by asked.place`
  })
}

function toRow({ letter, part }: Handover, place: number) {
  return { sender_id: senderIdOf(letter), message_id: letter.id, place, part }
}

/** In one order, so that two who want several wait for each other and never both. */
export async function lockMessages(sql: Db, actor: Actor, ids: readonly string[]): Promise<void> {
  await sql`
    select from message where mailbox_id = ${actor.mailboxId} and id = any(${[...new Set(ids)]}::uuid[]) order by id for update`
}
