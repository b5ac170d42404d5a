import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import type { DeclaredOrganisation } from './declaration.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from './identifier.ts'
import { installationNamespace, namespaceOf, whatIsWrong } from './scheme.ts'

type Link = NonNullable<DeclaredOrganisation['links']>[number]
/** A link that is new. */
export type Linked = { serviceId: string; partyId: string }

/** A link is never turned to another party: the letters already sent by it would have gone to the wrong one. */
export async function bringLinks(
  db: Db,
  keys: IdentifierKeys,
  { links = [] }: DeclaredOrganisation,
  serviceIds: ReadonlyMap<string, string>,
  at: string,
  problems: FieldProblem[],
  now: Date,
): Promise<Linked[]> {
  const linked: Linked[] = []
  for (const [index, link] of links.entries()) {
    const serviceId = serviceIds.get(link.service)!
    const wrong = await bringLink(db, keys, serviceId, link, now)
    if (wrong === 'linked') linked.push({ serviceId, partyId: link.party })
    else if (wrong !== undefined) problems.push({ ...wrong, field: `${at}/links/${index}/${wrong.field}` })
  }
  return linked
}

async function bringLink(
  db: Db,
  keys: IdentifierKeys,
  serviceId: string,
  { identifier, party }: Link,
  now: Date,
): Promise<'linked' | FieldProblem | undefined> {
  const [known] = await db`select from party where id = ${party}`
  if (known === undefined) return { field: 'party', message: 'is the id of no party' }
  const { scheme, value } = identifier
  const wrong = whatIsWrong(keys.schemes, scheme, value)
  if (wrong !== undefined) return { field: 'identifier/value', message: wrong }
  const namespace = namespaceOf(keys.schemes, serviceId, scheme)
  const isShared = namespace === installationNamespace
  const [allowed] = isShared
    ? await db`select from service_scheme where service_id = ${serviceId} and scheme = ${scheme}`
    : [true]
  if (allowed === undefined) return { field: 'identifier/scheme', message: 'is not among the schemes of the service' }
  const hash = hashIdentifier(keys, serviceId, identifier)
  const [isNew] = await db`
    insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
    values (${namespace}, ${scheme}, ${hash}, ${sealIdentifier(keys, serviceId, value, scheme)}, ${party}, ${now})
    on conflict do nothing returning scheme`
  const [link] = await db<{ partyId: string }[]>`
    select party_id from link where service_id = ${namespace} and scheme = ${scheme} and value_hash = ${hash}`
  if (link!.partyId !== party) return { field: 'identifier', message: 'already means another party' }
  if (isShared) {
    await db`
      insert into known_identifier (service_id, scheme, value_hash) values (${serviceId}, ${scheme}, ${hash}) on conflict do nothing`
  }
  return isNew && 'linked'
}
