import { randomBytes } from 'node:crypto'
import type { Db } from '../database/connect.ts'
import { signJws } from './jws.ts'
import type { EvidenceKeys } from './keys.ts'
import {
  type Audience,
  canonical,
  commitmentOf,
  type Issuer,
  type MessageFacts,
  type MessageSoFar,
  type RecordedEvent,
  recordOf,
  saltFor,
} from './record.ts'

export type LoggedEvent = RecordedEvent & { position: string; senderId: string }

/** An event with what opens its leaves, before these have a place in the log. `commitments` are the sender's and the recipient's. */
export type SealedEvent = {
  event: LoggedEvent
  previousId: string | null
  ordinal: number
  salt: Buffer
  commitments: Buffer[]
  keyId: string
  signature: Buffer
}

/** Whom an event concerns: what was rejected never came to a recipient, and what is about the installation is everybody's. */
export function audiencesOf({ type }: Pick<RecordedEvent, 'type'>): Audience[] {
  return type === 'message.rejected' || type.startsWith('service.') ? ['sender'] : ['sender', 'recipient']
}

/** Of an event of `salt`, the leaves that the log holds, in the order of its audiences. */
export function commitmentsOf(event: RecordedEvent, soFar: MessageSoFar, issuer: Issuer, salt: Buffer): Buffer[] {
  return audiencesOf(event).map((audience) =>
    commitmentOf(canonical(recordOf(audience, event, soFar, issuer)), saltFor(audience, salt)),
  )
}

/** Makes the records of events, in the order in which they follow each other, and seals them. Reads what is sealed already of the same messages. */
export async function sealEvents(
  db: Db,
  keys: EvidenceKeys,
  issuer: Issuer,
  events: readonly LoggedEvent[],
): Promise<SealedEvent[]> {
  const messages = await findMessagesSoFar(db, events)
  const salts = randomBytes(32 * events.length)
  return Promise.all(
    events.map(async (event, place) => {
      const before = messages.get(event.messageId) ?? { previousId: null, ordinal: 0 }
      const isAccepted = event.type === 'message.accepted'
      const accepted = isAccepted && event.facts ? { facts: event.facts as MessageFacts, at: event.at } : before.accepted
      const soFar = { accepted, previousId: before.previousId, ordinal: before.ordinal + 1 }
      messages.set(event.messageId, { accepted, previousId: event.id, ordinal: soFar.ordinal })
      const salt = salts.subarray(32 * place, 32 * (place + 1))
      const commitments = commitmentsOf(event, soFar, issuer, salt)
      const signature = await signJws(keys.seal, 'dp-evidence+jws', Buffer.concat(commitments))
      return { event, previousId: soFar.previousId, ordinal: soFar.ordinal, salt, commitments, keyId: keys.seal.keyId, signature }
    }),
  )
}

/** What is in the log of the messages that these events continue. */
async function findMessagesSoFar(db: Db, events: readonly LoggedEvent[]): Promise<Map<string, MessageSoFar>> {
  const begun = new Set(events.filter(({ type }) => type === 'message.accepted').map(({ messageId }) => messageId))
  const continued = new Map(
    events
      .filter(({ type, messageId }) => type.startsWith('message.') && !begun.has(messageId))
      .map((e) => [e.messageId, e.senderId]),
  )
  if (continued.size === 0) return new Map()
  const rows = await db<
    { messageId: string; facts: MessageFacts; at: Date; previousId: string | null; ordinal: number | null }[]
  >`
    select asked.message_id, accepted.facts, accepted.at, last.event_id as previous_id, last.ordinal
    from unnest(${[...continued.values()]}::uuid[], ${[...continued.keys()]}::uuid[]) as asked (sender_id, message_id)
    join lateral (
      select facts, at from event
      where event.sender_id = asked.sender_id and event.message_id = asked.message_id and type = 'message.accepted' and facts is not null
      offset 0
    ) accepted on true
    left join lateral (
      select seal.event_id, seal.ordinal from event join evidence_seal seal on seal.position = event.position
      where event.sender_id = asked.sender_id and event.message_id = asked.message_id
      order by seal.ordinal desc limit 1
    ) last on true`
  return new Map(
    rows.map(({ messageId, facts, at, previousId, ordinal }) => [
      messageId,
      { accepted: { facts, at }, previousId, ordinal: ordinal ?? 0 },
    ]),
  )
}
