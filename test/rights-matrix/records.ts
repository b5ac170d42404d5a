import { generateKeyPairSync } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../../src/access/actor.ts'
import { rightsOf } from '../../src/access/rights.ts'
import { addContactDetail } from '../../src/alerts/add-contact-detail.ts'
import { contactOptions } from '../../src/alerts/contact-detail.ts'
import { readConfig } from '../../src/config.ts'
import type { Database } from '../../src/database/connect.ts'
import { saveWebhook } from '../../src/evidence/change-webhook.ts'
import { askForSystem } from '../../src/registry/client-ask.ts'
import type { PublicKey } from '../../src/registry/client-key.ts'
import { searchRecords, startView } from '../../src/registry/find-record.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from '../../src/registry/identifier.ts'
import { newSecret } from '../../src/registry/link-request.ts'
import { lookUpRecipients } from '../../src/registry/look-up.ts'
import { requestMerge } from '../../src/registry/request-merge.ts'
import { deriveSessionKeys, startSession } from '../../src/sign-in/session.ts'
import { atBakery, type Registrar, registrars } from './callers.ts'
import { officeOf } from './letters.ts'
import type { Parties, Service, ServiceSlug } from './parties.ts'
import type { Secrets } from './secrets.ts'

/** What registrars have looked for and opened, what waits for a second person, and what services say of people. */
export type Records = {
  searches: Record<Registrar, string>
  views: Record<'rosa' | 'bakery' | 'twin', Record<Registrar, string>>
  mergeId: string
  approvals: Record<'councilTax' | 'pension', string>
  /** The codes of links that wait for a person's word. */
  codes: Record<Linked, string>
  linkIds: Record<Linked, string>
  points: Record<string, string>
  groups: Record<string, string>
  folders: { rosa: string; bakery: string }
  /** Of each service, an event that its webhook has not taken. */
  deadDeliveries: Record<ServiceSlug, string>
  /** Addresses of people's own, and where else they are signed in. */
  own: Record<WithOwn, { waiting: string; confirmed: string; sessionId: string }>
  /** Of each service, one with a line that was refused. */
  batches: Record<ServiceSlug, string>
  /** Of each service, a mailing that could be sent, and its template. */
  mailings: Record<ServiceSlug, { id: string; templateId: string }>
  /** Of each service, one of which nothing has come yet. */
  uploads: Record<ServiceSlug, string>
  restore: () => Promise<void>
}

const withOwn = ['rosa', 'arthur', 'reader'] as const
export type WithOwn = (typeof withOwn)[number]

/** Whose mailbox a link is of: of the bakery's, its administrator answers for it. */
const linked = ['rosa', 'arthur', 'administrator'] as const
export type Linked = (typeof linked)[number]

type Building = {
  database: Database
  owner: Database
  keys: IdentifierKeys
  secretKey: Buffer
  secrets: Secrets
  now: Date
}

export async function keepRecords(building: Building, parties: Parties): Promise<Records> {
  const { database, owner, keys, secrets, now } = building
  const [billing, recipient] = [officeOf(parties, 'council-tax'), { scheme: 'link', value: parties.numbers.rosaTax }]
  await lookUpRecipients(
    database,
    keys,
    billing,
    { serviceId: parties.services['council-tax'].id, identifiers: [recipient] },
    now,
  )
  const partyIdOf = (name: Linked) => (name === 'administrator' ? parties.bakery : parties.people[name]).partyId
  const codes: Record<string, string> = {}
  const linkIds: Record<string, string> = {}
  for (const name of linked) {
    const { secret, hash } = newSecret()
    await insertLinkRequest(building, parties.services['council-tax'].id, partyIdOf(name), hash)
    const [link] = await owner<{ id: string }[]>`select id from link where party_id = ${partyIdOf(name)} limit 1`
    codes[name] = secret
    linkIds[name] = secrets.keep(link!.id, `the id of a link of ${name}`, [name])
  }
  return {
    ...(await lookIntoRecords(building, parties)),
    approvals: {
      councilTax: await askApproval(building, parties.services['council-tax'], parties.staffIds.councilAsker, 'staff'),
      pension: await askApproval(building, parties.services['state-pension'], parties.staffIds.pensionAsker, 'pensionStaff'),
    },
    codes: codes as Records['codes'],
    linkIds: linkIds as Records['linkIds'],
    points: await idsBySlug(owner, 'contact_point'),
    groups: await idsBySlug(owner, 'contact_group'),
    folders: {
      rosa: await makeFolder(building, parties.people.rosa.mailboxId, 'Rosa', ['rosa', 'reader', 'writer']),
      bakery: await makeFolder(building, parties.bakery.mailboxId, 'the bakery', ['employee']),
    },
    deadDeliveries: await keepWebhooks(building, parties),
    own: await keepDetails(building, parties),
    batches: await keepBatches(building, parties),
    mailings: await keepMailings(building, parties),
    uploads: await keepUploads(building, parties),
    restore: async () => void (await owner`update link_request set state = 'answered' where code_hash is not null`),
  }
}

