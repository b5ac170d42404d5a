import type { Database, Fragment } from '../database/connect.ts'
import { readWithin, type Scope } from '../database/scope.ts'
import { readBatch } from './batch.ts'
import { audiencesOf } from './commit-events.ts'
import {
  type Audience,
  commitmentOf,
  type EvidenceRecord,
  type Issuer,
  type MessageFacts,
  type MessageSoFar,
  type RecordedEvent,
  recordOf,
  recordText,
  saltFor,
} from './record.ts'

/** Of which message, for which side, and as whom: by a caller that has asked for the right. `mine` is its own condition on event. */
export type Asked = { scope: Scope; mine: Fragment; messageId: string; audience: Audience }

export type Evidence = {
  id: string
  type: RecordedEvent['type']
  at: Date
  record: EvidenceRecord
  /** Where it is in the log; undefined as long as it is not, and then the record is not the last word. */
  entry: { index: number; size: number; commitment: string } | undefined
}

/** What there is of a message, in order. Nothing of what was before there was evidence. */
export async function listEvidence(db: Database, asked: Asked): Promise<Evidence[]> {
  const sealed = await readSealed(db, asked)
  return sealed.map(({ event, soFar, seal }) => {
    const record = recordOf(asked.audience, event, soFar, seal ? readBatch(seal.batch).issuer : notKnownYet)
    const entry = seal && {
      index: leafOf(seal, asked.audience),
      size: Number(seal.size),
      commitment: openingOf(asked.audience, event, soFar, seal).commitment.toString('hex'),
    }
    return { id: event.id, type: event.type, at: event.at, record, entry }
  })
}

export type Sealed = { event: RecordedEvent; soFar: MessageSoFar; seal: Seal | undefined }

/** The events of a message that concern the side which asks, each with its seal, if it has one. */
export async function readSealed(db: Database, { scope, mine, messageId, audience }: Asked): Promise<Sealed[]> {
  const events = await readWithin<RecordedEvent & { position: string }>(
    db,
    scope,
    db`
    select position, id, type, at, message_id, reference, facts from event
    where ${mine} and message_id = ${messageId} and xid is not null
    order by position`,
  )
  if (events.length === 0) return []
  const seals = await readSeals(
    db,
    events.map(({ position }) => position),
  )
  const accepted = acceptedAmong(events)
  return events
    .filter((event) => audiencesOf(event).includes(audience))
    .map((event) => {
      const seal = seals.get(event.position)
      return { event, soFar: { accepted, previousId: seal?.previousId ?? null, ordinal: seal?.ordinal ?? 0 }, seal }
    })
}

/** What later records of the message repeat; nothing of a rejection, nor of what is about the installation. */
function acceptedAmong(events: readonly RecordedEvent[]): MessageSoFar['accepted'] {
  const event = events.find(({ type }) => type === 'message.accepted')
  return event && { facts: event.facts as MessageFacts, at: event.at }
}

/** Its records are shown, and proved by nothing yet. */
const notKnownYet: Issuer = { name: '', uri: '', log: '', people: '', staff: '', systems: '' }

export type Seal = {
  position: string
  size: string
  previousId: string | null
  ordinal: number
  salts: Buffer
  senderLeaf: string
  recipientLeaf: string | null
  /** Of the batch that it is in. */
  batch: string
}

/** By position. What has been erased is not there. */
async function readSeals(db: Database, positions: readonly string[]): Promise<Map<string, Seal>> {
  const seals = await readWithin<Seal>(
    db,
    { purpose: 'evidence' },
    db`
    select seal.position, seal.size, seal.previous_id, seal.ordinal, seal.salts, seal.sender_leaf, seal.recipient_leaf,
           log_checkpoint.batch
    from unnest(${positions as string[]}::bigint[]) as asked (position)
    join evidence_seal seal using (position) join log_checkpoint on log_checkpoint.size = seal.size
    where seal.salts is not null`,
  )
  return new Map(seals.map((seal) => [seal.position, seal]))
}

export function leafOf({ senderLeaf, recipientLeaf }: Seal, audience: Audience): number {
  return Number(audience === 'sender' ? senderLeaf : recipientLeaf)
}

/** What one side needs to open its leaf of the log. */
export function openingOf(audience: Audience, event: RecordedEvent, soFar: MessageSoFar, { salts, batch }: Seal) {
  const record = recordText(recordOf(audience, event, soFar, readBatch(batch).issuer))
  const salt = saltFor(audience, salts)
  return { record, salt, commitment: commitmentOf(record, salt) }
}
