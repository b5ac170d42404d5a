import type { Actor } from '../access/actor.ts'
import { isScope, requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { askApproval } from './approval.ts'
import { type PublicKey, thumbprintOf } from './client-key.ts'
import { findSystemToChange } from './client-list.ts'

/** What is asked for, as the approval keeps it. */
export type NewSystem = { name: string; scopes: string[]; key: PublicKey; thumbprint: string }
export type NewSystemKey = { clientId: string; name: string; key: PublicKey; thumbprint: string }

/** Asks for a new system. It is registered when another member of staff approves (registry/client-add.ts). */
export async function askForSystem(
  db: Db,
  actor: Actor,
  input: { name: string; serviceIds: readonly string[]; scopes: readonly string[]; key: PublicKey },
  now: Date,
): Promise<{ approvalId: string }> {
  requireRight(actor, 'systems:manage')
  const { name, serviceIds, scopes, key } = input
  if (serviceIds.length === 0 || scopes.length === 0 || !scopes.every(isScope)) throw new Problem('not-found')
  const what: NewSystem = { name, scopes: [...scopes], key, thumbprint: await thumbprintOf(key) }
  return within(db, scopeOf(actor), (sql) => askApproval(sql, actor, { kind: 'client', serviceIds, what }, now))
}

/** Asks for one more key of a system. Its other keys stay as they are. Answers `known` where the system has the key already. */
export async function askForKey(
  db: Db,
  actor: Actor,
  { clientId, key }: { clientId: string; key: PublicKey },
  now: Date,
): Promise<{ approvalId: string } | 'known'> {
  requireRight(actor, 'systems:manage')
  const thumbprint = await thumbprintOf(key)
  return within(db, scopeOf(actor), async (sql) => {
    const { name, serviceIds, keys } = await findSystemToChange(sql, actor, clientId, now)
    if (keys.some((known) => known.thumbprint === thumbprint)) return 'known'
    const what: NewSystemKey = { clientId, name, key, thumbprint }
    return askApproval(sql, actor, { kind: 'client-key', serviceIds, what }, now)
  })
}