/** A name tells of letters: of who sees some of the letters only, nobody is shown it. */
async function makeFolder(
  { owner, secrets }: Building,
  mailboxId: string,
  whose: string,
  seenBy: Parameters<Secrets['word']>[1],
): Promise<string> {
  const name = secrets.word(`the name of a folder of ${whose}`, seenBy)
  const id = secrets.keep(newId(), `a folder of ${whose}`, seenBy)
  await owner`insert into folder (mailbox_id, id, name) values (${mailboxId}, ${id}, ${name})`
  return id
}

async function keepDetails({ database, owner, secretKey, secrets, now }: Building, { people }: Parties): Promise<Records['own']> {
  const options = contactOptions(readConfig({ DEMO: 'true', SECRET_KEY: secretKey.toString('base64') }))
  const each = withOwn.map(async (name) => {
    const { partyId } = people[name]
    const add = async (what: string) => {
      const value = `${secrets.word(`the ${what} address of ${name}`, [name])}@mail.example`
      const added = await addContactDetail(database, options, { partyId, kind: 'email', value, language: 'en' }, now)
      return secrets.keep((added as { id: string }).id, `the id of the ${what} address of ${name}`, [name])
    }
    const [waiting, confirmed] = [await add('waiting'), await add('confirmed')]
    await owner`update contact_detail set verified_at = ${now}, reconfirmed_at = ${now} where id = ${confirmed}`
    const session = { owner: { partyId }, subject: name, idToken: 'none', replaces: undefined }
    await startSession(database, deriveSessionKeys(secretKey), session, now)
    const [started] = await owner<{ id: string }[]>`select id from session where party_id = ${partyId}`
    return [name, { waiting, confirmed, sessionId: secrets.keep(started!.id, `a session of ${name}`, [name]) }] as const
  })
  return Object.fromEntries(await Promise.all(each)) as Records['own']
}

async function insertLinkRequest({ owner, keys, now }: Building, serviceId: string, partyId: string, codeHash: Buffer) {
  const value = `CT-${partyId.slice(-6)}`
  await owner`
    insert into link_request (id, service_id, kind, party_id, state, code_hash, scheme, value_hash, value_sealed, created_at, expires_at)
    values (${newId()}, ${serviceId}, 'offer', ${partyId}, 'answered', ${codeHash}, 'link',
      ${hashIdentifier(keys, serviceId, { scheme: 'link', value })}, ${sealIdentifier(keys, serviceId, value)}, ${now},
      ${new Date(now.getTime() + 3_600_000)})`
}

