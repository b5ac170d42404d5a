import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { type Scope, within } from '../database/scope.ts'
import { type IdentifierKeys, openIdentifier } from './identifier.ts'
import { endingOf, hashSecret, type LinkEvent, type LinkState, nextState, type Refused } from './link-request.ts'
import { noteRecipientChange } from './recipient-changes.ts'

/** What the person is asked, or told. */
export type LinkQuestion = {
  /**
   * `confirm`: the person is asked. `linked`: it is the person's already. `taken`: somebody else has this identifier;
   * `same-person`: somebody else of the same name and date of birth has.
   */
  outcome: 'confirm' | 'linked' | 'taken' | 'same-person'
  /** Whether the service's own site offered it, and not the person asked for it here. */
  isOffer: boolean
  serviceName: string
  organisationName: string
  ending: string
}

/** An offer is nobody's until its code is shown, and an identifier may be somebody else's: so this looks across parties. */
function ofLinking({ partyId }: Actor): Scope {
  return { purpose: 'linking', party: partyId }
}

type Row = {
  id: string
  serviceId: string
  kind: 'request' | 'offer'
  partyId: string | null
  state: LinkState
  scheme: string
  valueHash: Buffer
  valueSealed: Buffer
  expiresAt: Date
  serviceName: string
  organisationName: string
}

/** What a service has said of the actor, as it waits for the actor's word. The first who opens an offer is whom it is for. */
export async function readLinkQuestion(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  code: string,
  now: Date,
): Promise<LinkQuestion | Refused> {
  requireRight(actor, 'links:manage')
  return within(db, ofLinking(actor), async (sql) => {
    const request = await takeRequest(sql, actor, code, now)
    return 'refused' in request ? request : judge(sql, keys, actor, request, now)
  })
}

/** The actor's word: yes. Twice is the same as once. */
export async function confirmLink(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  code: string,
  now: Date,
): Promise<LinkQuestion | Refused> {
  requireRight(actor, 'links:manage')
  return within(db, ofLinking(actor), async (sql) => {
    const request = await takeRequest(sql, actor, code, now)
    if ('refused' in request) return request
    const isNew = request.state === 'answered' && (await writeLink(sql, actor.partyId, request, now))
    const question = await judge(sql, keys, actor, request, now)
    if (isNew) {
      const { serviceId, scheme, valueSealed } = request
      await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'link-made', serviceId }], now)
      await noteRecipientChange(sql, { partyId: actor.partyId, serviceId, madeLink: { scheme, valueSealed } }, now)
    }
    return question
  })
}

/** Whether it is new. Of two who confirm the same identifier at once, the second waits here, and finds it taken. */
async function writeLink(
  db: Db,
  partyId: string,
  { serviceId, scheme, valueHash, valueSealed }: Row,
  now: Date,
): Promise<boolean> {
  const { count } = await db`
    insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
    values (${serviceId}, ${scheme}, ${valueHash}, ${valueSealed}, ${partyId}, ${now}) on conflict do nothing`
  return count === 1
}

/** The actor's word: no. Nothing was linked, and nothing is. */
export async function declineLink(db: Db, actor: Actor, code: string, now: Date): Promise<Refused | undefined> {
  requireRight(actor, 'links:manage')
  return within(db, ofLinking(actor), async (sql) => {
    const request = await takeRequest(sql, actor, code, now)
    if ('refused' in request) return request
    await move(sql, request, 'decline')
  })
}

/** The actor says that whoever has the identifier is the same person: `joinMailboxes` follows, once that is proven. */
export async function askToJoin(db: Db, actor: Actor, code: string, now: Date): Promise<Refused | undefined> {
  requireRight(actor, 'links:manage')
  return within(db, ofLinking(actor), async (sql) => {
    const request = await takeRequest(sql, actor, code, now)
    if ('refused' in request) return request
    if (!(await move(sql, request, 'join'))) return { refused: 'used' }
  })
}

/** The request that the code belongs to, if it is still open and the actor's. One that has come to somebody else ends. */
async function takeRequest(db: Db, actor: Actor, code: string, now: Date): Promise<Row | Refused> {
  const [request] = await db<Row[]>`
    select link_request.id, service_id, link_request.kind, link_request.party_id, state, scheme, value_hash, value_sealed, expires_at,
      service.name as service_name, party.name as organisation_name
    from link_request
    join service on service.id = link_request.service_id
    join party on party.id = service.organisation_id
    where code_hash = ${hashSecret(code)}
    for update of link_request`
  // After some time they are deleted.
  if (request === undefined || request.expiresAt <= now) return { refused: 'old' }
  if (request.partyId !== null && request.partyId !== actor.partyId) {
    await move(db, request, 'misplace')
    return { refused: 'other-session' }
  }
  if (request.state === 'declined' || request.state === 'misplaced' || request.state === 'joined') return { refused: 'used' }
  if (request.partyId === null) await db`update link_request set party_id = ${actor.partyId} where id = ${request.id}`
  return request
}

/** Whether it happened: not every event can be in every state. */
async function move(db: Db, request: { id: string; state: LinkState }, event: LinkEvent): Promise<boolean> {
  const next = nextState(request.state, event)
  if (next === undefined) return false
  await db`update link_request set state = ${next} where id = ${request.id}`
  return true
}

/** Whose the identifier is by now, and what follows for the request. */
async function judge(db: Db, keys: IdentifierKeys, actor: Actor, request: Row, now: Date): Promise<LinkQuestion> {
  const { serviceId, scheme, valueHash, valueSealed, kind, serviceName, organisationName } = request
  const [holder] = await db<{ partyId: string; isSamePerson: boolean }[]>`
    select link.party_id, coalesce((lower(holder.name), holder.birth_date, holder.kind) = (lower(own.name), own.birth_date, 'person'), false) as is_same_person
    from link join party holder on holder.id = link.party_id, party own
    where link.service_id = ${serviceId} and link.scheme = ${scheme} and link.value_hash = ${valueHash} and own.id = ${actor.partyId}`
  const question = {
    isOffer: kind === 'offer',
    serviceName,
    organisationName,
    ending: endingOf(openIdentifier(keys, serviceId, valueSealed)),
  }
  if (holder === undefined) return { ...question, outcome: 'confirm' }
  if (holder.partyId === actor.partyId) {
    await move(db, request, 'confirm')
    return { ...question, outcome: 'linked' }
  }
  // Told once, however often the person looks at the page.
  if (await move(db, request, 'clash')) {
    await noteRecipientChange(db, { partyId: holder.partyId, serviceId, contestedLink: { scheme, valueSealed } }, now)
  }
  return { ...question, outcome: holder.isSamePerson ? 'same-person' : 'taken' }
}
