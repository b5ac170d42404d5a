import { acceptGrant, enterInvitationCode } from '../../src/access/accept-grant.ts'
import type { Actor } from '../../src/access/actor.ts'
import { enterGrant } from '../../src/access/enter-grant.ts'
import { deriveInvitationKey } from '../../src/access/grant-invitation.ts'
import { type Offer, offerGrant } from '../../src/access/offer-grant.ts'
import { rightsOf } from '../../src/access/rights.ts'
import type { Database } from '../../src/database/connect.ts'
import { type Caller, type Person, registrars } from './callers.ts'
import type { Parties } from './parties.ts'
import type { Secrets } from './secrets.ts'

/** One who lets another in, and who of the callers sees it from which side. */
export type GrantMade = {
  name: string
  id: string
  given: readonly Caller[]
  held: readonly Caller[]
  offered?: readonly Caller[]
  hasDocument?: boolean
}
export type Grants = {
  all: GrantMade[]
  /** Callers in the mailbox that a grant opens to them. */
  acting: Record<'writer' | 'employee' | 'adviser' | 'administrator', Actor>
  /** Which grant a caller's session has open. */
  open: Partial<Record<Person, string>>
}

type Building = { database: Database; secretKey: Buffer; secrets: Secrets; now: Date }

export async function makeGrants({ database, secretKey, secrets, now }: Building, parties: Parties): Promise<Grants> {
  const { people, bakery, registrars: registrarActors, services } = parties
  const key = deriveInvitationKey(secretKey)
  const all: GrantMade[] = []
  const open: Grants['open'] = {}
  const keep = (grant: GrantMade) => {
    const sides = [...grant.given, ...grant.held, ...(grant.offered ?? [])]
    secrets.keep(grant.id, `the id of ${grant.name}`, [...sides, ...registrars])
    all.push(grant)
    return grant
  }
  const offer = (giver: Actor, change: Partial<Offer>, what: string, seenBy: readonly Caller[]) => {
    const holderName = `Whom it is for: ${secrets.word(`for whom ${what} is`, [...seenBy, ...registrars])}`
    return offerGrant(database, key, giver, { ...helper, holderName, ...change }, now)
  }
  const give = async (giver: Actor, given: Caller, holder: Person, change: Partial<Offer> = {}) => {
    const name = `the grant of ${given} to ${holder}`
    const { code } = await offer(giver, change, name, [given, holder])
    const { grantId } = await enterInvitationCode(database, key, people[holder], code, now)
    await acceptGrant(database, people[holder], grantId, now)
    open[holder] = grantId
    return keep({ name, id: grantId, given: [given], held: [holder] })
  }
  const enter = async (entry: Pick<Parameters<typeof enterGrant>[2], 'giverId' | 'holderId' | 'kind' | 'role'>, more: object) => {
    const whole = { isAdministrator: false, reason: 'By law', ...entry, ...more }
    return (await enterGrant(database, registrarActors.registrar, whole, now)).grantId
  }

  const byLaw = { endsAt: new Date(now.getTime() + 86_400_000), ...lawOf(secrets) }
  const lawId = await enter(
    { giverId: people.rosa.partyId, holderId: people.limited.partyId, kind: 'guardian', role: 'reader' },
    byLaw,
  )
  keep({ name: 'a grant by law', id: lawId, given: ['rosa'], held: ['limited'], hasDocument: true })
  await give(people.rosa, 'rosa', 'reader')
  await give(people.rosa, 'rosa', 'writer', { role: 'writer' })
  await give(people.rosa, 'rosa', 'limited', { role: 'writer', serviceIds: [services.parking.id] })
  await give(people.rosa, 'rosa', 'narrow', { categories: ['health'] })
  await give(people.rosa, 'rosa', 'ended')

  const administratorId = await enter(
    { giverId: bakery.partyId, holderId: people.administrator.partyId, kind: 'employee', role: 'none' },
    { isAdministrator: true },
  )
  keep({ name: 'the grant to the administrator', id: administratorId, given: ['administrator'], held: ['administrator'] })
  open.administrator = administratorId
  const inBakery = (person: Person, rights: Actor['rights']): Actor => ({
    ...people[person],
    ...bakery,
    rights,
    by: { kind: 'helper', id: people[person].by.id, name: people[person].by.name, grantId: open[person]! },
  })
  const administrator = inBakery('administrator', rightsOf('administrator'))
  await give(administrator, 'administrator', 'employee', { kind: 'employee', role: 'writer' })
  const forAdviser = { kind: 'adviser', role: 'writer', serviceIds: [services['state-pension'].id] } as const
  await give(administrator, 'administrator', 'adviser', forAdviser)

  const waiting = async (giver: Actor, given: Caller, change: Partial<Offer>, shownTo?: Person) => {
    const name = `an offer of ${given}`
    const { grantId, code } = await offer(giver, change, name, shownTo ? [given, shownTo] : [given])
    if (shownTo) await enterInvitationCode(database, key, people[shownTo], code, now)
    keep({ name, id: grantId, given: [given], held: [], offered: shownTo ? [shownTo] : [] })
  }
  await waiting(people.rosa, 'rosa', {})
  await waiting(people.arthur, 'arthur', {}, 'employee')
  await waiting(administrator, 'administrator', { kind: 'adviser' })

  const ofRosa = { partyId: people.rosa.partyId, mailboxId: people.rosa.mailboxId, rights: rightsOf('writer') }
  const writer: Actor = { ...people.writer, ...ofRosa, by: { ...people.writer.by, kind: 'helper', grantId: open.writer! } }
  const employee = inBakery('employee', rightsOf('writer'))
  const adviser = inBakery('adviser', rightsOf('writer', [services['state-pension'].id]))
  return { all, open, acting: { writer, administrator, employee, adviser } }
}

const helper = { kind: 'helper', role: 'reader', isAdministrator: false } as const

/** Why, and the document by which. */
function lawOf(secrets: Secrets) {
  const seenBy = ['rosa', ...registrars] as const
  const said = secrets.word('the content of the document by which a grant was entered', seenBy)
  const filename = `${secrets.word('the name of the document by which a grant was entered', seenBy)}.pdf`
  return {
    reason: secrets.word('why a grant was entered', [...seenBy, 'reader', 'writer']),
    document: { filename, mediaType: 'application/pdf', bytes: Buffer.from(`%PDF-1.4 ${said}`) },
  }
}
