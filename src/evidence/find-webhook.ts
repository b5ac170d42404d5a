import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { actionOf } from './events.ts'
import type { Delivery, Webhook } from './webhook.ts'

/** The webhooks of these services, which the door knows the caller to look after. A service without one is left out. */
export async function findWebhooks(db: Db, serviceIds: readonly string[]): Promise<Webhook[]> {
  return readWithin<Webhook>(
    db,
    { ownServices: serviceIds },
    db`
    select service_id, url, is_on, version, created_at, changed_at, changed_by_name, delivered_at,
           coalesce(waiting, 0)::int as waiting, coalesce(dead, 0)::int as dead, failure, failed_at
    from webhook
    left join lateral (
      select count(*) filter (where not is_dead) as waiting, count(*) filter (where is_dead) as dead
      from webhook_delivery as delivery where delivery.service_id = webhook.service_id
    ) as counted on true
    left join lateral (
      select failure, last_tried_at as failed_at from webhook_delivery as delivery
      where delivery.service_id = webhook.service_id and failure is not null
      order by last_tried_at desc limit 1
    ) as latest on true
    where ${own(db, db`service_id = any(${serviceIds as string[]}::uuid[])`)}
    order by service_id`,
  )
}

/** Up to `limit` deliveries of a state after a position, in the order of the feeds. */
export async function listDeliveries(
  db: Db,
  serviceIds: readonly string[],
  { state, after, limit }: { state: Delivery['state']; after: string; limit: number },
): Promise<Delivery[]> {
  return readWithin<Delivery>(
    db,
    { ownServices: serviceIds, senders: serviceIds },
    db`
    select delivery.service_id, delivery.position, event.id, event.type, event.message_id, event.reference, event.at, ${actionOf(db)},
           ${state}::text as state, tries, first_tried_at, last_tried_at, failure
    from webhook_delivery as delivery
    join event on event.sender_id = delivery.service_id and event.position = delivery.position
    where ${own(db, db`delivery.service_id = any(${serviceIds as string[]}::uuid[])`)}
      and is_dead = ${state === 'dead'} and delivery.position > ${after}
    order by delivery.position limit ${limit}`,
  )
}
