import { setTimeout as wait } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { type Actor, doerOf } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { wayOf } from '../documents/action.ts'
import { Problem } from '../problems.ts'
import { changeAction } from './change-action.ts'
import { type AskedAction, findAction } from './find-action.ts'
import type { Letter } from './letter.ts'
import { noteChange } from './note-change.ts'
import { lookAt } from './open.ts'
import { openPayAccount, type PayReach } from './pay-account.ts'
import { createPayment, endOf, getPayment, isPayPage } from './pay-api.ts'
import { settlePayment } from './settle-payment.ts'

/** Longer than asking the provider may take. Whoever was killed meanwhile is followed by the next after that. */
const leaseMs = 30_000
const [waitMs, waitsMax] = [250, 48]

export type PaymentAsked = AskedAction & { returnUrl: string; language: 'en' | 'cy' }

/**
 * Where to pay for what a letter asks, or undefined where nothing is to be paid any more. There is one payment at a time: who asks again, in another browser
 * too, is led to the one that is under way. Throws `not-found`, `action-not-possible`, `action-not-yet`, `unavailable`.
 */
export async function startPayment(
  db: Db,
  actor: Actor,
  { returnUrl, language, ...asked }: PaymentAsked,
  reach: PayReach,
  now: Date,
): Promise<string | undefined> {
  requireRight(actor, 'actions:take')
  const { letter, action } = await findAction(db, actor, asked, now)
  const { amount, reference } = action.said
  if (wayOf(action.said) !== 'payment' || amount === undefined || reference === undefined)
    throw new Problem('action-not-possible')
  if (action.startsAt !== null && action.startsAt > now) throw new Problem('action-not-yet')
  const account = await openPayAccount(db, { serviceId: letter.serviceId }, reach)
  if (account === undefined) throw new Problem('unavailable')
  for (let waits = 0; waits < waitsMax; waits++) {
    const claim = await claimPayment(db, actor, letter, asked, now)
    if (claim === 'over') return undefined
    if (claim === 'under way') await wait(waitMs)
    else if ('providerId' in claim) {
      const payment = await getPayment(reach.url, account.token, claim.providerId)
      const end = endOf(payment)
      if (end === undefined) return pageOf(payment.nextUrl, reach)
      await settlePayment(db, { ...account, providerId: payment.id, end }, now)
    } else {
      const description = `${letter.serviceName}, ${letter.senderName}`.slice(0, 255)
      return pageOf(
        await create(db, actor, letter, asked, claim.id, now, () =>
          createPayment(reach.url, account.token, { amount, reference, description, returnUrl, language }),
        ),
        reach,
      )
    }
  }
  throw new Problem('unavailable')
}

/** Undefined where the provider has the payment and is not done with it: the page of the action says so. */
function pageOf(nextUrl: string | undefined, { url }: PayReach): string | undefined {
  if (nextUrl !== undefined && !isPayPage(nextUrl, url)) throw new Problem('unavailable')
  return nextUrl
}

type Claim = 'over' | 'under way' | { providerId: string } | { id: string }

/** The payment that is under way; or a new one, which the caller has the lease of. Two at once wait for each other at the action's row. */
async function claimPayment(db: Db, actor: Actor, letter: Letter, asked: AskedAction, now: Date): Promise<Claim> {
  return within(db, scopeOfReceived(actor), async (sql): Promise<Claim> => {
    const mine = own(sql, sql`mailbox_id = ${actor.mailboxId}`)
    const [action] = await sql<{ state: string }[]>`
      select state from action where ${mine} and id = ${asked.actionId} and message_id = ${letter.id} for update`
    if (action === undefined || action.state === 'done') return 'over'
    const [live] = await sql<{ id: string; providerId: string | null; leasedUntil: Date | null }[]>`
      select id, provider_id, leased_until from payment where ${mine} and action_id = ${asked.actionId} and state = 'created'`
    const until = new Date(now.getTime() + leaseMs)
    if (live === undefined) {
      const id = newId()
      await sql`
        insert into payment (mailbox_id, id, action_id, message_id, service_id, by, door, leased_until, state_at, created_at)
        values (${actor.mailboxId}, ${id}, ${asked.actionId}, ${letter.id}, ${letter.serviceId}, ${sql.json(doerOf(actor))},
                ${actor.door}, ${until}, ${now}, ${now})`
      return { id }
    }
    if (live.providerId !== null) return { providerId: live.providerId }
    if (live.leasedUntil !== null && live.leasedUntil > now) return 'under way'
    await sql`update payment set leased_until = ${until} where ${mine} and id = ${live.id}`
    return { id: live.id }
  })
}

/** Asks the provider outside any transaction, and then keeps what it said; where it said nothing, the next may try. */
async function create(
  db: Db,
  actor: Actor,
  letter: Letter,
  asked: AskedAction,
  id: string,
  now: Date,
  atProvider: () => ReturnType<typeof createPayment>,
): Promise<string | undefined> {
  const scope = scopeOfReceived(actor)
  const ours = (sql: Db) => own(sql, sql`mailbox_id = ${actor.mailboxId}`)
  try {
    const payment = await atProvider()
    await within(db, scope, async (sql) => {
      await noteChange(sql, actor)
      await sql`update payment set provider_id = ${payment.id}, leased_until = null where ${ours(sql)} and id = ${id}`
      const key = { ...asked, mailboxId: actor.mailboxId }
      await changeAction(sql, key, 'start', { by: doerOf(actor), door: actor.door }, now)
      if (actor.by.kind !== 'owner') await noteLooks(sql, [lookAt(actor, letter, 'acted')], now)
    })
    return payment.nextUrl
  } catch (error) {
    await within(db, scope, (sql) => sql`delete from payment where ${ours(sql)} and id = ${id} and provider_id is null`)
    throw error
  }
}
