import { generateKeyPairSync } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../../src/access/actor.ts'
import { rightsOf, type StaffRole, scopes, staffRoles } from '../../src/access/rights.ts'
import type { Database } from '../../src/database/connect.ts'
import { within } from '../../src/database/scope.ts'
import { type PublicKey, thumbprintOf } from '../../src/registry/client-key.ts'
import { createParty } from '../../src/registry/create-party.ts'
import type { IdentifierKeys } from '../../src/registry/identifier.ts'
import { register } from '../../src/registry/register.ts'
import {
  atBakery,
  atRosas,
  type Caller,
  ofCouncilTax,
  ofParking,
  ofPension,
  type Person,
  persons,
  type Registrar,
  registrars,
  type Staff,
  staff,
} from './callers.ts'
import type { Secrets } from './secrets.ts'

/** What is there before anybody writes or lets anybody in. */
export type Parties = {
  people: Record<Person | 'twin' | 'otherTwin' | 'firmAdministrator', Actor>
  bakery: { partyId: string; mailboxId: string }
  /** Of accountants, whom Rosa lets in. */
  firm: { partyId: string; mailboxId: string }
  staffIds: Record<Staff | 'councilAsker' | 'pensionAsker', string>
  registrars: Record<Registrar, Actor>
  services: Record<ServiceSlug, Service>
  /** By which services know people. */
  numbers: Record<'rosaTax' | 'rosaParking' | 'arthurPension' | 'bakeryTax' | 'bakeryPension', string>
  /** Systems that are looked at and changed, and do not call. */
  keyed: Record<'councilTax' | 'pension', { id: string; thumbprint: string }>
}
export type ServiceSlug = 'council-tax' | 'parking' | 'state-pension'
export type Service = { id: string; organisationId: string; mailboxId: string }
type Building = { database: Database; owner: Database; keys: IdentifierKeys; secrets: Secrets; now: Date }

/** Whose name whom else gets to see, beside registrars, who look for people by their names. */
const knownTo: Record<Person, readonly Caller[]> = {
  rosa: [...atRosas, 'ended', ...ofCouncilTax, ...ofParking],
  arthur: ['arthur', 'employee', ...ofPension],
  reader: atRosas,
  writer: [...atRosas, ...ofParking],
  limited: atRosas,
  narrow: atRosas,
  ended: ['rosa', 'reader', 'writer', 'ended'],
  employee: [...atBakery, ...ofCouncilTax],
  adviser: [...atBakery, ...ofPension],
  administrator: atBakery,
  colleague: atRosas,
  leaver: ['rosa', 'reader', 'writer', 'leaver'],
}

export async function buildParties(building: Building): Promise<Parties> {
  const { database, secrets, now } = building
  const word = (what: string, seenBy: readonly Caller[]) => secrets.word(what, [...seenBy, ...registrars])
  const person = async (name: string, birthDate = '1980-02-03') => {
    const ids = await within(database, { purpose: 'registry' }, (db) => createParty(db, { kind: 'person', name, birthDate }, now))
    const by = { kind: 'owner', id: ids.partyId, name } as const
    return { ...ids, ...aside, isOrganisation: false, rights: rightsOf('owner'), by, door: 'citizen-pages' } as const
  }
  const people: Record<string, Actor> = {}
  for (const name of persons) people[name] = await person(`${name} ${word(`the name of ${name}`, knownTo[name])}`)
  const twins = `Twin ${word('the name of the twins', [])}`
  people.twin = await person(twins, '1971-01-01')
  people.otherTwin = await person(twins, '1971-01-01')
  people.firmAdministrator = await person(
    `Firm administrator ${word('the name of the firm’s administrator', ['rosa', 'colleague'])}`,
  )
  const bakeryName = `Bakery ${word('the name of the bakery', [...atBakery, ...ofCouncilTax, ...ofPension])}`
  const business = (name: string) =>
    within(database, { purpose: 'registry' }, (db) => createParty(db, { kind: 'business', name }, now))
  const bakery = await business(bakeryName)
  const firm = await business(`Firm ${word('the name of the firm', [...atRosas, 'leaver'])}`)
  await building.owner`update mailbox set reachable_from = '-infinity' where party_id = ${bakery.partyId}`
  for (const [name, { partyId, mailboxId }] of Object.entries({ ...people, bakery, firm })) {
    secrets.keep(partyId, `the id of ${name}`, registrars)
    secrets.keep(mailboxId, `the id of the mailbox of ${name}`, [])
  }
  return { people: people as Parties['people'], bakery, firm, ...(await declare(building, people as Parties['people'], bakery)) }
}

