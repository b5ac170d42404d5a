import { type Actor, doerOf, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import { Problem } from '../problems.ts'

export const recallReasonMax = 500

type Sent = { senderId: string; recalledAt: Date | null }

/**
 * Takes a letter back that nobody has opened. What it said leaves the mailbox, and stays with its sender; that it was there, and the
 * reason, stays in the mailbox as a note. Who opens it in the same moment is first, or finds the note. Again is harmless: the first
 * time stands. Throws `not-found`, or `recall-too-late`.
 */
export async function recall(
  db: Db,
  actor: Actor,
  { messageId, reason }: { messageId: string; reason: string },
  now: Date,
): Promise<{ recalledAt: Date }> {
  requireRight(actor, 'messages:write')
  const senders = sendersFor(actor)
  return within(db, { ...scopeOfSent(actor), senders, purpose: 'delivery' }, async (sql) => {
    const find = async () => {
      const [sent] = await sql<Sent[]>`
        select sender_id, recalled_at from ledger
        where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and message_id = ${messageId} and failed_at is null`
      if (sent === undefined) throw new Problem('not-found')
      return sent
    }
    const { senderId, recalledAt } = await find()
    if (recalledAt !== null) return { recalledAt }
    const doer = { by: doerOf(actor), door: actor.door }
    if ((await takeBack(sql, { senderId, messageIds: [messageId], reason, doer }, now)) > 0) return { recalledAt: now }
    const byAnother = (await find()).recalledAt
    if (byAnother === null) throw new Problem('recall-too-late')
    return { recalledAt: byAnother }
  })
}

/** In whose name the actor may write, and so take back; of some they may only read. */
function sendersFor(actor: Actor): string[] {
  return actor.isOrganisation ? [...(servicesFor(actor, 'messages:write') ?? [])] : [actor.partyId]
}

/** Letters of one sender. `doer`: {by, door}, for the evidence. */
type Taking = { senderId: string; messageIds: readonly string[]; reason: string; doer: object }

/**
 * Those of them that nobody has opened, and that were neither taken back before nor have failed, in the scope of their sender and for delivery.
 * Answers how many.
 */
export async function takeBack(sql: Db, taking: Taking, now: Date): Promise<number> {
  const taken = await takeThese(sql, taking, now)
  // One that became available in that moment waits no more, and was in no mailbox yet: it is found now.
  return taken === taking.messageIds.length ? taken : taken + (await takeThese(sql, taking, now))
}

/** Locks rows in the order in which those who release a letter or open it do: what holds the letter first, then the ledger. */
async function takeThese(sql: Db, { senderId, messageIds, reason, doer }: Taking, now: Date): Promise<number> {
  const facts = sql.json({ ...doer, reasons: [{ code: 'recalled', reason }] } as never)
  const { count } = await sql`
    with feeds as materialized (${lockFeeds(sql, [senderId])}),
    -- These never were in the mailbox, and do not come there.
    kept_away as (
      update withheld_message set why = 'recalled', letter = letter || jsonb_build_object('recall_reason', ${reason}::text)
      where sender_id = ${senderId} and message_id = any(${messageIds as string[]}::uuid[]) and why in ('scheduled', 'held')
      returning message_id
    ),
    ${takeOut(sql, { senderId, messageIds, reason }, now)},
    noted as (
      update ledger set recalled_at = ${now}
      where sender_id = ${senderId} and message_id in (select message_id from kept_away union all select id from taken)
      returning sender_id, message_id, reference
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    select sender_id, 'message.recalled', message_id, reference, ${now}, ${facts}::jsonb from feeds, noted`
  return count
}

/** What is in a mailbox, and not opened: `taken`. */
function takeOut(sql: Db, { senderId, messageIds, reason }: Omit<Taking, 'doer'>, now: Date): Fragment {
  return sql`
    taken as materialized (
      select message.* from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where ledger.sender_id = ${senderId} and ledger.message_id = any(${messageIds as string[]}::uuid[])
        and message.sender_id = ${senderId} and message.opened_at is null and message.recalled_at is null
      for update of message
    ),
    -- Who does what a letter asks has opened it: nothing was done yet.
    unasked as (
      delete from action using taken where action.mailbox_id = taken.mailbox_id and action.message_id = taken.id returning action.*
    ),
    kept as (
      insert into withheld_message (sender_id, message_id, mailbox_id, service_id, why, release_at, letter)
      select sender_id, id, mailbox_id, service_id, 'recalled', ${now},
             to_jsonb(taken) || jsonb_build_object(
               'recall_reason', ${reason}::text,
               'actions', (
                 select coalesce(jsonb_agg(to_jsonb(unasked) order by ordinal), '[]') from unasked where unasked.message_id = taken.id
               )
             )
      from taken
    ),
    -- No row may be changed twice by one statement: what is taken back itself is below.
    uncorrected as (
      update message set corrected_by_id = null, modseq = nextval('modseq') from taken
      where message.mailbox_id = taken.mailbox_id and message.id = taken.corrects_id and message.corrected_by_id = taken.id
        and message.id not in (select id from taken)
    ),
    emptied as (
      update message
      set subject = '', content = '[]', documents = '[]', contact = null, forwarded = null, reply_allowed = false, marked_unread = false,
          recalled_at = ${now}, recall_reason = ${reason}, modseq = nextval('modseq'),
          corrected_by_id = case when message.corrected_by_id in (select id from taken) then null else message.corrected_by_id end
      from taken where message.mailbox_id = taken.mailbox_id and message.id = taken.id
    )`
}
