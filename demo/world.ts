import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { enterGrant } from '../src/access/enter-grant.ts'
import { rightsOf, type StaffRole, scopes, staffRoles, unite } from '../src/access/rights.ts'
import type { Database, Db } from '../src/database/connect.ts'
import { readWithin, within } from '../src/database/scope.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import type { NewDocument, NewFile } from '../src/documents/document.ts'
import { open } from '../src/mailbox/open.ts'
import { createParty } from '../src/registry/create-party.ts'
import type { Declaration } from '../src/registry/declaration.ts'
import type { IdentifierKeys } from '../src/registry/identifier.ts'
import { register } from '../src/registry/register.ts'
import { listServices, type Service } from '../src/registry/services.ts'
import { agencyPost } from './agency-post.ts'
import { agencyContacts, northfoldContacts } from './contact-points.ts'
import { payingServices } from './demo-payments.ts'
import { type DemoDocument, type DemoMessage, datesFrom, type Moment } from './message.ts'
import { northfoldPost } from './northfold-post.ts'

// Everybody and everything here is invented. Telephone numbers are of the ranges that Ofcom keeps for drama.

/** Who can sign in at the stand-in for One Login. All but Priya Specimen have signed in before. */
export const demoPeople = [
  {
    id: 'rosa',
    givenNames: ['Rosa'],
    familyName: 'Example',
    birthDate: '1984-05-17',
    note: 'Has letters from both public bodies, one of them unread.',
  },
  {
    id: 'arthur',
    givenNames: ['Arthur'],
    familyName: 'Sample',
    birthDate: '1964-09-08',
    note: 'Has a late payment and a pension forecast, has written to the council, and runs Example Bakery Ltd.',
  },
  { id: 'gwen', givenNames: ['Gwen'], familyName: 'Enghraifft', birthDate: '1966-02-11', note: 'Gets letters in Welsh.' },
  {
    id: 'priya',
    givenNames: ['Priya'],
    familyName: 'Specimen',
    birthDate: '1999-12-02',
    note: 'Has never signed in: a mailbox is made when she proves who she is.',
  },
]

const peopleWithMailbox = ['rosa', 'arthur', 'gwen']
const business = { id: 'bakery', name: 'Example Bakery Ltd' }

/** Who can sign in at the stand-in for the staff's provider. */
export const demoStaff = [
  { subject: 'staff-northfold-1', name: 'Mel Placeholder', note: 'Northfold Council: all services, all roles.' },
  { subject: 'staff-northfold-2', name: 'Jo Testcase', note: 'Northfold Council: libraries only.' },
  { subject: 'staff-pensions-1', name: 'Sam Mockup', note: 'Agency for Pensions and Support: all services, all roles.' },
  { subject: 'staff-pensions-2', name: 'Ash Fixture', note: 'Agency for Pensions and Support: carer’s support only.' },
  {
    subject: 'staff-northfold-3',
    name: 'Pat Standin',
    note: 'Northfold Council: manages systems, and approves what Mel asks for.',
  },
]

/** Who runs the register, and can sign in at the same stand-in. */
export const demoRegistrars = [
  { subject: 'registrar-1', name: 'Bo Dummyname', note: 'Registrar: start at /registrar.' },
  { subject: 'registrar-2', name: 'Cy Dummyname', note: 'Registrar: agrees to what takes two of them.' },
]

/** By which identifier (of the scheme `link`) each service knows whom. `CT-9999` is nobody, and stays so. */
const links: readonly (readonly [service: string, value: string, party: string])[] = [
  ['council-tax', 'CT-1001', 'rosa'],
  ['council-tax', 'CT-1002', 'arthur'],
  ['council-tax', 'CT-2001', 'bakery'],
  ['parking', 'PK-5001', 'rosa'],
  ['parking', 'PK-5002', 'arthur'],
  ['parking', 'PK-6001', 'bakery'],
  ['libraries', 'LB-3001', 'rosa'],
  ['libraries', 'LB-3003', 'gwen'],
  ['state-pension', 'SP-7002', 'arthur'],
  ['state-pension', 'SP-7003', 'gwen'],
  ['carers-support', 'CS-8001', 'rosa'],
  ['carers-support', 'CS-8003', 'gwen'],
]

