import { hash } from 'node:crypto'
import serialize from 'canonicalize'
import { type Static, Type } from 'typebox'

/**
 * What may happen to a message, as a sender's feed calls it, and the name of its evidence: of ETSI EN 319 522-3, or our own
 * where that has none. Those of `service` are about the installation, and public.
 */
export const evidenceEvents = {
  'message.accepted': 'http://uri.etsi.org/19522/Event/SubmissionAcceptance',
  'message.rejected': 'http://uri.etsi.org/19522/Event/SubmissionRejection',
  'message.available': 'http://uri.etsi.org/19522/Event/ContentConsignment',
  'message.failed': 'http://uri.etsi.org/19522/Event/ContentConsignmentFailure',
  'message.alerted': 'http://uri.etsi.org/19522/Event/NotificationDelivered',
  'message.alert-failed': 'http://uri.etsi.org/19522/Event/ConsignmentNotificationFailure',
  'message.opened': 'http://uri.etsi.org/19522/Event/ContentAccessTracking',
  'message.handed-over': 'http://uri.etsi.org/19522/Event/ContentHandover',
  'message.relayed': 'http://uri.etsi.org/19522/Event/RelayToNonERDS',
  'message.answered': 'urn:x-digital-post:event:Answered',
  'message.recalled': 'urn:x-digital-post:event:Recalled',
  'message.served': 'urn:x-digital-post:event:Served',
  'message.action': 'urn:x-digital-post:event:ActionChanged',
  'service.interrupted': 'urn:x-digital-post:event:ServiceInterrupted',
  'service.restored': 'urn:x-digital-post:event:ServiceRestored',
} as const
export type EvidenceEvent = keyof typeof evidenceEvents

const closed = { additionalProperties: false } as const

/**
 * Part of a message: its text in one language, a file, or something that it asks to do. The digest of a text is over its Markdown in UTF-8, of
 * a file over its bytes, of an action over its canonical JSON (RFC 8785).
 */
const Part = Type.Object(
  {
    part: Type.Enum(['text', 'main', 'additional', 'technical', 'action']),
    language: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    filename: Type.Optional(Type.String()),
    mediaType: Type.Optional(Type.String()),
    size: Type.Integer({ description: 'Bytes.' }),
    algorithm: Type.Literal('SHA-256'),
    digest: Type.String({ description: 'In hexadecimal.' }),
  },
  closed,
)
export type Part = Static<typeof Part>

/** Who did it, and how that was known. */
const Doer = Type.Object(
  {
    /** The recipient or sender themselves; somebody whom they let in; staff or a system of a public body; a registrar; the program. */
    kind: Type.Enum(['owner', 'helper', 'staff', 'system', 'registrar', 'program']),
    name: Type.Optional(Type.String()),
    /** Of the member of staff, the system or the person, as the installation knows them. */
    id: Type.Optional(Type.String()),
    /** For whom, where it is somebody else. */
    onBehalfOf: Type.Optional(Type.String()),
    identifiedBy: Type.Optional(Type.String({ description: 'The issuer of the token. The token itself is not kept.' })),
    level: Type.Optional(Type.String({ description: 'Of confidence: P2 of GOV.UK One Login, or how a system proved itself.' })),
    identifiedAt: Type.Optional(Type.String()),
  },
  closed,
)

/** What became of something that a message asks to do. */
const ChangedAction = Type.Object(
  {
    id: Type.String(),
    kind: Type.String(),
    label: Type.String(),
    state: Type.Enum(['open', 'started', 'done', 'failed', 'cancelled']),
    digest: Type.String({ description: 'Of what it asks, as among the parts of the message.' }),
  },
  closed,
)
export type ChangedAction = Static<typeof ChangedAction>

