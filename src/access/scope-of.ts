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

/** The same, and of the post only what has arrived in the mailbox. */
export function scopeOfReceived(actor: Actor): Scope {
  return { ...scopeOf(actor), senders: [] }
}

/** The same, and of the post only what the actor has written. */
export function scopeOfSent(actor: Actor): Scope {
  const { mailbox: _, ...scope } = scopeOf(actor)
  return scope
}

/** Those for which the actor has any right at all. */
function ownServices({ rights }: Actor): string[] {
  return [...new Set([...rights.values()].flatMap((services) => (services === 'all' ? [] : services)))]
}
