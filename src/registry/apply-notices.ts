import { type Static, Type } from 'typebox'
import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import { Problem } from '../problems.ts'
import { change } from './change-registration.ts'
import { hashIdentifier, Identifier, type IdentifierKeys } from './identifier.ts'
import type { RegistrationRules } from './registration.ts'
import { installationNamespace, whatIsWrong } from './scheme.ts'

/** What a register says of somebody, by an identifier of the whole installation. */
export const Notice = Type.Object(
  {
    register: Type.String({ minLength: 1, maxLength: 200, description: 'Whose notice it is, as the owner reads it.' }),
    identifier: Identifier,
    event: Type.Enum(['death', 'dissolved']),
  },
  { additionalProperties: false },
)
export type Notice = Static<typeof Notice>

/**
 * Closes the mailboxes that the notices are about. Again with the same notices changes nothing: who is closed stays as it is,
 * and a register writes of many who have no mailbox here. Answers what is wrong with them, by place.
 */
export async function applyNotices(
  db: Db,
  keys: IdentifierKeys,
  notices: readonly Notice[],
  rules: RegistrationRules,
  now: Date,
): Promise<FieldProblem[]> {
  const problems: FieldProblem[] = []
  for (const [index, { register, identifier, event }] of notices.entries()) {
    const at = `/notices/${index}`
    const wrong = keys.schemes.has(identifier.scheme)
      ? whatIsWrong(keys.schemes, identifier.scheme, identifier.value)
      : 'is of no scheme of this installation'
    if (wrong !== undefined) {
      problems.push({ field: `${at}/identifier`, message: wrong })
      continue
    }
    const partyId = await findOpen(db, keys, identifier)
    if (partyId === undefined) continue
    const by = { kind: 'system', id: 'register-notice', name: register } as const
    try {
      await change(db, { partyId, to: 'closed', reason: event, by, changer: 'notice' }, rules, now)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problems.push({ field: `${at}/event`, message: 'cannot be said of this kind of party' })
    }
  }
  return problems
}

async function findOpen(db: Db, keys: IdentifierKeys, identifier: Identifier): Promise<string | undefined> {
  const [found] = await db<{ partyId: string }[]>`
    select link.party_id from link join mailbox on mailbox.party_id = link.party_id
    where link.service_id = ${installationNamespace} and link.scheme = ${identifier.scheme}
      and link.value_hash = ${hashIdentifier(keys, installationNamespace, identifier)} and mailbox.registration <> 'closed'`
  return found?.partyId
}
