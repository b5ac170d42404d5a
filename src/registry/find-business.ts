import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { companyScheme } from './create-business.ts'
import { hashIdentifier, type IdentifierKeys } from './identifier.ts'
import { installationNamespace, whatIsWrong } from './scheme.ts'

/**
 * A business by its whole company number, which everybody can look up at the register of companies. Undefined where there is none here under it; whether it
 * can be reached is said when something is sent.
 */
export async function findBusiness(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  companyNumber: string,
): Promise<{ partyId: string; name: string } | undefined> {
  requireRight(actor, 'messages:write')
  if (!keys.schemes.has(companyScheme) || whatIsWrong(keys.schemes, companyScheme, companyNumber)) return undefined
  const hash = hashIdentifier(keys, installationNamespace, { scheme: companyScheme, value: companyNumber })
  const [found] = await readWithin<{ partyId: string; name: string }>(
    db,
    { purpose: 'delivery' },
    db`
      select party.id as party_id, party.name
      from link join party on party.id = link.party_id
      where link.service_id = ${installationNamespace} and link.scheme = ${companyScheme} and link.value_hash = ${hash}
        and party.kind = 'business' and party.id <> ${actor.partyId}`,
  )
  return found
}