/** Kinds of post, beside the general one. */
const categories = [
  {
    slug: 'bills',
    name: { en: 'Bills and payments', cy: 'Biliau a thaliadau' },
    wording: {
      en: 'I agree to get bills, reminders and letters about payments in this mailbox instead of on paper.',
      cy: 'Rwy’n cytuno i gael biliau, nodiadau atgoffa a llythyrau am daliadau yn y blwch post hwn yn lle ar bapur.',
    },
  },
  {
    slug: 'decisions',
    name: { en: 'Decisions', cy: 'Penderfyniadau' },
    wording: {
      en: 'I agree to get decisions that I can appeal against in this mailbox instead of on paper.',
      cy: 'Rwy’n cytuno i gael penderfyniadau y gallaf apelio yn eu herbyn yn y blwch post hwn yn lle ar bapur.',
    },
  },
]

function describeWorld(partyIds: ReadonlyMap<string, string>): Declaration {
  const linksOf = (services: { slug: string }[]) =>
    links
      .filter(([service]) => services.some(({ slug }) => slug === service))
      .map(([service, value, party]) => ({ service, identifier: { scheme: 'link', value }, party: partyIds.get(party)! }))
  const staffMember = (index: number, services: string[], roles?: StaffRole[]) => {
    const { subject, name } = demoStaff[index]!
    return { subject, name, services, roles }
  }
  const northfold = [
    { slug: 'council-tax', name: 'Council tax', description: 'Bills, payments, discounts and reductions.' },
    { slug: 'parking', name: 'Parking', description: 'Permits, fines and parking places.' },
    { slug: 'libraries', name: 'Libraries', description: 'Books, reservations and library cards.' },
  ]
  const pensions = [
    { slug: 'state-pension', name: 'State pension', description: 'Forecasts, claims and payments.' },
    { slug: 'carers-support', name: 'Carer’s support', description: 'Money for people who care for somebody.' },
  ]
  return {
    organisations: [
      {
        slug: 'northfold-council',
        name: 'Northfold Council',
        description: 'Local services for the people of Northfold, an invented town.',
        services: northfold,
        actionHosts: ['www.gov.uk', 'submit.forms.service.gov.uk', 'www.northfold.example'],
        contacts: northfoldContacts,
        clients: [
          {
            id: 'demo-sender',
            name: 'Council tax billing',
            services: ['council-tax'],
            scopes,
            demoSecret: 'demo-sender-secret',
          },
        ],
        staff: [
          staffMember(0, ['council-tax', 'parking', 'libraries'], [...staffRoles]),
          staffMember(1, ['libraries']),
          staffMember(4, ['council-tax', 'parking', 'libraries'], ['systems-manager']),
        ],
        links: linksOf(northfold),
      },
      {
        slug: 'pensions-and-support',
        name: 'Agency for Pensions and Support',
        description: 'Pensions and support for carers, from an invented agency.',
        services: pensions,
        contacts: agencyContacts,
        clients: [
          {
            id: 'demo-other',
            name: 'Pension letters',
            services: ['state-pension', 'carers-support'],
            scopes,
            demoSecret: 'demo-other-secret',
          },
        ],
        staff: [staffMember(2, ['state-pension', 'carers-support'], [...staffRoles]), staffMember(3, ['carers-support'])],
        links: linksOf(pensions),
      },
    ],
    categories,
    registrars: demoRegistrars.map(({ subject, name }) => ({ subject, name })),
  }
}

/**
 * Fills an empty database with the demo world, and returns whether it did. A database in which there is any organisation is
 * left alone. All in one transaction: a start that is killed half way leaves nothing, and of two starts at once the second
 * waits and then finds it done. `subjectOf` says who a person of `demoPeople` is at the stand-in for One Login.
 */
