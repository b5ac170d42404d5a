import { type Actor, doerOf } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { type ActionEvent, maySay, wayOf } from '../documents/action.ts'
import { Problem } from '../problems.ts'
import { changeAction } from './change-action.ts'
import { type AskedAction, findAction } from './find-action.ts'
import { noteChange } from './note-change.ts'
import { lookAt } from './open.ts'

/**
 * Confirms, signs, accepts or declines what a letter asks, or notes that it was done elsewhere, or takes that note back. Its sender is told.
 * Throws `not-found`, `action-not-possible`, `action-not-yet`.
 */
export async function takeAction(
  db: Db,
  actor: Actor,
  { event, ...asked }: AskedAction & { event: ActionEvent },
  now: Date,
): Promise<void> {
  requireRight(actor, 'actions:take')
  const { letter, action } = await findAction(db, actor, asked, now)
  if (!maySay(wayOf(action.said), event)) throw new Problem('action-not-possible')
  if (action.startsAt !== null && action.startsAt > now) throw new Problem('action-not-yet')
  await within(db, scopeOfReceived(actor), async (sql) => {
    await noteChange(sql, actor)
    await changeAction(sql, { ...asked, mailboxId: actor.mailboxId }, event, { by: doerOf(actor), door: actor.door }, now)
    if (actor.by.kind !== 'owner') await noteLooks(sql, [lookAt(actor, letter, 'acted')], now)
  })
}