const aside = { categories: undefined, requestId: 'the world' }

async function declare(
  { database, owner, keys, secrets, now }: Building,
  people: Parties['people'],
  bakery: Parties['bakery'],
): Promise<Omit<Parties, 'people' | 'bakery' | 'firm'>> {
  const number = (prefix: string, what: string, seenBy: readonly Caller[]) =>
    prefix + secrets.word(`the number of ${what}`, seenBy)
  const numbers = {
    rosaTax: number('CT-', 'Rosa at council tax', [...ofCouncilTax, 'lookupSystem']),
    rosaParking: number('PK-', 'Rosa at parking', ofParking),
    arthurPension: number('SP-', 'Arthur at state pension', ofPension),
    bakeryTax: number('CT-', 'the bakery at council tax', [...ofCouncilTax, 'lookupSystem']),
    bakeryPension: number('SP-', 'the bakery at state pension', ofPension),
  }
  const jwks = { councilTax: newKey(), pension: newKey() }
  const keyed = {
    councilTax: await keepKey(secrets, 'tax', jwks.councilTax, ['staff']),
    pension: await keepKey(secrets, 'pension', jwks.pension, ['pensionStaff']),
  }
  const clients = {
    councilTax: clientOf(keyed.councilTax.id, jwks.councilTax),
    pension: clientOf(keyed.pension.id, jwks.pension),
  }
  const declared = [
    councilOf(secrets, clients.councilTax, [
      ['council-tax', numbers.rosaTax, people.rosa],
      ['parking', numbers.rosaParking, people.rosa],
      ['council-tax', numbers.bakeryTax, bakery],
    ]),
    agencyOf(secrets, clients.pension, [
      ['state-pension', numbers.arthurPension, people.arthur],
      ['state-pension', numbers.bakeryPension, bakery],
    ]),
  ]
  const categories = [{ slug: 'health', name: { en: 'Health' }, wording: { en: 'Letters about your health come here.' } }]
  const registering = registrars.map((subject) => ({
    subject,
    name: `Registrar ${secrets.word(`the name of ${subject}`, [...registrars, ...atRosas, ...atBakery])}`,
  }))
  await register(database, keys, { organisations: declared, categories, registrars: registering }, { scopes, demo: true }, now)
  const rows = await owner<{ subject: string; id: string; name: string }[]>`
    select subject, id, name from staff_member union all select subject, id, name from registrar`
  const bySubject = new Map(rows.map((row) => [row.subject, row]))
  const idsOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, bySubject.get(name)!.id]))
  const services = await owner<(Service & { slug: string })[]>`
    select service.slug, service.id, organisation_id, mailbox.id as mailbox_id
    from service join mailbox on mailbox.party_id = organisation_id`
  return {
    numbers,
    keyed,
    staffIds: idsOf([...staff, 'councilAsker', 'pensionAsker']) as Parties['staffIds'],
    registrars: Object.fromEntries(
      registrars.map((name) => [name, registrarActor(bySubject.get(name)!)]),
    ) as Parties['registrars'],
    services: Object.fromEntries(services.map(({ slug, ...service }) => [slug, service])) as Parties['services'],
  }
}

const newKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as PublicKey

async function keepKey(secrets: Secrets, prefix: string, key: PublicKey, seenBy: readonly Caller[]) {
  const id = `${prefix}-${secrets.word(`the ${prefix} system with a key`, seenBy)}`
  return { id, thumbprint: secrets.keep(await thumbprintOf(key), `the key of the ${prefix} system`, seenBy) }
}