async function lookIntoRecords(
  { database, owner, keys, secrets, now }: Building,
  { people, bakery, registrars: actors }: Parties,
): Promise<Pick<Records, 'searches' | 'views' | 'mergeId'>> {
  const [twinName] = await owner<{ name: string }[]>`select name from party where id = ${people.twin.partyId}`
  const each = async (work: (actor: Actor, name: Registrar) => Promise<string>) => ({
    registrar: await work(actors.registrar, 'registrar'),
    otherRegistrar: await work(actors.otherRegistrar, 'otherRegistrar'),
  })
  const why = (whose: string, seenBy: Parameters<Secrets['word']>[1]) =>
    secrets.word(`why a registrar looked at ${whose}`, [...registrars, ...seenBy])
  const reasons = {
    rosa: why('Rosa', ['rosa', 'reader', 'writer']),
    bakery: why('the bakery', atBakery),
    twin: why('a twin', []),
  }
  const view = (whose: keyof typeof reasons, partyId: string) =>
    each(async (actor, name) => {
      const { viewId } = await startView(database, actor, { partyId, reason: reasons[whose] }, now)
      return secrets.keep(viewId, `the viewing of ${whose} by ${name}`, [name])
    })
  const merge = { fromPartyId: people.otherTwin.partyId, intoPartyId: people.twin.partyId, reason: reasons.twin }
  return {
    searches: await each(async (actor, name) => {
      const query = { by: 'person', name: twinName!.name, birthDate: '1971-01-01' } as const
      const { searchId } = await searchRecords(database, keys, actor, { query, reason: reasons.twin }, now)
      return secrets.keep(searchId, `a search of ${name}`, [name])
    }),
    views: {
      rosa: await view('rosa', people.rosa.partyId),
      bakery: await view('bakery', bakery.partyId),
      twin: await view('twin', people.twin.partyId),
    },
    mergeId: (await requestMerge(database, actors.otherRegistrar, merge, now)).mergeId,
  }
}

async function askApproval(
  { database, secrets, now }: Building,
  { id, organisationId, mailboxId }: Service,
  askerId: string,
  seenBy: 'staff' | 'pensionStaff',
): Promise<string> {
  const asker: Actor = {
    partyId: organisationId,
    mailboxId,
    isOrganisation: true,
    rights: rightsOf('systems-manager', [id]),
    categories: undefined,
    by: { kind: 'staff', id: askerId, name: 'Asker' },
    door: 'department-pages',
    requestId: 'the world',
  }
  const name = `System ${secrets.word(`a system that ${seenBy} may approve`, [seenBy])}`
  const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as PublicKey
  const { approvalId } = await askForSystem(database, asker, { name, serviceIds: [id], scopes: ['messages:read'], key }, now)
  return secrets.keep(approvalId, `an approval that ${seenBy} may give`, [seenBy])
}

/** A webhook of each service, whose address is nobody else's business, with one event that it has not taken. */
async function keepWebhooks(
  { database, owner, secrets, now }: Building,
  { services }: Parties,
): Promise<Records['deadDeliveries']> {
  const seenBy = {
    'council-tax': ['staff', 'system'],
    parking: ['parkingStaff', 'parkingSystem'],
    'state-pension': ['pensionStaff', 'pensionSystem'],
  } as const
  const dead: Record<string, string> = {}
  for (const [slug, { id: serviceId }] of Object.entries(services)) {
    const url = `https://127.0.0.1/${secrets.word(`the webhook of ${slug}`, seenBy[slug as ServiceSlug])}`
    await saveWebhook(database, { serviceId, name: slug }, { url }, { demo: true, key: Buffer.alloc(32, 1) }, now)
    const [delivery] = await owner<{ eventId: string }[]>`
      insert into webhook_delivery (service_id, position, event_id, message_id, is_dead, due_at)
      select sender_id, position, id, message_id, true, ${now} from event
      where sender_id = ${serviceId} and type = 'message.accepted' order by position limit 1
      returning event_id`
    dead[slug] = delivery!.eventId
  }
  return dead as Records['deadDeliveries']
}

/** A batch of each service, whose name and errors are nobody else's business. */
async function keepBatches({ owner, secrets, now }: Building, { services }: Parties): Promise<Records['batches']> {
  const seenBy = {
    'council-tax': ['staff', 'clerk', 'system'],
    parking: ['parkingStaff', 'parkingSystem'],
    'state-pension': ['pensionStaff', 'pensionSystem'],
  } as const
  const batches: Record<string, string> = {}
  for (const [slug, { id: senderId }] of Object.entries(services)) {
    const seen = seenBy[slug as ServiceSlug]
    const id = secrets.keep(newId(), `the batch of ${slug}`, seen)
    const [name, reference] = ['name', 'reference'].map((what) => secrets.word(`the ${what} of the batch of ${slug}`, seen))
    const failed = secrets.word(`the reference of a refused line of ${slug}`, seen)
    await owner`
      insert into batch (sender_id, id, reference, name, lane, created_at, created_by_name, changed_at, changed_by_name)
      values (${senderId}, ${id}, ${reference!}, ${name!}, 'bulk', ${now}, 'System', ${now}, 'System')`
    await owner`
      insert into batch_error (sender_id, batch_id, line, reference, code, at)
      values (${senderId}, ${id}, 1, ${failed}, 'recipient-not-found', ${now})`
    batches[slug] = id
  }
  return batches as Records['batches']
}

