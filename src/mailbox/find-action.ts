import type { Actor } from '../access/actor.ts'
import { actionsInOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type Action, readAction } from '../documents/action.ts'
import { Problem } from '../problems.ts'
import type { Letter } from './letter.ts'
import { open } from './open.ts'

export type AskedAction = { messageId: string; actionId: string }

/** Something that a received letter asks for, with its letter, which is opened: who sees the one has seen the other. Throws `not-found`. */
export async function findAction(
  db: Db,
  actor: Actor,
  { messageId, actionId }: AskedAction,
  now: Date,
): Promise<{ letter: Letter; action: Action }> {
  requireRight(actor, 'inbox:read')
  // Before the letter is opened: what is not there changes nothing.
  const isThere = db`select from action where ${actionsInOwnMailbox(db, actor)} and id = ${actionId} and message_id = ${messageId}`
  if ((await readWithin(db, scopeOfReceived(actor), isThere)).length === 0) throw new Problem('not-found')
  const letter = await open(db, actor, messageId, now)
  const stored = letter.actions.find(({ id }) => id === actionId)
  if (stored === undefined) throw new Problem('not-found')
  return { letter, action: readAction(stored) }
}
