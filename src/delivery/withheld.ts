import { type Actor, senderIdsOf, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

/** How many letters of a batch somebody looks at before it is released. */
export const sampleSize = 10

/** A letter that its recipient does not see, for whoever sent it. */
export type Withheld = {
  messageId: string
  why: 'scheduled' | 'held' | 'recalled' | 'failed'
  serviceId: string
  /** Not before this, or when it was taken back from a mailbox. */
  releaseAt: Date
  recipientName: string | null
  serviceName: string
  acceptedAt: Date
  availableAt: Date | null
  recalledAt: Date | null
  recallReason: string | null
  failedAt: Date | null
  failedBecause: string | null
  subject: string
  content: { language: string; subject: string; body: string }[]
}

const columns = (db: Db) => db`
  withheld.message_id, withheld.why, withheld.service_id, withheld.release_at, letter->>'service_name' as service_name, ledger.recipient_name,
  ledger.accepted_at, ledger.available_at, ledger.recalled_at, letter->>'recall_reason' as recall_reason, ledger.failed_at, ledger.failed_because,
  letter->>'subject' as subject, letter->'content' as content`

/** One that the actor sent. Throws `not-found`. */
export async function findWithheld(db: Db, actor: Actor, messageId: string): Promise<Withheld> {
  requireRight(actor, 'messages:read')
  const [found] = await readWithin<Withheld>(
    db,
    scopeOfSent(actor),
    db`
    select ${columns(db)} from withheld_message as withheld join ledger using (sender_id, message_id)
    where ${own(db, db`withheld.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)} and withheld.message_id = ${messageId}`,
  )
  if (found === undefined) throw new Problem('not-found')
  return found
}

/** Letters of a batch by chance, to look at before it is released: others each time. */
export async function sampleHeld(db: Db, actor: Actor, batchId: string): Promise<Withheld[]> {
  requireRight(actor, 'messages:read')
  return readWithin<Withheld>(
    db,
    scopeOfSent(actor),
    db`
    select ${columns(db)}
    from (
      select * from withheld_message
      where ${own(db, db`sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)} and batch_id = ${batchId} and why = 'held'
      order by random() limit ${sampleSize}
    ) as withheld join ledger using (sender_id, message_id)`,
  )
}

/** From now on they are on their way (delivery/release.ts), each at its own time. Answers how many. */
export async function releaseHeld(db: Db, actor: Actor, batchId: string): Promise<number> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  const { count } = await within(
    db,
    { ...scopeOfSent(actor), senders, purpose: 'delivery' },
    (sql) => sql`
    update withheld_message set why = 'scheduled'
    where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and batch_id = ${batchId} and why = 'held'`,
  )
  return count
}
