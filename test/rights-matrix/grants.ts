import { acceptGrant, enterInvitationCode } from '../../src/access/accept-grant.ts'
import type { Actor } from '../../src/access/actor.ts'
import { type Entry, enterGrant } from '../../src/access/enter-grant.ts'
import { deriveInvitationKey } from '../../src/access/grant-invitation.ts'
import { type Offer, offerGrant } from '../../src/access/offer-grant.ts'
import { rightsOf } from '../../src/access/rights.ts'
import type { Database } from '../../src/database/connect.ts'
import type { Opening } from '../../src/sign-in/session.ts'
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
  /** Who opens by it what their firm was let into. */
  shownTo?: readonly Caller[]
  hasDocument?: boolean
}
export type Grants = {
  all: GrantMade[]
  /** Callers in the mailbox that a grant opens to them. */
  acting: Record<'writer' | 'employee' | 'adviser' | 'administrator', Actor>
  /** By which grants a caller's session has another's mailbox open. */
  open: Partial<Record<Person, Opening>>
}

type Building = { database: Database; secretKey: Buffer; secrets: Secrets; now: Date }

export async function makeGrants(building: Building, parties: Parties): Promise<Grants> {
  const { people, bakery, services } = parties
  const open: Grants['open'] = {}
  const { all, give, giveToFirm, wait, enter } = giverOf(building, parties, open)

  const law = { name: 'a grant by law', given: ['rosa'], held: ['limited'], hasDocument: true } as const
  const byLaw = { kind: 'guardian', role: 'reader', endsAt: new Date(building.now.getTime() + 86_400_000) } as const
  await enter(law, { giverId: people.rosa.partyId, holderId: people.limited.partyId, ...byLaw, ...lawOf(building.secrets) })
  await give(people.rosa, 'rosa', 'reader')
  await give(people.rosa, 'rosa', 'writer', { role: 'writer' })
  await give(people.rosa, 'rosa', 'limited', { role: 'writer', serviceIds: [services.parking.id] })
  await give(people.rosa, 'rosa', 'narrow', { categories: ['health'] })
  await give(people.rosa, 'rosa', 'ended')

  const first = { name: 'the grant to the administrator', given: ['administrator'], held: ['administrator'] } as const
  const lost = { kind: 'employee', role: 'none', isAdministrator: true, reason: 'The first' } as const
  open.administrator = {
    grantId: await enter(first, { giverId: bakery.partyId, holderId: people.administrator.partyId, ...lost }),
  }
  const inMailbox = (owner: { partyId: string; mailboxId: string }, person: Person, rights: Actor['rights']): Actor => ({
    ...people[person],
    partyId: owner.partyId,
    mailboxId: owner.mailboxId,
    rights,
    by: { ...people[person].by, kind: 'helper', grantId: open[person]!.grantId },
  })
  const administrator = inMailbox(bakery, 'administrator', rightsOf('administrator'))
  const pensionOnly = [services['state-pension'].id]
  await give(administrator, 'administrator', 'employee', { kind: 'employee', role: 'writer' })
  await give(administrator, 'administrator', 'adviser', { kind: 'adviser', role: 'writer', serviceIds: pensionOnly })

  const firmFirst = { name: 'the grant to the firm’s administrator', given: [], held: [] } as const
  const { firm } = parties
  const grantId = await enter(firmFirst, { giverId: firm.partyId, holderId: people.firmAdministrator.partyId, ...lost })
  const by = { ...people.firmAdministrator.by, kind: 'helper', grantId } as const
  const firmAdministrator = { ...people.firmAdministrator, ...firm, rights: rightsOf('administrator'), by }
  await give(firmAdministrator, 'the firm', 'colleague', { kind: 'employee' })
  await give(firmAdministrator, 'the firm', 'leaver', { kind: 'employee', role: 'writer' })
  await giveToFirm(people.rosa, firmAdministrator, { role: 'writer', serviceIds: [services.parking.id] })

  await wait(people.rosa, 'rosa', {})
  await wait(people.arthur, 'arthur', {}, 'employee')
  await wait(administrator, 'administrator', { kind: 'adviser' })
  const acting = {
    administrator,
    writer: inMailbox(people.rosa, 'writer', rightsOf('writer')),
    employee: inMailbox(bakery, 'employee', rightsOf('writer')),
    adviser: inMailbox(bakery, 'adviser', rightsOf('writer', pensionOnly)),
  }
  return { all, open, acting }
}

/** The ways in which a grant comes to be. */
function giverOf({ database, secretKey, secrets, now }: Building, { people, registrars: actors }: Parties, open: Grants['open']) {
  const key = deriveInvitationKey(secretKey)
  const all: GrantMade[] = []
  const keep = (grant: GrantMade): string => {
    const sides = [...grant.given, ...grant.held, ...(grant.offered ?? []), ...(grant.shownTo ?? [])]
    all.push(grant)
    return secrets.keep(grant.id, `the id of ${grant.name}`, [...sides, ...registrars])
  }
  return {
    all,
    async give(giver: Actor, given: Caller | 'the firm', holder: Person, change: Partial<Offer> = {}) {
      const { code } = await offerGrant(database, key, giver, { ...helper, holderName: 'Somebody', ...change }, now)
      const { grantId } = await enterInvitationCode(database, key, people[holder], code, now)
      await acceptGrant(database, people[holder], grantId, now)
      const sides = { given: given === 'the firm' ? [] : [given], held: [holder] }
      open[holder] = { grantId: keep({ name: `the grant of ${given} to ${holder}`, id: grantId, ...sides }) }
    },
    /** Its employees, who have been let in before, have the mailbox open through it. */
    async giveToFirm(giver: Actor, administrator: Actor, change: Partial<Offer>) {
      const { code } = await offerGrant(database, key, giver, { ...helper, holderName: 'A firm', ...change }, now)
      const { grantId } = await enterInvitationCode(database, key, administrator, code, now)
      await acceptGrant(database, administrator, grantId, now, 'firm')
      keep({ name: 'the grant of rosa to the firm', id: grantId, given: ['rosa'], held: [], shownTo: ['colleague'] })
      for (const employee of ['colleague', 'leaver'] as const) open[employee] = { grantId, viaGrantId: open[employee]!.grantId }
    },
    /** Nobody has accepted it, and somebody may have been shown it. */
    async wait(giver: Actor, given: Caller, change: Partial<Offer>, shownTo?: Person) {
      const name = `an offer of ${given}`
      const offered = shownTo ? [shownTo] : []
      const holderName = `Whom it is for: ${secrets.word(`for whom ${name} is`, [given, ...offered, ...registrars])}`
      const { grantId, code } = await offerGrant(database, key, giver, { ...helper, holderName, ...change }, now)
      if (shownTo) await enterInvitationCode(database, key, people[shownTo], code, now)
      keep({ name, id: grantId, given: [given], held: [], offered })
    },
    async enter(made: Omit<GrantMade, 'id'>, entry: Omit<Entry, 'isAdministrator'> & { isAdministrator?: boolean }) {
      const { grantId } = await enterGrant(database, actors.registrar, { isAdministrator: false, ...entry }, now)
      return keep({ ...made, id: grantId })
    },
  }
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
