import type { Right, Rights } from './rights.ts'

/** The ways in. The one that was used goes into the record of what was done. */
export type Door = 'sender-api' | 'citizen-pages' | 'department-pages' | 'registrar-pages' | 'demo'

/**
 * Who acts. The owner of the mailbox that is open; a helper, whom a grant lets in (an employee or adviser of a business is
 * one); a member of a public body's staff; a system of it; or a registrar.
 */
export type By = {
  kind: 'owner' | 'helper' | 'staff' | 'system' | 'registrar'
  /** Of the person's party, the member of staff, the registrar, or the system. */
  id: string
  /** As it is written down: of one who acts through a firm, with the firm's. */
  name: string
  /** By which a helper acts. */
  grantId?: string | undefined
  /** An employee is the business itself: a letter for the recipient only is for them too. */
  isEmployee?: boolean | undefined
}

/**
 * Who is asking, and on whose behalf. Made by a door for each request from a session or a token, and trusted inside: never a
 * request. `partyId` and `mailboxId` are of the party whose mailbox is open.
 */
export type Actor = {
  partyId: string
  mailboxId: string
  /** Whether the mailbox that is open is a public body's, whose services write under their own ids. */
  isOrganisation: boolean
  rights: Rights
  /** A helper's grant may be for some categories of post only; undefined is all. */
  categories: readonly string[] | undefined
  by: By
  /** When whoever acts proved who they are: at sign-in, or when a system got its token. */
  identifiedAt?: Date | undefined
  door: Door
  requestId: string
}

/** Who acts, and for which firm: Arthur Sample of Example Accountants Ltd. */
export function nameWithFirm(name: string, firmName: string | null): string {
  return firmName === null ? name : `${name} of ${firmName}`
}

/** The services for which the actor has a right; undefined where it holds for all post of the mailbox. */
export function servicesFor({ rights }: Actor, right: Right): readonly string[] | undefined {
  const services = rights.get(right)
  return services === 'all' ? undefined : (services ?? [])
}

/** Who acts, as evidence keeps it. */
export function doerOf({ by, identifiedAt }: Actor) {
  return { kind: by.kind, id: by.id, name: by.name, ...(identifiedAt ? { identifiedAt: identifiedAt.toISOString() } : {}) }
}

/** Whether letters for the recipient only are not for this actor. */
export function isFromOutside({ by }: Actor): boolean {
  return by.kind === 'helper' && by.isEmployee !== true
}

/** The same actor, for these services at most. */
export function narrowTo(actor: Actor, serviceIds: readonly string[]): Actor {
  const narrowed = [...actor.rights].map(([right, services]) => {
    const left = services === 'all' ? serviceIds : services.filter((id) => serviceIds.includes(id))
    return [right, left] as const
  })
  return { ...actor, rights: new Map(narrowed.filter(([, services]) => services.length > 0)) }
}

/** Under whose ledgers the actor's own messages stand: those of services, or that of the party itself. */
export function senderIdsOf(actor: Actor): readonly string[] {
  if (!actor.isOrganisation) return actor.rights.has('messages:read') ? [actor.partyId] : []
  return servicesFor(actor, 'messages:read') ?? []
}
