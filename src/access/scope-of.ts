import type { Scope } from '../database/scope.ts'
import { type Actor, isFromOutside, senderIdsOf, servicesFor } from './actor.ts'

/** What the database lets an actor see and change. */
export function scopeOf(actor: Actor): Scope {
  return {
    party: actor.partyId,
    mailbox: actor.mailboxId,
    senders: senderIdsOf(actor),
    services: servicesFor(actor, 'inbox:read'),
    categories: actor.categories,
    isHelper: isFromOutside(actor),
    ...(actor.isOrganisation ? { organisation: actor.partyId, ownServices: ownServices(actor) } : {}),
  }
}

/** Those for which the actor has any right at all. */
function ownServices({ rights }: Actor): string[] {
  return [...new Set([...rights.values()].flatMap((services) => (services === 'all' ? [] : services)))]
}
