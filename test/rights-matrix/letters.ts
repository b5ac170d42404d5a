import { v7 as newId } from 'uuid'
import type { Actor } from '../../src/access/actor.ts'
import { rightsOf } from '../../src/access/rights.ts'
import type { Database } from '../../src/database/connect.ts'
import { accept, acceptOne } from '../../src/delivery/accept.ts'
import type { Submission } from '../../src/delivery/message.ts'
import type { NewAction } from '../../src/documents/action.ts'
import type { IdentifierKeys } from '../../src/registry/identifier.ts'
import { type Caller, ofCouncilTax, ofParking, ofPension, systems } from './callers.ts'
import type { Grants } from './grants.ts'
import type { Parties, ServiceSlug } from './parties.ts'
import type { Secrets } from './secrets.ts'

/** A message with a word of its own in everything that it says, and who may see it: as one received, or as one sent. */
export type Letter = {
  name: string
  id: string
  fileId: string
  /** Of its acceptance. */
  evidenceId: string
  reference: string
  /** What it asks to do: of a public body's only. */
  actionId: string | undefined
  received: readonly Caller[]
  sent: readonly Caller[]
}

type Building = { database: Database; owner: Database; keys: IdentifierKeys; secrets: Secrets; now: Date }
type Written = Pick<Letter, 'name' | 'received' | 'sent'> & { writer: Actor; service: ServiceSlug } & Partial<Submission>

/** More than fit on a page, so that a second page tells of them. */
export const bulk = { lettersToRosa: 25, messagesOfRosa: 52 }

export async function writeLetters(building: Building, parties: Parties, grants: Grants): Promise<Letter[]> {
  const { database, keys, now } = building
  const { people, services, numbers } = parties
  const many = (count: number, writer: Actor, more: Partial<Submission>) =>
    accept(
      database,
      keys,
      writer,
      Array.from({ length: count }, () => ({ ...plain(), serviceId: services['council-tax'].id, ...more })),
      now,
    )
  await building.owner`
    insert into action_host (organisation_id, host, added_at, added_by_name)
    select distinct organisation_id, 'forms.northfold.example', ${now}::timestamptz, 'Nobody' from service`
  await many(bulk.lettersToRosa, officeOf(parties, 'council-tax'), { recipient: link(numbers.rosaTax) })
  await many(bulk.messagesOfRosa, people.rosa, {})
  const letters: Letter[] = []
  for (const written of lettersOf(parties)) letters.push(await write(building, parties, written))
  for (const written of messagesOf(building.secrets, parties, grants, letters)) {
    letters.push(await write(building, parties, written))
  }
  return letters
}

/** A reference is of the sender's own systems; what pages send has one that nobody is shown. */
const isSystem = (caller: Caller) => (systems as readonly Caller[]).includes(caller)

const plain = () => ({
  reference: newId(),
  subject: 'One of many',
  content: [{ language: 'en', body: 'Nothing of note.' }],
  documents: [],
  reply: { allowed: true },
})
const link = (value: string) => ({ scheme: 'link', value })

/** A service, writing by its system. */
export function officeOf({ services }: Parties, service: ServiceSlug): Actor {
  const { id, organisationId, mailboxId } = services[service]
  return {
    partyId: organisationId,
    mailboxId,
    isOrganisation: true,
    categories: undefined,
    rights: rightsOf('system', [id]),
    by: { kind: 'system', id: service, name: service },
    door: 'sender-api',
    requestId: 'the world',
  }
}

function lettersOf(parties: Parties): Written[] {
  const { numbers } = parties
  const tax = { writer: officeOf(parties, 'council-tax'), service: 'council-tax', sent: ofCouncilTax } as const
  const pension = { writer: officeOf(parties, 'state-pension'), service: 'state-pension', sent: ofPension } as const
  const toRosa = { ...tax, recipient: link(numbers.rosaTax) }
  return [
    { ...toRosa, name: 'a letter to Rosa', received: ['rosa', 'reader', 'writer'] },
    { ...toRosa, name: 'a letter about health to Rosa', category: 'health', received: ['rosa', 'reader', 'writer', 'narrow'] },
    { ...toRosa, name: 'a letter to Rosa alone', recipientOnly: true, received: ['rosa'] },
    {
      name: 'a letter of parking to Rosa',
      writer: officeOf(parties, 'parking'),
      service: 'parking',
      sent: ofParking,
      recipient: link(numbers.rosaParking),
      received: ['rosa', 'reader', 'writer', 'limited', 'colleague'],
    },
    { ...pension, name: 'a letter to Arthur', recipient: link(numbers.arthurPension), received: ['arthur'] },
    { ...tax, name: 'a letter to the bakery', recipient: link(numbers.bakeryTax), received: ['employee'] },
    {
      ...pension,
      name: 'a letter of pensions to the bakery',
      recipient: link(numbers.bakeryPension),
      received: ['employee', 'adviser'],
    },
    {
      ...pension,
      name: 'a letter to the bakery alone',
      recipient: link(numbers.bakeryPension),
      recipientOnly: true,
      received: ['employee'],
    },
  ]
}

