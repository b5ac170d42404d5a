import { v7 as newId } from 'uuid'
import { acceptGrant, enterInvitationCode } from '../src/access/accept-grant.ts'
import type { Actor } from '../src/access/actor.ts'
import { type Entry, enterGrant } from '../src/access/enter-grant.ts'
import type { Side } from '../src/access/grant.ts'
import { type Offer, offerGrant } from '../src/access/offer-grant.ts'
import { rightsOf, unite } from '../src/access/rights.ts'
import type { Post } from './post.ts'

/** Who gives and holds grants, beside the people of test/post.ts. */
export type GrantWorld = {
  key: Buffer
  registrar: Actor
  /** With nobody in it yet. */
  addBusiness: (name: string) => Promise<{ partyId: string; mailboxId: string }>
  /** A registrar enters an administrator, who acts in the business's mailbox. */
  addAdministrator: (business: { partyId: string; mailboxId: string }, person: Actor, change?: Partial<Entry>) => Promise<Actor>
  offer: (giver: Actor, change?: Partial<Offer>, at?: Date) => Promise<{ grantId: string; code: string }>
  accept: (holder: Actor, code: string, at?: Date, side?: Side) => Promise<string>
  /** What is offered is accepted. */
  give: (giver: Actor, holder: Actor, change?: Partial<Offer>) => Promise<string>
  /** To the firm whose mailbox its administrator has open. */
  giveToFirm: (giver: Actor, administrator: Actor, change?: Partial<Offer>) => Promise<string>
  /** Her person, in another's mailbox. */
  inMailboxOf: (owner: { partyId: string; mailboxId: string }, person: Actor, grantId: string, rights?: Actor['rights']) => Actor
}

export function buildGrantWorld(post: Post, now: Date, key: Buffer = Buffer.alloc(32, 9)): GrantWorld {
  const { db, owner: database } = post
  const registrar: Actor = {
    ...post.rosa,
    partyId: newId(),
    mailboxId: newId(),
    rights: rightsOf('registrar'),
    by: { kind: 'registrar', id: newId(), name: 'Reg Istrar' },
    door: 'registrar-pages',
  }
  const inMailboxOf: GrantWorld['inMailboxOf'] = ({ partyId, mailboxId }, person, grantId, rights = rightsOf('reader')) => ({
    ...person,
    partyId,
    mailboxId,
    rights,
    by: { ...person.by, kind: 'helper', grantId },
  })
  const helper: Offer = { kind: 'helper', role: 'reader', isAdministrator: false, holderName: 'Somebody' }
  const offer: GrantWorld['offer'] = (giver, change, at = now) => offerGrant(db, key, giver, { ...helper, ...change }, at)
  const accept: GrantWorld['accept'] = async (holder, code, at = now, side = 'person') => {
    const { grantId } = await enterInvitationCode(db, key, holder, code, at)
    await acceptGrant(db, holder, grantId, at, side)
    return grantId
  }
  return {
    key,
    registrar,
    inMailboxOf,
    offer,
    accept,
    give: async (giver, holder, change) => accept(holder, (await offer(giver, change)).code),
    giveToFirm: async (giver, administrator, change) => accept(administrator, (await offer(giver, change)).code, now, 'firm'),
    async addBusiness(name) {
      const ids = { partyId: newId(), mailboxId: newId() }
      await database`insert into party (id, kind, name) values (${ids.partyId}, 'business', ${name})`
      await database`insert into mailbox (id, party_id) values (${ids.mailboxId}, ${ids.partyId})`
      return ids
    },
    async addAdministrator(business, person, change) {
      const entry: Entry = {
        giverId: business.partyId,
        holderId: person.by.id,
        kind: 'employee',
        role: 'writer',
        isAdministrator: true,
        reason: 'New',
      }
      const { grantId } = await enterGrant(db, registrar, { ...entry, ...change }, now)
      return inMailboxOf(business, person, grantId, unite(rightsOf('writer'), rightsOf('administrator')))
    },
  }
}
