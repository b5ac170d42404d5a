import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'

const sendersMax = 200

export type Sender = { serviceId: string; serviceName: string; senderName: string }

/** From which services there are letters in the mailbox, by one letter of each. */
export async function listSenders(db: Db, actor: Actor): Promise<Sender[]> {
  requireRight(actor, 'inbox:read')
  // From one service to the next in the index: their letters are many.
  const next = db`select service_id, service_name, sender_name from message where ${inOwnMailbox(db, actor)}`
  return readWithin<Sender>(
    db,
    scopeOfReceived(actor),
    db`
    with recursive sender as (
      (${next} order by message.service_id limit 1)
      union all
      select other.* from sender cross join lateral (${next} and message.service_id > sender.service_id order by message.service_id limit 1) as other
    )
    select * from sender limit ${sendersMax}`,
  )
}