function messagesOf(secrets: Secrets, { people }: Parties, { acting }: Grants, letters: readonly Letter[]): Written[] {
  const tax = { service: 'council-tax', received: ofCouncilTax } as const
  const pension = { service: 'state-pension', received: ofPension } as const
  const idOf = (name: string) => letters.find((letter) => letter.name === name)!.id
  const answer = secrets.word('what Rosa was asked at the contact point', ['rosa', 'reader', 'writer', ...ofCouncilTax])
  const rosas = { writer: people.rosa, sent: ['rosa', 'reader', 'writer'] } as const
  const contact = { pointId: newId(), pointName: 'Bills', fields: [{ label: 'Account', value: answer }] }
  return [
    { ...tax, ...rosas, name: 'a message of Rosa', contact },
    { ...tax, ...rosas, name: 'an answer of Rosa', answersId: idOf('a letter to Rosa') },
    {
      ...tax,
      ...rosas,
      name: 'an answer to the letter to Rosa alone',
      answersId: idOf('a letter to Rosa alone'),
      sent: ['rosa'],
    },
    {
      name: 'a message that the writer wrote for Rosa',
      writer: acting.writer,
      service: 'parking',
      received: ofParking,
      sent: ['rosa', 'reader', 'writer', 'limited', 'colleague'],
    },
    { ...pension, name: 'a message of Arthur', writer: people.arthur, sent: ['arthur'] },
    { ...tax, name: 'a message of the bakery', writer: acting.employee, sent: ['employee'] },
    { ...pension, name: 'a message that the adviser wrote', writer: acting.adviser, sent: ['employee', 'adviser'] },
  ]
}

/** It can be accepted, visited and taken into a calendar. */
function actionOf(label: string, now: Date): NewAction {
  const at = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString()
  const appointment = { start: at(48), end: at(49) }
  return { kind: 'book', label: { en: label }, url: 'https://forms.northfold.example/book', appointment }
}

async function write(
  { database, owner, keys, secrets, now }: Building,
  { services }: Parties,
  { name, writer, service, received, sent, ...more }: Written,
): Promise<Letter> {
  const seenBy = [...received, ...sent]
  const word = (what: string) => secrets.word(`${what} of ${name}`, seenBy)
  const reference = secrets.word(`the reference of ${name}`, sent.some(isSystem) ? sent : [], seenBy)
  const file = { filename: `${word('a file name')}.txt`, mediaType: 'text/plain' }
  const submission: Submission = {
    reference,
    serviceId: services[service].id,
    subject: word('the subject'),
    content: [{ language: 'en', body: `Said: ${word('the body')}.` }],
    documents: [
      {
        role: 'additional',
        files: [{ ...file, content: Buffer.from(`In the file: ${word('the content of a file')}`).toString('base64') }],
      },
    ],
    reply: { allowed: true },
    ...(writer.isOrganisation ? { actions: [actionOf(word('an action'), now)] } : {}),
    ...more,
  }
  const { messageId } = await acceptOne(database, keys, writer, submission, now)
  const [stored] = await owner<{ id: string }[]>`select id from file where message_id = ${messageId}`
  const [action] = await owner<{ id: string }[]>`select id from action where message_id = ${messageId}`
  if (action !== undefined) secrets.keep(action.id, `the id of an action of ${name}`, seenBy)
  const [accepted] = await owner<
    { id: string }[]
  >`select id from event where message_id = ${messageId} and type = 'message.accepted'`
  secrets.keep(messageId, `the id of ${name}`, seenBy)
  secrets.keep(accepted!.id, `the id of the evidence of ${name}`, seenBy)
  secrets.keep(stored!.id, `the id of a file of ${name}`, seenBy)
  return { name, id: messageId, fileId: stored!.id, evidenceId: accepted!.id, actionId: action?.id, reference, received, sent }
}