const clientOf = (id: string, key: PublicKey) => ({ id, name: `System ${id}`, scopes: ['messages:read'], jwks: { keys: [key] } })

function registrarActor({ id, name }: { id: string; name: string }): Actor {
  const by = { kind: 'registrar', id, name } as const
  const nobody = { partyId: newId(), mailboxId: newId() }
  return { ...nobody, ...aside, isOrganisation: false, rights: rightsOf('registrar'), by, door: 'registrar-pages' }
}

type Linked = readonly (readonly [service: string, number: string, party: { partyId: string }])[]
const linksOf = (links: Linked) =>
  links.map(([service, value, { partyId }]) => ({ service, identifier: { scheme: 'link', value }, party: partyId }))

type KeyedClient = ReturnType<typeof clientOf>

function councilOf(secrets: Secrets, keyed: KeyedClient, links: Linked) {
  const member = staffOf(secrets, ['staff', 'clerk', 'parkingStaff', ...atRosas, ...atBakery])
  const hidden = `Hidden ${secrets.word('a contact point that is not shown', ['staff', 'parkingStaff'])}`
  return {
    slug: 'northfold-council',
    name: 'Northfold Council',
    services: [
      { slug: 'council-tax', name: 'Council tax' },
      { slug: 'parking', name: 'Parking' },
    ],
    contacts: {
      groups: [{ slug: 'money', name: { en: 'Money' } }],
      points: [
        {
          slug: 'bills',
          service: 'council-tax',
          group: 'money',
          name: { en: 'Bills' },
          asks: [{ label: { en: 'Account' } }],
        },
        { slug: 'rates', service: 'council-tax', name: { en: 'Business rates' }, audience: ['business'] },
        { slug: 'hidden', service: 'council-tax', name: { en: hidden }, searchWords: { en: 'tucked' }, visible: false },
        { slug: 'fines', service: 'parking', name: { en: 'Fines' } },
      ],
    },
    clients: [
      { ...keyed, services: ['council-tax'] },
      caller(secrets, 'system', 'council-tax', ['staff']),
      caller(secrets, 'lookupSystem', 'council-tax', ['staff'], ['recipients:read']),
      caller(secrets, 'parkingSystem', 'parking', ['parkingStaff']),
    ],
    staff: [
      member('staff', 'council-tax', [...staffRoles]),
      member('clerk', 'council-tax', ['post-reader']),
      member('parkingStaff', 'parking', [...staffRoles]),
      member('councilAsker', 'council-tax', ['systems-manager', 'staff-manager']),
    ],
    links: linksOf(links),
  }
}

function agencyOf(secrets: Secrets, keyed: KeyedClient, links: Linked) {
  const member = staffOf(secrets, ['pensionStaff', ...atBakery, 'arthur'])
  return {
    slug: 'pensions',
    name: 'Pensions Agency',
    services: [{ slug: 'state-pension', name: 'State pension' }],
    contacts: {
      groups: [{ slug: 'claims', name: { en: 'Claims' } }],
      points: [{ slug: 'claim', service: 'state-pension', group: 'claims', name: { en: 'Claim' } }],
    },
    clients: [{ ...keyed, services: ['state-pension'] }, caller(secrets, 'pensionSystem', 'state-pension', ['pensionStaff'])],
    staff: [
      member('pensionStaff', 'state-pension', [...staffRoles]),
      member('pensionAsker', 'state-pension', ['systems-manager', 'staff-manager']),
    ],
    links: linksOf(links),
  }
}

const staffOf = (secrets: Secrets, seenBy: readonly Caller[]) => (subject: string, service: ServiceSlug, roles: StaffRole[]) => ({
  subject,
  name: `Staff ${secrets.word(`the name of ${subject}`, seenBy)}`,
  services: [service],
  roles,
})

function caller(secrets: Secrets, id: string, service: ServiceSlug, seenBy: readonly Caller[], may: readonly string[] = scopes) {
  const name = `System ${secrets.word(`the name of ${id}`, seenBy)}`
  return { id, name, services: [service], scopes: [...may], demoSecret: `${id}-secret` }
}
