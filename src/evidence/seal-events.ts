import { randomBytes } from 'node:crypto'
import { setImmediate as othersFirst } from 'node:timers/promises'
import type { Db } from '../database/connect.ts'
import { signJws } from './jws.ts'
import type { EvidenceKeys } from './keys.ts'
import {
  type Audience,
  commitmentOf,
  type Issuer,
  type MessageFacts,
  type MessageSoFar,
  type RecordedEvent,
  recordOf,
  recordText,
  saltFor,
} from './record.ts'

export type LoggedEvent = RecordedEvent & { position: string; senderId: string }

/**
 * An event with what opens its leaves, before these have a place in the log. `commitments` are the sender's and the recipient's; `signature` may be
 * over those of other events of its message too.
 */
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
    commitmentOf(recordText(recordOf(audience, event, soFar, issuer)), saltFor(audience, salt)),
  )
}

/** Commitments of one message's events that one seal is over, in their order: what is accepted and available at once is sealed at once. */
export const sealedAtOnceMax = 16

/** Between so many requests have their turn. */
const eventsInTurn = 32

/** Makes the records of events, in the order in which they follow each other, and seals them. Reads what is sealed already of the same messages. */
export async function sealEvents(
  db: Db,
  keys: EvidenceKeys,
  issuer: Issuer,
  events: readonly LoggedEvent[],
): Promise<SealedEvent[]> {
  const messages = await findMessagesSoFar(db, events)
  const salts = randomBytes(32 * events.length)
  const opened: Opened[] = []
  for (const [place, event] of events.entries()) {
    if (place % eventsInTurn === 0) await othersFirst()
    const before = messages.get(event.messageId) ?? { previousId: null, ordinal: 0 }
    const isAccepted = event.type === 'message.accepted' && event.facts !== null
    const accepted = isAccepted ? { facts: event.facts as MessageFacts, at: event.at } : before.accepted
    const { previousId, ordinal } = { ...before, ordinal: before.ordinal + 1 }
    messages.set(event.messageId, { accepted, previousId: event.id, ordinal })
    const salt = salts.subarray(32 * place, 32 * (place + 1))
    opened.push({
      event,
      previousId,
      ordinal,
      salt,
      commitments: commitmentsOf(event, { accepted, previousId, ordinal }, issuer, salt),
    })
  }
  return signTogether(keys, opened)
}

type Opened = Omit<SealedEvent, 'keyId' | 'signature'>

async function signTogether({ seal }: EvidenceKeys, opened: readonly Opened[]): Promise<SealedEvent[]> {
  const sealed: SealedEvent[] = []
  for (const ofMessage of Map.groupBy(opened, ({ event }) => event.messageId).values()) {
    for (let first = 0; first < ofMessage.length; first += sealedAtOnceMax) {
      const together = ofMessage.slice(first, first + sealedAtOnceMax)
      const signature = await signJws(seal, 'dp-evidence+jws', Buffer.concat(together.flatMap(({ commitments }) => commitments)))
      sealed.push(...together.map((one) => ({ ...one, keyId: seal.keyId, signature })))
      if (sealed.length % eventsInTurn < together.length) await othersFirst()
    }
  }
  return sealed
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
