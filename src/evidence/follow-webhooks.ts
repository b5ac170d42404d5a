import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { type MessageEvent, readEvents } from './events.ts'

const eventsAtOnce = 500

type Following = { serviceId: string; position: string }

/**
 * Puts new events of services that have a webhook on their way to it. Where nobody has one it is a single small query. It may be
 * ended anywhere, and run by any number of processes: the events and the place in the feed up to which they go are one
 * statement, which does nothing where another was quicker. Answers how many webhooks are on.
 */
export async function followWebhooks(db: Db, now: Date): Promise<number> {
  const webhooks = await readWithin<Following>(
    db,
    { purpose: 'following' },
    db`select service_id, position from webhook where is_on`,
  )
  if (webhooks.length === 0) return 0
  for (const webhook of await findBehind(db, webhooks)) {
    let { position } = webhook
    for (;;) {
      const events = await readEvents(db, [webhook.serviceId], position, eventsAtOnce)
      if (events.length === 0 || !(await addDeliveries(db, { ...webhook, position }, events, now))) break
      position = events.at(-1)!.position
      if (events.length < eventsAtOnce) break
    }
  }
  return webhooks.length
}

/** Those whose feeds hold something after their place. */
async function findBehind(db: Db, webhooks: readonly Following[]): Promise<Following[]> {
  const serviceIds = webhooks.map(({ serviceId }) => serviceId)
  return readWithin<Following>(
    db,
    { senders: serviceIds },
    db`
    select service_id, position
    from unnest(${serviceIds}::uuid[], ${webhooks.map(({ position }) => position)}::bigint[]) as webhook (service_id, position)
    where exists (select from event where ${own(db, db`sender_id = service_id`)} and event.position > webhook.position)`,
  )
}

/** False where somebody else has done so, or the webhook is switched off by now. */
async function addDeliveries(
  db: Db,
  { serviceId, position }: Following,
  events: readonly MessageEvent[],
  now: Date,
): Promise<boolean> {
  return within(db, { purpose: 'following' }, async (sql) => {
    const added = await sql`
      with webhook as (
        update webhook set position = ${events.at(-1)!.position}
        where service_id = ${serviceId} and position = ${position} and is_on
        returning service_id
      )
      insert into webhook_delivery (service_id, position, event_id, message_id, due_at)
      select service_id, event.position, event.id, event.message_id, greatest(${now}::timestamptz, (
        -- Not before what it waits for (deliver-webhooks).
        select max(due_at) from webhook_delivery as earlier
        where earlier.service_id = webhook.service_id and earlier.message_id = event.message_id and not is_dead
      ))
      from webhook, unnest(
        ${events.map((event) => event.position)}::bigint[],
        ${events.map(({ id }) => id)}::uuid[],
        ${events.map(({ messageId }) => messageId)}::uuid[]
      ) as event (position, id, message_id)
      on conflict do nothing`
    return added.count > 0
  })
}
