import { type Actor, nameWithFirm } from './actor.ts'
import type { GrantKind, GrantRole } from './grant.ts'
import { rightsOf, unite } from './rights.ts'

/** A grant as it lets a person in just now, directly or through a firm. */
export type HeldGrant = {
  grantId: string
  viaGrantId: string | null
  firmName: string | null
  ownerId: string
  ownerMailboxId: string
  kind: GrantKind
  role: GrantRole
  isAdministrator: boolean
  serviceIds: string[] | null
  categories: string[] | null
}

/** The person in the mailbox that a grant opens. */
export function actorByGrant(person: { id: string; name: string }, held: HeldGrant, requestId: string): Actor {
  const { role, isAdministrator, serviceIds, viaGrantId } = held
  const rights = unite(
    role === 'none' ? new Map() : rightsOf(role, serviceIds ?? 'all'),
    isAdministrator ? rightsOf('administrator') : new Map(),
  )
  const isEmployee = held.kind === 'employee' && viaGrantId === null
  return {
    partyId: held.ownerId,
    mailboxId: held.ownerMailboxId,
    isOrganisation: false,
    rights,
    categories: held.categories ?? undefined,
    by: { kind: 'helper', id: person.id, name: nameWithFirm(person.name, held.firmName), grantId: held.grantId, isEmployee },
    door: 'citizen-pages',
    requestId,
  }
}
