import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf, unite } from '../src/access/rights.ts'
import type { Database } from '../src/database/connect.ts'
import type { Submission } from '../src/delivery/message.ts'
import { refreshSearch } from '../src/registry/contact-edit.ts'
import { addGeneralPoints } from '../src/registry/contact-register.ts'
import type { Addressed } from '../src/registry/find-recipients.ts'
import {
  deriveIdentifierKeys,
  hashIdentifier,
  type Identifier,
  type IdentifierKeys,
  sealIdentifier,
} from '../src/registry/identifier.ts'
import type { TestDatabase } from './database.ts'

/** A small world for tests of one room: a council with two services, and two people whom the first knows as CT-1 and CT-2. */
export type Post = {
  db: Database
  /** Sees everything. */
  owner: Database
  keys: IdentifierKeys
  serviceId: string
  /** The council's other service, which knows nobody. */
  parkingId: string
  /** A system that acts for the first service. */
  council: Actor
  /** A member of the council's staff, who acts for these services. */
  clerk: (serviceIds: string[]) => Actor
  rosa: Actor
  arthur: Actor
  /** One more person, whom the first service knows by this link. */
  addPerson: (link: string) => Promise<Actor>
  /** A letter from the council to Rosa. */
  letter: (reference: string) => Submission
}

export async function buildPost({ database: db, owner }: TestDatabase, secretKey: Buffer = Buffer.alloc(32, 7)): Promise<Post> {
  const keys = deriveIdentifierKeys(secretKey)
  const [serviceId, parkingId] = [newId(), newId()]
  const party = async (kind: string, name: string) => {
    const ids = { partyId: newId(), mailboxId: newId() }
    await owner`insert into party (id, kind, name) values (${ids.partyId}, ${kind}, ${name})`
    await owner`insert into mailbox (id, party_id) values (${ids.mailboxId}, ${ids.partyId})`
    return ids
  }
  const actor = (ids: { partyId: string; mailboxId: string }, more: Pick<Actor, 'rights' | 'by' | 'door'>): Actor => ({
    ...ids,
    ...more,
    isOrganisation: more.by.kind === 'system' || more.by.kind === 'staff',
    categories: undefined,
    requestId: newId(),
  })
  const council = await party('public-body', 'Northfold Council')
  await owner`insert into organisation (party_id, slug) values (${council.partyId}, 'northfold-council')`
  await owner`
    insert into service (id, slug, organisation_id, name)
    values (${serviceId}, 'council-tax', ${council.partyId}, 'Council tax'), (${parkingId}, 'parking', ${council.partyId}, 'Parking')`
  await addGeneralPoints(owner, council.partyId, new Date('2026-11-01T10:00:00Z'))
  await refreshSearch(owner, council.partyId)
  const person = async (name: string, link: string) => {
    const ids = await party('person', name)
    await owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${serviceId}, 'link', ${hashIdentifier(keys, serviceId, { scheme: 'link', value: link })}, ${sealIdentifier(keys, serviceId, link)}, ${ids.partyId})`
    const by = { kind: 'owner', id: ids.partyId, name } as const
    return actor(ids, { rights: rightsOf('owner'), by, door: 'citizen-pages' })
  }
  return {
    db,
    owner,
    keys,
    serviceId,
    parkingId,
    council: actor(council, {
      rights: rightsOf('system', [serviceId]),
      by: { kind: 'system', id: 'billing', name: 'Billing' },
      door: 'sender-api',
    }),
    clerk: (serviceIds) =>
      actor(council, {
        rights: unite(rightsOf('post-reader', serviceIds), rightsOf('post-writer', serviceIds)),
        by: { kind: 'staff', id: newId(), name: 'Mel Placeholder' },
        door: 'department-pages',
      }),
    rosa: await person('Rosa Example', 'CT-1'),
    arthur: await person('Arthur Sample', 'CT-2'),
    addPerson: (link) => person(`Person ${link}`, link),
    letter: (reference) => ({
      reference,
      serviceId,
      recipient: { scheme: 'link', value: 'CT-1' },
      subject: 'Your bill',
      content: [{ language: 'en', body: 'You have a bill.' }],
      documents: [],
      reply: { allowed: true },
    }),
  }
}

/** An identifier as the look-up wants it. */
export function addressedTo(keys: IdentifierKeys, serviceId: string, identifier: Identifier): Addressed {
  return { serviceId, namespace: serviceId, scheme: identifier.scheme, hash: hashIdentifier(keys, serviceId, identifier) }
}
