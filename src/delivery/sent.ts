import { type Actor, senderIdsOf } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import type { NewAction, StoredAction } from '../documents/action.ts'
import type { MessageTimes } from './message.ts'
import type { PendingBecause } from './reconciliation.ts'

export type SentMessage = MessageTimes & {
  messageId: string
  threadId: string
  reference: string
  senderId: string
  /** Null too where it is not pending. */
  pendingBecause: PendingBecause
  actions: SentAction[]
}

export type SentAction = Pick<StoredAction, 'id' | 'kind' | 'state' | 'stateAt'> & { label: NewAction['label'] }

/** What became of messages that the actor sent: one by its id, or those (one for each service) under a reference. */
export async function findSent(db: Db, actor: Actor, by: { messageId: string } | { reference: string }): Promise<SentMessage[]> {
  requireRight(actor, 'messages:read')
  const senderIds = senderIdsOf(actor)
  return readWithin<SentMessage>(
    db,
    scopeOfSent(actor),
    db`
    select message_id, thread_id, reference, sender_id, accepted_at, available_at, opened_at, answered_at, recalled_at, failed_at,
           (
             select why from withheld_message as withheld
             where withheld.sender_id = ledger.sender_id and withheld.message_id = ledger.message_id and why in ('scheduled', 'held')
           ) as pending_because, (
             select coalesce(jsonb_agg(jsonb_build_object(
               'id', action.id, 'kind', action.kind, 'label', action.said::jsonb->'label', 'state', action.state, 'stateAt', action.state_at
             ) order by ordinal), '[]')
             from action where action.mailbox_id = ledger.mailbox_id and action.message_id = ledger.message_id
           ) as actions
    from ledger
    where ${own(db, db`sender_id = any(${senderIds as string[]}::uuid[])`)}
      and ${'messageId' in by ? db`message_id = ${by.messageId}` : db`reference = ${by.reference}`}
    order by message_id`,
  )
}
