import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { seal, unseal } from '../seal.ts'
import type { ContactKeys, Language } from './contact-detail.ts'
import { messageTexts, type Template } from './message-texts.ts'

/** A message to one address. Its id is the reference that a channel knows it by, so that it is not sent twice. */
export type Outgoing = {
  id: string
  template: Template
  language: Language
  /** E-mail address, or number in E.164. */
  to: string
  values: Readonly<Record<string, string>>
}

type Payload = Pick<Outgoing, 'to' | 'values'>

export function openPayload({ seal: key }: ContactKeys, id: string, sealed: Buffer): Payload {
  return JSON.parse(unseal(key, id, sealed)) as Payload
}

/** In the transaction of whatever it tells of, within the scope of the party: it goes out when that is so, and else never was. */
export async function putOutgoing(
  db: Db,
  keys: ContactKeys,
  { partyId, endsAt, ...message }: Omit<Outgoing, 'id'> & { partyId: string; endsAt: Date },
  now: Date,
): Promise<void> {
  const { template, language, to, values } = message
  const id = newId()
  const payload: Payload = { to, values }
  await db`
    insert into outgoing (id, party_id, kind, template, language, payload_sealed, created_at, due_at, ends_at)
    values (
      ${id}, ${partyId}, ${messageTexts[template].kind}, ${template}, ${language}, ${seal(keys.seal, id, JSON.stringify(payload))},
      ${now}, ${now}, ${endsAt}
    )`
}