/** A mailing of each service, whose template, rows and errors are nobody else's business. */
async function keepMailings({ owner, keys, secrets, now }: Building, { services }: Parties): Promise<Records['mailings']> {
  const seenBy = { 'council-tax': ['staff', 'clerk'], parking: ['parkingStaff'], 'state-pension': ['pensionStaff'] } as const
  const made: Partial<Records['mailings']> = {}
  for (const [slug, { id: sender_id }] of Object.entries(services)) {
    const seen = seenBy[slug as ServiceSlug]
    const [templateId, id] = ['template', 'mailing'].map((what) => secrets.keep(newId(), `the ${what} of ${slug}`, seen))
    const word = (what: string) => secrets.word(`${what} of the mailing of ${slug}`, seen)
    const file_id = newId()
    const add = (table: string, row: Record<string, unknown>) =>
      owner`insert into ${owner(table)} ${owner({ sender_id, ...row })}`
    await add('letter_template', { id: templateId, version: 1 })
    await add('letter_template_version', {
      template_id: templateId,
      version: 1,
      name: word('the template'),
      category: 'general',
      reply_allowed: false,
      recipient_only: false,
      content: owner.json([{ language: 'en', subject: word('the subject'), body: '((name))' }]),
      saved_at: now,
      saved_by_name: 'Staff',
    })
    const of = { template_id: templateId, template_version: 1, created_at: now, created_by_name: 'Staff' }
    await add('mailing', { id, name: word('the name'), ...of, state: 'ready', file_id })
    const staged = { staged_at: now, staged_by_name: 'Staff', staged_by: owner.json({}), rows: 2, looked_up_to: 3 }
    await add('mailing_file', { id: file_id, mailing_id: id, scheme: 'link', several_allowed: false, ...staged })
    for (const [row, refusal] of [[2, null] as const, [3, 'recipient-not-found'] as const]) {
      const value = `CT-${row}`
      const hash = hashIdentifier(keys, sender_id, { scheme: 'link', value })
      const identifier = { scheme: 'link', identifier_hash: hash, identifier_sealed: sealIdentifier(keys, sender_id, value) }
      await add('mailing_row', { file_id, row, ...identifier, cells: [word(`row ${row}`)], refusal })
    }
    await add('mailing_error', {
      file_id,
      row: 4,
      ordinal: 0,
      column_name: word('a column'),
      fault: owner.json({ code: 'empty' }),
    })
    made[slug as ServiceSlug] = { id: id!, templateId: templateId! }
  }
  return made as Records['mailings']
}

async function keepUploads({ owner, secrets, now }: Building, { services }: Parties): Promise<Records['uploads']> {
  const systems = { 'council-tax': 'system', parking: 'parkingSystem', 'state-pension': 'pensionSystem' } as const
  const uploads: Record<string, string> = {}
  for (const [slug, { id: senderId }] of Object.entries(services)) {
    const id = secrets.keep(newId(), `the upload of ${slug}`, [systems[slug as ServiceSlug]])
    const expiresAt = new Date(now.getTime() + 86_400_000)
    await owner`
      insert into upload (sender_id, id, media_type, size, expires_at) values (${senderId}, ${id}, 'text/plain', 10, ${expiresAt})`
    uploads[slug] = id
  }
  return uploads as Records['uploads']
}

async function idsBySlug(owner: Database, table: string): Promise<Record<string, string>> {
  const rows = await owner<{ slug: string; id: string }[]>`select slug, id from ${owner(table)}`
  return Object.fromEntries(rows.map(({ slug, id }) => [slug, id]))
}
