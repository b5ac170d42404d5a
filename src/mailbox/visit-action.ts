import { type Actor, doerOf } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { stateAfter, wayOf } from '../documents/action.ts'
import { Problem } from '../problems.ts'
import { changeAction } from './change-action.ts'
import { type AskedAction, findAction } from './find-action.ts'
import { noteChange } from './note-change.ts'

/**
 * Where an action is done, at another site. Who goes there has begun it, unless they may only read: what they do there we are not told.
 * Throws `not-found`, `action-not-yet`.
 */
export async function visitAction(db: Db, actor: Actor, asked: AskedAction, now: Date): Promise<string> {
  requireRight(actor, 'inbox:read')
  const { action } = await findAction(db, actor, asked, now)
  const { url } = action.said
  if (url === undefined) throw new Problem('not-found')
  if (action.startsAt !== null && action.startsAt > now) throw new Problem('action-not-yet')
  const isBeginning = stateAfter(wayOf(action.said), action.state, 'start') !== undefined
  if (isBeginning && actor.rights.has('actions:take')) {
    await within(db, scopeOfReceived(actor), async (sql) => {
      await noteChange(sql, actor)
      await changeAction(sql, { ...asked, mailboxId: actor.mailboxId }, 'start', { by: doerOf(actor), door: actor.door }, now)
    })
  }
  return url
}
