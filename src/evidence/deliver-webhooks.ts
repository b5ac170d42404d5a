import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, type Scope, within } from '../database/scope.ts'
import { unseal } from '../seal.ts'
import { actionOf, asSenderReads, type MessageEvent } from './events.ts'
import { postEvent, type WebhookReach } from './post-event.ts'
import { deliveriesAtOnce, type Failure, leaseMs, nextTry, secretBoundTo, webhookHeaders } from './webhook.ts'

export type WebhookOptions = WebhookReach & {
  /** Seals the secrets. */
  key: Buffer
  clock: () => Date
  /** Ends what is under way. What is ended so is tried again after its lease. */
  signal: AbortSignal
}

/** After so many failures in a row a webhook has a rest, until it is asked for again: one that is down is not worn out, nor is the database. */
const failuresInARowMax = 8

type Claimed = MessageEvent & { url: string; tries: number; firstTriedAt: Date; secrets: Buffer[] }
/** Whose failures are counted together. */
type Round = { failures: number }

/** The services whose webhooks have something that is due. */
export async function findDueWebhooks(db: Db, now: Date): Promise<string[]> {
  const rows = await readWithin<{ serviceId: string }>(
    db,
    { purpose: 'following' },
    db`
    select service_id from webhook
    where is_on and exists (
      select from webhook_delivery as delivery
      where delivery.service_id = webhook.service_id and not is_dead and due_at <= ${now}
        and (leased_until is null or leased_until <= ${now})
    )`,
  )
  return rows.map(({ serviceId }) => serviceId)
}

/**
 * Delivers what is due to one service's webhook, until nothing is. May be run by any number of processes, and be ended
 * anywhere: each delivery is leased while it is sent, and sent again with the same id where nobody noted how it went.
 */
export async function deliverWebhook(db: Db, serviceId: string, options: WebhookOptions): Promise<void> {
  const round: Round = { failures: 0 }
  await Promise.all(Array.from({ length: deliveriesAtOnce }, () => deliverInTurn(db, serviceId, options, round)))
}

async function deliverInTurn(db: Db, serviceId: string, options: WebhookOptions, round: Round): Promise<void> {
  const { clock, signal } = options
  while (!signal.aborted && round.failures < failuresInARowMax) {
    const claimed = await claim(db, serviceId, clock())
    if (claimed === undefined) return
    const failure = await send(serviceId, claimed, options)
    if (signal.aborted) return
    round.failures = failure === undefined ? 0 : round.failures + 1
    await note(db, serviceId, claimed, failure, clock())
  }
}

function scopeFor(serviceId: string): Scope {
  return { purpose: 'following', senders: [serviceId] }
}

/**
 * The next delivery that is due, leased; never one of a message of which an earlier event is still to be delivered. Who claims
 * for a webhook waits for who does so at the same time, so that each sees what the other has leased.
 */
async function claim(db: Db, serviceId: string, now: Date): Promise<Claimed | undefined> {
  return within(db, scopeFor(serviceId), async (sql) => {
    sql`select from webhook where service_id = ${serviceId} for update`.catch(() => {
      // The transaction has failed then, and the next statement says so.
    })
    const [claimed] = await sql<Claimed[]>`
      with next as (
        select position from webhook_delivery as delivery
        where service_id = ${serviceId} and not is_dead and due_at <= ${now} and (leased_until is null or leased_until <= ${now})
          and not exists (
            select from webhook_delivery as earlier
            where earlier.service_id = delivery.service_id and earlier.message_id = delivery.message_id
              and earlier.position < delivery.position and not earlier.is_dead
          )
          and (select count(*) from webhook_delivery where service_id = ${serviceId} and leased_until > ${now}) < ${deliveriesAtOnce}
        order by due_at, position
        limit 1
      )
      update webhook_delivery as delivery
      set leased_until = ${new Date(now.getTime() + leaseMs)}, tries = tries + 1, first_tried_at = coalesce(first_tried_at, ${now}),
          last_tried_at = ${now}
      from next, webhook, event
      where delivery.service_id = ${serviceId} and delivery.position = next.position
        and webhook.service_id = ${serviceId} and webhook.is_on
        and ${own(sql, sql`event.sender_id = ${serviceId}`)} and event.position = next.position
      returning event.id, event.type, event.message_id, event.reference, event.at, event.position, webhook.url, ${actionOf(sql)},
                delivery.tries, delivery.first_tried_at,
                array_remove(array[secret_sealed, case when secret_before_until > ${now} then secret_before_sealed end], null) as secrets`
    return claimed
  })
}

async function send(serviceId: string, claimed: Claimed, { key, clock, signal, ...reach }: WebhookOptions) {
  const body = JSON.stringify(asSenderReads(claimed))
  const secrets = claimed.secrets.map((sealed) => unseal(key, secretBoundTo(serviceId), sealed))
  return postEvent(claimed.url, { headers: webhookHeaders(claimed.id, body, secrets, clock()), body }, reach, signal)
}

/** How a try went. Where another has taken the delivery up meanwhile, it is theirs to say, unless it has arrived. */
async function note(
  db: Db,
  serviceId: string,
  { position, messageId, tries, firstTriedAt }: Claimed,
  failure: Failure | undefined,
  now: Date,
): Promise<void> {
  await within(db, { purpose: 'following' }, async (sql) => {
    const delivery = sql`service_id = ${serviceId} and position = ${position}`
    if (failure === undefined) {
      await sql`delete from webhook_delivery where ${delivery}`
      // Not each time: all deliveries of the webhook would wait for each other at its row.
      await sql`
        update webhook set delivered_at = ${now}
        where service_id = ${serviceId} and (delivered_at is null or delivered_at < ${new Date(now.getTime() - 10_000)})`
      return
    }
    const again = nextTry(tries, firstTriedAt, now, Math.random())
    await sql`
      update webhook_delivery
      set leased_until = null, failure = ${sql.json(failure)}, is_dead = ${again === undefined}, due_at = ${again ?? now}
      where ${delivery} and tries = ${tries}`
    if (again === undefined) return
    // What waits for it is not due before it is: else whoever looks for what is due would pass over all of these each time.
    await sql`
      update webhook_delivery set due_at = greatest(due_at, ${again})
      where service_id = ${serviceId} and message_id = ${messageId} and position > ${position} and not is_dead`
  })
}
