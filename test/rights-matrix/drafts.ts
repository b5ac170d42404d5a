import { v7 as newId } from 'uuid'
import type { Actor } from '../../src/access/actor.ts'
import type { Database } from '../../src/database/connect.ts'
import type { DraftAim } from '../../src/mailbox/draft.ts'
import { addDraftFile } from '../../src/mailbox/draft-files.ts'
import { saveDraft } from '../../src/mailbox/save-draft.ts'
import type { Caller } from './callers.ts'
import type { Grants } from './grants.ts'
import type { Letter } from './letters.ts'
import type { Parties, ServiceSlug } from './parties.ts'
import type { Secrets } from './secrets.ts'

/** What somebody is writing, with a word of its own in everything that it says. */
export type DraftMade = { name: string; id: string; fileId: string | undefined; isForward: boolean; isFor: readonly Caller[] }

type Building = { database: Database; owner: Database; secrets: Secrets; now: Date }
type Writing = {
  name: string
  writer: Actor
  service: ServiceSlug
  about?: string
  toPartyId?: string
  recipientOnly?: boolean
  isFor: readonly Caller[]
}

export async function writeDrafts(
  building: Building,
  { people, services }: Parties,
  { acting }: Grants,
  letters: readonly Letter[],
): Promise<DraftMade[]> {
  const { owner } = building
  const made: DraftMade[] = []
  for (const { name, writer, service, about, toPartyId, recipientOnly = false, isFor } of listWritings(people, acting)) {
    const word = (what: string) => building.secrets.word(`${what} of ${name}`, isFor)
    const { id: serviceId } = services[service]
    const [point] = await owner<
      { id: string }[]
    >`select id from contact_point where service_id = ${serviceId} order by slug limit 1`
    const messageId = letters.find((letter) => letter.name === about)?.id ?? null
    const kind = messageId === null ? 'new' : toPartyId ? 'forward' : 'answer'
    const aim: DraftAim = {
      kind,
      messageId,
      contactPointId: kind === 'new' ? point!.id : null,
      toPartyId: toPartyId ?? null,
      toName: 'Somebody',
      serviceId,
      category: 'general',
      recipientOnly,
    }
    const id = building.secrets.keep(newId(), `the id of ${name}`, isFor)
    const subject = kind === 'new' ? word('the subject') : ''
    const saved = { id, version: 0, aim, subject, body: word('the text'), answers: [] }
    await saveDraft(building.database, writer, saved, building.now)
    const addFile = () => {
      const bytes = Buffer.from(word('the content of a file'))
      return addDraftFile(
        building.database,
        writer,
        id,
        { filename: 'draft.txt', mediaType: 'text/plain', bytes },
        { files: 1, bytes: 1000 },
      )
    }
    const added = kind === 'forward' ? undefined : await addFile()
    made.push({ name, id, fileId: added?.id, isForward: kind === 'forward', isFor })
  }
  return made
}

function listWritings(people: Parties['people'], acting: Grants['acting']): Writing[] {
  return [
    { name: 'a draft of Rosa', writer: people.rosa, service: 'council-tax', isFor: ['rosa', 'writer'] },
    { name: 'a draft of Rosa to parking', writer: people.rosa, service: 'parking', isFor: ['rosa', 'writer', 'limited'] },
    {
      name: 'a draft of an answer of Rosa alone',
      writer: people.rosa,
      service: 'council-tax',
      about: 'a letter to Rosa alone',
      recipientOnly: true,
      isFor: ['rosa'],
    },
    {
      name: 'a letter of parking that Rosa hands on',
      writer: people.rosa,
      service: 'parking',
      about: 'a letter of parking to Rosa',
      toPartyId: people.reader.partyId,
      isFor: ['rosa', 'writer', 'limited'],
    },
    { name: 'a draft of Arthur', writer: people.arthur, service: 'state-pension', isFor: ['arthur'] },
    { name: 'a draft of the bakery', writer: acting.employee, service: 'state-pension', isFor: ['employee', 'adviser'] },
  ]
}