export async function fillDemoWorld(
  database: Database,
  keys: IdentifierKeys,
  subjectOf: (personId: string) => string,
  now: Date,
): Promise<boolean> {
  const dates = datesFrom(now)
  const messages = [...northfoldPost(dates), ...agencyPost(dates)]
  const files = await readFiles(messages)
  return database.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtext('digital-post demo world'))`
    const [filled] = await sql`select from organisation limit 1`
    if (filled !== undefined) return false
    const owners = await within(sql, { purpose: 'registry' }, (db) => createOwners(db, subjectOf, now))
    const partyIds = new Map([...owners].map(([id, { partyId }]) => [id, partyId]))
    const beginning = momentBefore(now, [365, '09:00'])
    await register(sql, keys, describeWorld(partyIds), { scopes, demo: true }, beginning)
    await enterPayAccounts(sql, beginning)
    await enterAdministrator(sql, partyIds.get(business.id)!, partyIds.get('arthur')!, beginning)
    await sendMessages(sql, keys, owners, messages, files, now)
    return true
  })
}

/** That there are any; what is in them is sealed at each start (demo-payments.ts). */
async function enterPayAccounts(db: Db, now: Date): Promise<void> {
  await within(
    db,
    { purpose: 'registry' },
    (sql) => sql`
    insert into pay_account (service_id, id, token_sealed, changed_at, changed_by_name)
    select id, gen_random_uuid(), '', ${now}, 'Demo' from service where slug = any(${payingServices as unknown as string[]})`,
  )
}

type Owner = { partyId: string; mailboxId: string; name: string }

/** The people and the business, by their ids in this file. */
async function createOwners(db: Db, subjectOf: (personId: string) => string, now: Date): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>()
  const beginning = momentBefore(now, [365, '09:00'])
  for (const { id, givenNames, familyName, birthDate } of demoPeople) {
    if (!peopleWithMailbox.includes(id)) continue
    const name = [...givenNames, familyName].join(' ')
    const owner = await createParty(db, { kind: 'person', name, birthDate }, beginning)
    await db`insert into one_login_subject (subject, party_id, created_at) values (${subjectOf(id)}, ${owner.partyId}, ${beginning})`
    owners.set(id, { ...owner, name })
  }
  const { name } = business
  owners.set(business.id, { ...(await createParty(db, { kind: 'business', name }, beginning)), name })
  return owners
}

/** Who answers for the business: he lets others in, reads and writes. */
async function enterAdministrator(db: Db, giverId: string, holderId: string, now: Date): Promise<void> {
  const [registrar] = await readWithin<{ id: string; name: string }>(
    db,
    { purpose: 'registry' },
    db`select id, name from registrar where subject = ${demoRegistrars[0]!.subject}`,
  )
  const nobody = { partyId: registrar!.id, mailboxId: registrar!.id }
  const by = { kind: 'registrar', ...registrar! } as const
  const actor: Actor = { ...actorOf(nobody), isOrganisation: false, rights: rightsOf('registrar'), by }
  const grant = { giverId, holderId, kind: 'employee', role: 'writer', isAdministrator: true } as const
  await enterGrant(db, actor, { ...grant, reason: 'The first administrator of a new business' }, now)
}

type Happening = { at: Date; happen: () => Promise<void> }

/** In the order of time, as a sender's events are kept in the order in which they are written. */
async function sendMessages(
  db: Db,
  keys: IdentifierKeys,
  owners: ReadonlyMap<string, Owner>,
  messages: readonly DemoMessage[],
  files: ReadonlyMap<string, string>,
  now: Date,
): Promise<void> {
  const services = new Map((await listServices(db)).map((service) => [service.slug, service]))
  const clerks = await within(
    db,
    { purpose: 'registry' },
    (sql) =>
      sql<
        Clerk[]
      >`select distinct on (organisation_id) organisation_id, id, name from staff_member order by organisation_id, subject`,
  )
  const messageIds = new Map<string, string>()
  const happenings = messages.flatMap((message): Happening[] => {
    const service = services.get(message.service)!
    const office = officeActor(service, clerks.find(({ organisationId }) => organisationId === service.organisationId)!)
    const recipientId = links.find(([slug, value]) => slug === message.service && value === message.to)?.[2]
    const owner = ownerActor(owners.get(message.from ?? recipientId!)!)
    const [writer, reader] = message.from === undefined ? [office, owner] : [owner, office]
    const sentAt = momentBefore(now, message.sent)
    const send = async () => {
      const { messageId } = await acceptOne(
        db,
        keys,
        writer,
        {
          reference: message.reference,
          serviceId: service.id,
          recipient: message.to === undefined ? undefined : { scheme: 'link', value: message.to },
          answersId: message.answers === undefined ? undefined : messageIds.get(message.answers),
          subject: message.content[0]!.subject,
          content: message.content,
          category: message.category,
          documents: (message.documents ?? []).map((document) => withBytes(document, files)),
          actions: message.actions,
          reply: { allowed: message.replyBy !== undefined, by: message.replyBy?.toISOString() },
        },
        sentAt,
      )
      messageIds.set(message.reference, messageId)
    }
    const happened = [{ at: sentAt, happen: send }]
    if (message.opened === undefined) return happened
    const openedAt = momentBefore(now, message.opened)
    const openIt = async () => void (await open(db, reader, messageIds.get(message.reference)!, openedAt))
    return [...happened, { at: openedAt, happen: openIt }]
  })
  for (const { happen } of happenings.sort((a, b) => a.at.getTime() - b.at.getTime())) await happen()
}

type Clerk = { organisationId: string; id: string; name: string }

function officeActor({ id, organisationId, mailboxId }: Service, clerk: Clerk): Actor {
  const rights = unite(...staffRoles.map((role) => rightsOf(role, [id])))
  const by = { kind: 'staff', id: clerk.id, name: clerk.name } as const
  return { ...actorOf({ partyId: organisationId, mailboxId }), isOrganisation: true, rights, by }
}

function ownerActor(owner: Owner): Actor {
  return {
    ...actorOf(owner),
    isOrganisation: false,
    rights: rightsOf('owner'),
    by: { kind: 'owner', id: owner.partyId, name: owner.name },
  }
}

const actorOf = ({ partyId, mailboxId }: Omit<Owner, 'name'>) => ({
  partyId,
  mailboxId,
  categories: undefined,
  door: 'demo' as const,
  requestId: newId(),
})

function momentBefore(now: Date, [daysAgo, time]: Moment): Date {
  const day = new Date(now.getTime() - daysAgo * 86_400_000).toISOString().slice(0, 10)
  return new Date(`${day}T${time}:00Z`)
}

/** The PDFs that the messages name, in base64. */
async function readFiles(messages: readonly DemoMessage[]): Promise<Map<string, string>> {
  const names = messages.flatMap(({ documents = [] }) => documents.flatMap(({ files }) => files.map(({ filename }) => filename)))
  const pdfs = names.filter((name) => name.endsWith('.pdf'))
  const read = async (name: string) => [name, await readFile(path.join(import.meta.dirname, 'letters', name), 'base64')] as const
  return new Map(await Promise.all(pdfs.map(read)))
}

function withBytes({ role, title, files }: DemoDocument, bytes: ReadonlyMap<string, string>): NewDocument {
  const toFile = ({ filename, language, text }: DemoDocument['files'][number]): NewFile =>
    text === undefined
      ? { filename, mediaType: 'application/pdf', language, content: bytes.get(filename)! }
      : { filename, mediaType: 'application/json', language, content: Buffer.from(text).toString('base64') }
  return { role, title, files: files.map(toFile) }
}
