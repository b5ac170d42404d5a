import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import type { KnownDoer } from '../evidence/record.ts'
import { changeAction } from './change-action.ts'
import { noteChange } from './note-change.ts'
import type { PaymentEnd } from './pay-api.ts'

type Payment = { mailboxId: string; id: string; messageId: string; actionId: string; by: KnownDoer; door: string }

/**
 * Notes how a payment has ended, whoever was first to say so: the payer's return or the provider's webhook. The first end holds; again, and in another
 * order, changes nothing. A payment that is not known here is passed over.
 */
export async function settlePayment(
  db: Db,
  { serviceId, providerId, end }: { serviceId: string; providerId: string; end: PaymentEnd },
  now: Date,
): Promise<void> {
  const [payment] = await readWithin<Payment>(
    db,
    { purpose: 'paying' },
    db`
    select mailbox_id, id, message_id, action_id, by, door from payment
    where service_id = ${serviceId} and provider_id = ${providerId} and state = 'created'`,
  )
  if (payment === undefined) return
  const { mailboxId, id, messageId, actionId, by, door } = payment
  // Its sender is told also where the letter has been erased meanwhile.
  await within(db, { purpose: 'paying', mailbox: mailboxId, mailboxes: [mailboxId] }, async (sql) => {
    await noteChange(sql, { mailboxId })
    const settled = await sql`
      update payment set state = ${end}, state_at = ${now}
      where ${own(sql, sql`mailbox_id = ${mailboxId}`)} and id = ${id} and state = 'created'`
    if (settled.count === 0) return
    await changeAction(sql, { mailboxId, messageId, actionId }, end === 'success' ? 'complete' : 'fail', { by, door }, now)
  })
}
