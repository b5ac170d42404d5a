import type { Actor } from '../access/actor.ts'
import { enterGrant } from '../access/enter-grant.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { createParty } from './create-party.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from './identifier.ts'
import { defaultRules, type RegistrationRules } from './registration.ts'
import { installationNamespace } from './scheme.ts'

/** Under which a business is entered, by the number that the register of companies gave it. */
export const companyScheme = 'company-number'

export type NewBusiness = {
  name: string
  companyNumber: string
  /** Who answers for it first. */
  administratorId: string
  reason: string
}

/**
 * Enters a business with its first administrator, who may let others in, and read and write. Nobody can send to it before its
 * period of grace is over. Answers `number-taken` where the number is another's already. Whether it is well-formed is for
 * whoever asks to see (registry/scheme.ts).
 */
export async function createBusiness(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { name, companyNumber, administratorId, reason }: NewBusiness,
  now: Date,
  rules: RegistrationRules = defaultRules,
): Promise<{ partyId: string } | 'number-taken'> {
  requireRight(actor, 'registry:manage')
  const hash = hashIdentifier(keys, installationNamespace, { scheme: companyScheme, value: companyNumber })
  const sealed = sealIdentifier(keys, installationNamespace, companyNumber, companyScheme)
  return within(db, { purpose: 'registry' }, async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${hash.toString('hex')}, 0))`
    const [taken] = await sql`
      select from link where service_id = ${installationNamespace} and scheme = ${companyScheme} and value_hash = ${hash}`
    if (taken !== undefined) return 'number-taken'
    const { partyId } = await createParty(sql, { kind: 'business', name }, now, rules)
    await sql`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
      values (${installationNamespace}, ${companyScheme}, ${hash}, ${sealed}, ${partyId}, ${now})`
    await noteLooks(sql, [{ partyId, by: actor.by, what: 'registration-changed', reason }], now)
    await enterGrant(
      sql,
      actor,
      {
        giverId: partyId,
        holderId: administratorId,
        kind: 'employee',
        role: 'writer',
        isAdministrator: true,
        startsAt: now,
        reason,
      },
      now,
    )
    return { partyId }
  })
}
