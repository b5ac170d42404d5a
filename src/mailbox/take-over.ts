import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { type Letter, letterColumns } from './letter.ts'
import { openForWhoeverMay } from './open.ts'

/**
 * Messages written to the actor's services, the oldest first, after the one with id `after`. With `waiting`, only those
 * that no system of the service has taken over yet.
 */
export async function listWritten(
  db: Db,
  actor: Actor,
  { after, limit, waiting }: { after: string | undefined; limit: number; waiting: boolean },
): Promise<Letter[]> {
  requireRight(actor, 'inbox:read')
  return readWithin<Letter>(
    db,
    scopeOfReceived(actor),
    db`
    select ${letterColumns(db)}, false as is_sent from message
    where ${inOwnMailbox(db, actor)}
      ${waiting ? db`and message.taken_over_at is null and message.sender_id <> message.service_id` : db``}
      ${after === undefined ? db`` : db`and message.id > ${after}`}
    order by message.id limit ${limit}`,
  )
}

/** The service's own system keeps the message from now on. Again is harmless: the first time stands. Throws `not-found`. */
export async function takeOver(db: Db, actor: Actor, messageId: string, now: Date): Promise<{ takenOverAt: Date }> {
  requireRight(actor, 'inbox:write')
  const letter = await openForWhoeverMay(db, actor, messageId, now)
  if (letter.takenOverAt !== null) return { takenOverAt: letter.takenOverAt }
  const [row] = await within(
    db,
    scopeOfReceived(actor),
    (sql) => sql<{ takenOverAt: Date }[]>`
    update message set taken_over_at = coalesce(taken_over_at, ${now}), modseq = nextval('modseq')
    where ${inOwnMailbox(db, actor)} and message.id = ${messageId}
    returning taken_over_at`,
  )
  return { takenOverAt: row!.takenOverAt }
}
