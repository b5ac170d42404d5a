import type { Db } from '../database/connect.ts'
import { Problem } from '../problems.ts'
import { openPayAccount, type PayReach } from './pay-account.ts'
import { endOf, isSignedBy, readPayment } from './pay-api.ts'
import { settlePayment } from './settle-payment.ts'

/**
 * What GOV.UK Pay says of a payment, signed with the account's secret. What it says comes in any order, and again: only an end counts, and only
 * the first. Throws `not-found`, the same for an account that is not there and for what it has not signed.
 */
export async function takePayWebhook(
  db: Db,
  { accountId, signature, body }: { accountId: string; signature: string; body: Buffer },
  reach: PayReach,
  now: Date,
): Promise<void> {
  const account = await openPayAccount(db, { accountId }, reach)
  if (account?.webhookSecret === undefined || !isSignedBy(account.webhookSecret, body, signature)) throw new Problem('not-found')
  const payment = readResource(body)
  const end = payment && endOf(payment)
  if (end !== undefined) await settlePayment(db, { serviceId: account.serviceId, providerId: payment!.id, end }, now)
}

/** Undefined for what is about something else, such as a refund. */
function readResource(body: Buffer) {
  try {
    const said = JSON.parse(body.toString()) as { resource_type?: unknown; resource?: unknown }
    return String(said.resource_type).toLowerCase() === 'payment' ? readPayment(said.resource) : undefined
  } catch {
    return undefined
  }
}
