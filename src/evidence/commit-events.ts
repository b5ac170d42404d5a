import { randomBytes } from 'node:crypto'
import { setImmediate as othersFirst } from 'node:timers/promises'
import type { Db } from '../database/connect.ts'
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
  saltsLength,
} from './record.ts'

export type LoggedEvent = RecordedEvent & { position: string; senderId: string }

/** An event with what opens its leaves, before these have a place in the log. `commitments` are in the order of its audiences. */
export type CommittedEvent = {
  event: LoggedEvent
  previousId: string | null
  ordinal: number
  salts: Buffer
  commitments: Buffer[]
}

/** Whom an event concerns: what was rejected never came to a recipient, and what is about the installation is everybody's. */
export function audiencesOf({ type }: Pick<RecordedEvent, 'type'>): Audience[] {
  return type === 'message.rejected' || type.startsWith('service.') ? ['sender'] : ['sender', 'recipient']
}

/** Of an event of `salts`, the leaves that the log holds, in the order of its audiences. */
export function commitmentsOf(event: RecordedEvent, soFar: MessageSoFar, issuer: Issuer, salts: Buffer): Buffer[] {
  return audiencesOf(event).map((audience) =>
    commitmentOf(recordText(recordOf(audience, event, soFar, issuer)), saltFor(audience, salts)),
  )
}

/** Between so many requests have their turn. */
const eventsInTurn = 32

/** Makes the records of events, in the order in which they follow each other, and commits to them. Reads what is in the log already of the same messages. */
export async function commitEvents(db: Db, issuer: Issuer, events: readonly LoggedEvent[]): Promise<CommittedEvent[]> {
  const messages = await findMessagesSoFar(db, events)
  const random = randomBytes(saltsLength * events.length)
  const committed: CommittedEvent[] = []
  for (const [place, event] of events.entries()) {
    if (place % eventsInTurn === 0) await othersFirst()
    const before = messages.get(event.messageId) ?? { previousId: null, ordinal: 0 }
    const isAccepted = event.type === 'message.accepted' && event.facts !== null
    const accepted = isAccepted ? { facts: event.facts as MessageFacts, at: event.at } : before.accepted
    const soFar = { accepted, previousId: before.previousId, ordinal: before.ordinal + 1 }
    messages.set(event.messageId, { ...soFar, previousId: event.id })
    const salts = random.subarray(saltsLength * place, saltsLength * (place + 1))
    const commitments = commitmentsOf(event, soFar, issuer, salts)
    committed.push({ event, previousId: soFar.previousId, ordinal: soFar.ordinal, salts, commitments })
  }
  return committed
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