/** An evidence record, by the names of ETSI EN 319 522-3 where that has them. Canonical (RFC 8785), its SHA-256 is what is in the log. */
export const EvidenceRecord = Type.Object(
  {
    version: Type.Literal('1'),
    qualification: Type.Literal('non-qualified'),
    audience: Type.Enum(['sender', 'recipient']),
    EvidenceIdentifier: Type.String(),
    ERDSEventId: Type.Enum(Object.values(evidenceEvents)),
    EventTime: Type.String(),
    EvidenceIssuerDetails: Type.Object({ name: Type.String(), uri: Type.String(), log: Type.String() }, closed),
    EvidenceIssuerPolicyID: Type.Literal('urn:x-digital-post:policy:evidence:1'),
    ConsignmentMode: Type.Literal('http://uri.etsi.org/19522/v1#/consignment/basic'),
    MessageIdentifier: Type.String(),
    SenderReference: Type.Optional(Type.String()),
    SubmissionTime: Type.Optional(Type.String()),
    SenderDetails: Type.Object(
      { name: Type.String(), service: Type.Optional(Type.String()), submittedBy: Type.Optional(Doer) },
      closed,
    ),
    RecipientDetails: Type.Object(
      { name: Type.Optional(Type.String()), addressedBy: Type.Optional(Type.String()), identified: Type.Optional(Type.String()) },
      closed,
    ),
    Subject: Type.Optional(Type.String()),
    UserContentInfo: Type.Array(Part),
    EventDetails: Type.Optional(
      Type.Object(
        {
          doneBy: Type.Optional(Doer),
          channel: Type.Optional(Type.String()),
          file: Type.Optional(Part),
          action: Type.Optional(ChangedAction),
          answer: Type.Optional(Type.String({ description: 'The id of the message that answers.' })),
          from: Type.Optional(Type.String()),
          until: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
    EventReasons: Type.Optional(Type.Array(Type.Object({ code: Type.String(), reason: Type.String() }, closed))),
    PreviousEvidence: Type.Union([Type.String(), Type.Null()]),
    SequenceInMessage: Type.Integer(),
  },
  closed,
)
export type EvidenceRecord = Static<typeof EvidenceRecord>
export type Audience = EvidenceRecord['audience']

/** Who acted, as the event's facts keep it. `firm` is through whom a helper acts. */
export type KnownDoer = {
  kind: 'owner' | 'helper' | 'staff' | 'system' | 'registrar' | 'program'
  id: string
  name: string
  onBehalfOf?: string | undefined
  identifiedAt?: string | undefined
}

/** What the acceptance, or the rejection, of a message keeps for all its later records. Names are as they were then. */
export type MessageFacts = {
  by: KnownDoer
  door: string
  /** A scheme of identifiers, or `answer`, or `directory` where somebody wrote to a public body, or `forward` where they handed a letter on. */
  addressedBy: string
  subject?: string
  parts: Part[]
  senderName: string
  serviceName: string
  /** Of a message to a public body: this is its name, and the service's that is written to. */
  isToService: boolean
  /** Of a message that a person or a business sent to another: the service is only what it is about. */
  isBetweenParties?: boolean
  recipientName?: string
}

/** What any other event keeps. */
export type EventFacts = {
  by?: KnownDoer
  door?: string
  part?: Part
  answer?: string
  action?: ChangedAction
  reasons?: { code: string; reason: string }[]
  from?: string
  until?: string
}

export type RecordedEvent = {
  id: string
  type: EvidenceEvent
  at: Date
  messageId: string
  reference: string
  facts: (MessageFacts & EventFacts) | EventFacts | null
}

/** Who issues records: as it was when a batch was sealed, and kept with the batch. */
export type Issuer = {
  name: string
  uri: string
  log: string
  /** The issuers of the tokens by which people, staff and systems are known. */
  people: string
  staff: string
  systems: string
}

export type MessageSoFar = {
  /** The facts of its acceptance, and when that was; nothing of a rejection, nor of what is about the installation. */
  accepted?: { facts: MessageFacts; at: Date } | undefined
  previousId: string | null
  ordinal: number
}

/**
 * What an event's evidence says to one side. Each learns who acted on its own side; of the other side only what kind of person it
 * was, and how well known. Who rejects or is interrupted says why. Keys are in the order of their UTF-16 code units everywhere, so that
 * `recordText` need not sort them.
 */
export function recordOf(audience: Audience, event: RecordedEvent, soFar: MessageSoFar, issuer: Issuer): EvidenceRecord {
  const said = soFar.accepted?.facts ?? (event.type === 'message.rejected' ? event.facts : null)
  // A row that somebody else than the program wrote must not stop the log.
  const message = said !== null && 'parts' in said && Array.isArray(said.parts) && said.by ? said : undefined
  const facts: EventFacts = event.facts ?? {}
  const isFirst = event.type === 'message.accepted' || event.type === 'message.rejected'
  return {
    ConsignmentMode: 'http://uri.etsi.org/19522/v1#/consignment/basic',
    ERDSEventId: evidenceEvents[event.type],
    EventDetails: isFirst || event.facts === null ? undefined : detailsOf(audience, event.type, facts, issuer),
    EventReasons: facts.reasons?.map(({ code, reason }) => ({ code, reason })),
    EventTime: event.at.toISOString(),
    EvidenceIdentifier: event.id,
    EvidenceIssuerDetails: { log: issuer.log, name: issuer.name, uri: issuer.uri },
    EvidenceIssuerPolicyID: 'urn:x-digital-post:policy:evidence:1',
    MessageIdentifier: event.messageId,
    PreviousEvidence: soFar.previousId,
    RecipientDetails: message ? recipientOf(message) : {},
    SenderDetails: message ? senderOf(audience, message, issuer) : { name: issuer.name },
    // Recipients have no business with it.
    SenderReference: audience === 'sender' && message ? event.reference : undefined,
    SequenceInMessage: soFar.ordinal,
    Subject: message?.subject,
    SubmissionTime: soFar.accepted?.at.toISOString() ?? (isFirst ? event.at.toISOString() : undefined),
    UserContentInfo: message?.parts.map(inOrder) ?? [],
    audience,
    qualification: 'non-qualified',
    version: '1',
  } as EvidenceRecord
}

function senderOf(
  audience: Audience,
  { by, senderName, serviceName, isToService, isBetweenParties }: MessageFacts,
  issuer: Issuer,
) {
  const submittedBy = doerOf(by, issuer, audience === 'sender')
  return { name: senderName, service: isToService || isBetweenParties ? undefined : serviceName, submittedBy }
}

function recipientOf({ addressedBy, recipientName, serviceName, isToService }: MessageFacts) {
  return {
    addressedBy,
    identified: isToService ? undefined : 'GOV.UK One Login P2, when the mailbox was opened',
    name: isToService && recipientName ? `${recipientName}, ${serviceName}` : recipientName,
  }
}

const isOfRecipient = (type: EvidenceEvent) =>
  type === 'message.opened' || type === 'message.handed-over' || type === 'message.answered' || type === 'message.action'

function detailsOf(
  audience: Audience,
  type: EvidenceEvent,
  { by, door, part, answer, action, from, until }: EventFacts,
  issuer: Issuer,
) {
  const isOwnSide = isOfRecipient(type) === (audience === 'recipient')
  const doneBy = by && doerOf(by, issuer, isOwnSide)
  return { action: action && actionInOrder(action), answer, channel: door, doneBy, file: part && inOrder(part), from, until }
}

/** `isOwnSide`: for those who may know who it was, and not only what kind of person. */
function doerOf({ kind, id, name, onBehalfOf, identifiedAt }: KnownDoer, issuer: Issuer, isOwnSide: boolean) {
  const [identifiedBy, level] = identificationOf(kind, issuer)
  return {
    id: isOwnSide ? id : undefined,
    identifiedAt,
    identifiedBy,
    kind,
    level,
    name: isOwnSide ? name : undefined,
    onBehalfOf: isOwnSide ? onBehalfOf : undefined,
  }
}

/** By whom somebody is identified, and to which level of confidence. */
function identificationOf(kind: KnownDoer['kind'], issuer: Issuer): readonly [string?, string?] {
  if (kind === 'owner' || kind === 'helper') return [issuer.people, 'P2']
  if (kind === 'staff') return [issuer.staff, 'the public body’s own provider']
  if (kind === 'registrar') return [issuer.staff, 'the installation’s own provider']
  return kind === 'system' ? [issuer.systems, 'client credentials with a key'] : []
}

function inOrder({ algorithm, digest, filename, language, mediaType, part, size, subject }: Part) {
  return { algorithm, digest, filename, language, mediaType, part, size, subject }
}

function actionInOrder({ digest, id, kind, label, state }: ChangedAction) {
  return { digest, id, kind, label, state }
}

/**
 * The canonical text (RFC 8785) of what `recordOf` answers, whose keys are in order already: six times as fast as sorting them
 * again, and each letter needs it four times.
 */
export function recordText(record: EvidenceRecord): string {
  return JSON.stringify(record)
}

/** The only spelling of a value (RFC 8785). */
export function canonical(value: unknown): string {
  return serialize(value)!
}

/** 32 bytes for the opening of each side. */
export const saltsLength = 64

/** The salt of one side's opening, of those of both. */
export function saltFor(audience: Audience, salts: Buffer): Buffer {
  return audience === 'sender' ? salts.subarray(0, 32) : salts.subarray(32)
}

const commitmentLabel = Buffer.from('dp-evidence-v1\0')

/**
 * What the log holds of a record, 32 bytes: SHA-256 over the salt, a label and the record's canonical text. The salt is 32 random
 * bytes that nobody else has: it tells nothing to whoever lacks them, and fits no other record. One hash, as each letter needs four.
 */
export function commitmentOf(record: string, salt: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([salt, commitmentLabel, Buffer.from(record)]), 'buffer')
}
