import { createHash, createHmac } from 'node:crypto'
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
  'service.interrupted': 'urn:x-digital-post:event:ServiceInterrupted',
  'service.restored': 'urn:x-digital-post:event:ServiceRestored',
} as const
export type EvidenceEvent = keyof typeof evidenceEvents

const closed = { additionalProperties: false } as const

/** Part of a message: its text in one language, or a file. The digest of a text is over its Markdown in UTF-8, of a file over its bytes. */
const Part = Type.Object(
  {
    part: Type.Enum(['text', 'main', 'additional', 'technical']),
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
  /** A scheme of identifiers, or `answer`, or `directory` where somebody wrote to a public body. */
  addressedBy: string
  subject?: string
  parts: Part[]
  senderName: string
  serviceName: string
  /** Of a message to a public body: this is its name, and the service's that is written to. */
  isToService: boolean
  recipientName?: string
}

/** What any other event keeps. */
export type EventFacts = {
  by?: KnownDoer
  door?: string
  part?: Part
  answer?: string
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
 * was, and how well known. Who rejects or is interrupted says why.
 */
export function recordOf(audience: Audience, event: RecordedEvent, soFar: MessageSoFar, issuer: Issuer): EvidenceRecord {
  const rejected = event.type === 'message.rejected' ? (event.facts as MessageFacts | null) : null
  const message = soFar.accepted?.facts ?? rejected ?? undefined
  const facts: EventFacts = event.facts ?? {}
  const isFirst = event.type === 'message.accepted' || event.type === 'message.rejected'
  const details = isFirst || event.facts === null ? undefined : detailsOf(audience, event.type, facts, issuer)
  return withoutUndefined({
    version: '1',
    qualification: 'non-qualified',
    audience,
    EvidenceIdentifier: event.id,
    ERDSEventId: evidenceEvents[event.type],
    EventTime: event.at.toISOString(),
    EvidenceIssuerDetails: { name: issuer.name, uri: issuer.uri, log: issuer.log },
    EvidenceIssuerPolicyID: 'urn:x-digital-post:policy:evidence:1',
    ConsignmentMode: 'http://uri.etsi.org/19522/v1#/consignment/basic',
    MessageIdentifier: event.messageId,
    // Recipients have no business with it.
    SenderReference: audience === 'sender' && message ? event.reference : undefined,
    SubmissionTime: soFar.accepted?.at.toISOString() ?? (isFirst ? event.at.toISOString() : undefined),
    ...partiesOf(audience, message, issuer),
    Subject: message?.subject,
    UserContentInfo: message?.parts ?? [],
    EventDetails: details,
    EventReasons: facts.reasons,
    PreviousEvidence: soFar.previousId,
    SequenceInMessage: soFar.ordinal,
  }) as EvidenceRecord
}

function partiesOf(audience: Audience, message: MessageFacts | undefined, issuer: Issuer) {
  if (message === undefined) return { SenderDetails: { name: issuer.name }, RecipientDetails: {} }
  const submittedBy = audience === 'sender' ? doerOf(message.by, issuer) : kindOf(message.by, issuer)
  const identified = message.isToService ? undefined : 'GOV.UK One Login P2, when the mailbox was opened'
  return {
    SenderDetails: {
      name: message.senderName,
      ...(message.isToService ? {} : { service: message.serviceName }),
      submittedBy,
    },
    RecipientDetails: {
      name:
        message.isToService && message.recipientName ? `${message.recipientName}, ${message.serviceName}` : message.recipientName,
      addressedBy: message.addressedBy,
      identified,
    },
  }
}

const isOfRecipient = (type: EvidenceEvent) => ['message.opened', 'message.handed-over', 'message.answered'].includes(type)

function detailsOf(audience: Audience, type: EvidenceEvent, { by, door, part, answer, from, until }: EventFacts, issuer: Issuer) {
  const isOwnSide = isOfRecipient(type) === (audience === 'recipient')
  return {
    doneBy: by && (isOwnSide ? doerOf(by, issuer) : kindOf(by, issuer)),
    channel: door,
    file: part,
    answer,
    from,
    until,
  }
}

function doerOf(by: KnownDoer, issuer: Issuer): Static<typeof Doer> {
  const { kind, id, name, onBehalfOf } = by
  return { ...kindOf(by, issuer), kind, id, name, ...(onBehalfOf ? { onBehalfOf } : {}) }
}

function kindOf({ kind, identifiedAt }: KnownDoer, issuer: Issuer): Static<typeof Doer> {
  const [identifiedBy, level] = {
    owner: [issuer.people, 'P2'],
    helper: [issuer.people, 'P2'],
    staff: [issuer.staff, 'the public body’s own provider'],
    registrar: [issuer.staff, 'the installation’s own provider'],
    system: [issuer.systems, 'client credentials with a key'],
    program: [undefined, undefined],
  }[kind]
  return { kind, ...(identifiedBy ? { identifiedBy, level: level! } : {}), ...(identifiedAt ? { identifiedAt } : {}) }
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, withoutUndefined(each)]),
  )
}

/** The only spelling of a value (RFC 8785). */
export function canonical(value: unknown): string {
  return serialize(value)!
}

/** The salt of one side's opening. Who knows one cannot work out the other, nor what both are made of. */
export function saltFor(audience: Audience, salt: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(audience).digest()
}

const commitmentLabel = Buffer.from('dp-evidence-v1\0')

/**
 * What the log holds of a record, 32 bytes: HMAC-SHA-256 with the salt as key, over a label and the SHA-256 of the record's
 * canonical text. It tells nothing to whoever lacks the salt, and fits no other record.
 */
export function commitmentOf(record: string, salt: Uint8Array): Buffer {
  const digest = createHash('sha256').update(record).digest()
  return createHmac('sha256', salt).update(commitmentLabel).update(digest).digest()
}
