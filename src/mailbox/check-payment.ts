import type { Actor } from '../access/actor.ts'
import { actionsInOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { AskedAction } from './find-action.ts'
import { openPayAccount, type PayReach } from './pay-account.ts'
import { endOf, getPayment } from './pay-api.ts'
import { settlePayment } from './settle-payment.ts'

/** Asks the provider what became of a payment under way, as its webhook may come later or never. Throws `unavailable`. */
export async function checkPayment(db: Db, actor: Actor, asked: AskedAction, reach: PayReach, now: Date): Promise<void> {
  requireRight(actor, 'inbox:read')
  const [live] = await readWithin<{ serviceId: string; providerId: string }>(
    db,
    scopeOfReceived(actor),
    db`
    select payment.service_id, payment.provider_id
    from payment join action on action.mailbox_id = payment.mailbox_id and action.id = payment.action_id
    where ${actionsInOwnMailbox(db, actor)} and payment.action_id = ${asked.actionId} and payment.message_id = ${asked.messageId}
      and payment.state = 'created' and payment.provider_id is not null`,
  )
  const account = live && (await openPayAccount(db, live, reach))
  if (account === undefined) return
  const payment = await getPayment(reach.url, account.token, live!.providerId)
  const end = endOf(payment)
  if (end !== undefined) await settlePayment(db, { ...live!, end }, now)
}
