import { type Actor, doerOf, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import { Problem } from '../problems.ts'

export const recallReasonMax = 500

type Sent = { senderId: string; reference: string; mailboxId: string; availableAt: Date | null; recalledAt: Date | null }

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
    const [sent] = await sql<Sent[]>`
      select sender_id, reference, mailbox_id, available_at, recalled_at from ledger
      where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and message_id = ${messageId} and failed_at is null
      for update`
    if (sent === undefined) throw new Problem('not-found')
    if (sent.recalledAt !== null) return { recalledAt: sent.recalledAt }
    const isTaken =
      sent.availableAt === null
        ? await keepFromMailbox(sql, sent, messageId, reason)
        : await takeOut(sql, sent, messageId, reason, now)
    if (!isTaken) throw new Problem('recall-too-late')
    const facts = sql.json({ by: doerOf(actor), door: actor.door, reasons: [{ code: 'recalled', reason }] })
    await sql`
      with feeds as materialized (${lockFeeds(sql, [sent.senderId])}),
      noted as (
        update ledger set recalled_at = ${now}, pending_because = null where sender_id = ${sent.senderId} and message_id = ${messageId}
        returning sender_id, message_id, reference
      )
      insert into event (sender_id, type, message_id, reference, at, facts)
      select sender_id, 'message.recalled', message_id, reference, ${now}, ${facts}::jsonb from feeds, noted`
    return { recalledAt: now }
  })
}

/** In whose name the actor may write, and so take back; of some they may only read. */
function sendersFor(actor: Actor): string[] {
  return actor.isOrganisation ? [...(servicesFor(actor, 'messages:write') ?? [])] : [actor.partyId]
}

/** It never was in the mailbox, and does not come there. */
async function keepFromMailbox(sql: Db, { senderId }: Sent, messageId: string, reason: string): Promise<boolean> {
  const { count } = await sql`
    update withheld_message set why = 'recalled', letter = letter || jsonb_build_object('recall_reason', ${reason}::text)
    where sender_id = ${senderId} and message_id = ${messageId} and why in ('scheduled', 'held')`
  return count > 0
}

async function takeOut(sql: Db, { senderId, mailboxId }: Sent, messageId: string, reason: string, now: Date): Promise<boolean> {
  const { count } = await sql`
    with taken as materialized (
      select * from message
      where mailbox_id = ${mailboxId} and id = ${messageId} and sender_id = ${senderId} and opened_at is null and recalled_at is null
      for update
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
               'actions', (select coalesce(jsonb_agg(to_jsonb(unasked) order by ordinal), '[]') from unasked)
             )
      from taken
    ),
    uncorrected as (
      update message set corrected_by_id = null, modseq = nextval('modseq') from taken
      where message.mailbox_id = taken.mailbox_id and message.id = taken.corrects_id and message.corrected_by_id = taken.id
    )
    update message
    set subject = '', content = '[]', documents = '[]', contact = null, forwarded = null, reply_allowed = false, marked_unread = false, recalled_at = ${now}, recall_reason = ${reason},
        modseq = nextval('modseq')
    from taken where message.mailbox_id = taken.mailbox_id and message.id = taken.id`
  return count > 0
}
