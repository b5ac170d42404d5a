import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { type ActionEvent, type ActionKind, type ActionState, type NewAction, stateAfter, wayOf } from '../documents/action.ts'
import { lockFeeds } from '../evidence/events.ts'
import type { KnownDoer } from '../evidence/record.ts'
import { Problem } from '../problems.ts'

export type ActionKey = { mailboxId: string; messageId: string; actionId: string }
/** Who did it, and by which door. */
export type Doing = { by: KnownDoer; door: string }

type Kept = { senderId: string; kind: ActionKind; said: string; state: ActionState }

/**
 * Brings an action to the state that follows, in a transaction in the scope of its mailbox, with the event by which its sender is told and
 * that is evidence of it. What has happened already is done already: two who do the same at once do it once. Throws
 * `not-found`, `action-not-possible`.
 */
export async function changeAction(sql: Db, key: ActionKey, event: ActionEvent, doing: Doing, now: Date): Promise<ActionState> {
  const { mailboxId, messageId, actionId } = key
  const mine = own(sql, sql`mailbox_id = ${mailboxId}`)
  const [kept] = await sql<Kept[]>`
    select sender_id, kind, said, state from action where ${mine} and id = ${actionId} and message_id = ${messageId} for update`
  if (kept === undefined) throw new Problem('not-found')
  const said = JSON.parse(kept.said) as NewAction
  const next = stateAfter(wayOf(said), kept.state, event)
  if (next === undefined) {
    if (kept.state === reached[event]) return kept.state
    throw new Problem('action-not-possible')
  }
  const changedByName = doing.by.kind === 'owner' ? null : doing.by.name
  const facts = { ...doing, action: { id: actionId, kind: kept.kind, label: said.label.en, state: next } }
  await sql`
    with feeds as materialized (${lockFeeds(sql, [kept.senderId])}),
    changed as (
      update action set state = ${next}, state_at = ${now}, changed_by_name = ${changedByName}
      where ${mine} and id = ${actionId}
      returning sender_id, message_id, encode(sha256(convert_to(said, 'UTF8')), 'hex') as digest
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    select ledger.sender_id, 'message.action', ledger.message_id, ledger.reference, ${now},
           jsonb_set(${sql.json(facts as never)}::jsonb, '{action,digest}', to_jsonb(digest))
    from feeds, changed
    join ledger on ledger.sender_id = changed.sender_id and ledger.message_id = changed.message_id`
  return next
}

/** What an event leads to, so that the same once more is no error. */
const reached: Record<ActionEvent, ActionState> = {
  start: 'started',
  complete: 'done',
  decline: 'cancelled',
  fail: 'failed',
  undo: 'open',
}
