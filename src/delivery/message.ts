import { hash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { actionsMax, NewAction } from '../documents/action.ts'
import { asPart, Language, Line, NewDocument, type Shared, type StoredDocument, Text } from '../documents/document.ts'
import { canonical, type Part } from '../evidence/record.ts'
import { Identifier } from '../registry/identifier.ts'

/** A letter's text has at most this many characters in each language: some forty printed pages. */
export const bodyLengthMax = 100_000
export const subjectLengthMax = 256

export const Content = Type.Object(
  {
    language: Language,
    subject: Type.Optional(Line(subjectLengthMax, 'The subject in this language. Default: the subject of the message.')),
    body: Text(bodyLengthMax, 'Markdown: paragraphs, headings, lists, emphasis, links and tables. HTML is shown as text.'),
  },
  { additionalProperties: false },
)
export type Content = Static<typeof Content>

const Reply = Type.Object(
  {
    allowed: Type.Boolean({ description: 'Whether the recipient may answer.' }),
    by: Type.Optional(Type.String({ format: 'date-time', description: 'Until when an answer is taken.' })),
  },
  { additionalProperties: false },
)

/** In which a single letter waits, where anything does; batches have lanes of their own (batch.ts). */
const lanes = ['normal', 'urgent'] as const

/** A message as a service's system sends it. */
export const NewMessage = Type.Object(
  {
    reference: Line(
      128,
      'Your own reference, once for each message of the service. Sending it again never makes a second message.',
    ),
    service: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$', description: 'The service that sends.' }),
    recipient: Type.Optional(Identifier),
    answers: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'The id of the message in your inbox that this one answers. The recipient may then be left out.',
      }),
    ),
    subject: Line(subjectLengthMax, 'What the letter is about, on one line.'),
    content: Type.Array(Content, { minItems: 1, maxItems: 10, description: 'The letter, once for each language.' }),
    documents: Type.Optional(Type.Array(NewDocument, { maxItems: 20 })),
    actions: Type.Optional(
      Type.Array(NewAction, { maxItems: actionsMax, description: 'What the letter asks its reader to do, or offers.' }),
    ),
    reply: Type.Optional(Reply),
    category: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9-]{0,31}$',
        description:
          'What kind of post it is, of those that the installation has. Default: general; an answer has that of what it answers.',
      }),
    ),
    availableFrom: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Not to be in the mailbox before this, a year from now at most. Default: at once.',
      }),
    ),
    expiresAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'From when it is out of date. It stays in the mailbox, and is marked so.',
      }),
    ),
    corrects: Type.Optional(
      Type.String({
        format: 'uuid',
        description:
          'The id of an earlier message of yours that this one replaces. It goes to the same recipient, who may then be left out.',
      }),
    ),
    lane: Type.Optional(
      Type.Enum(lanes, {
        description:
          'urgent: goes before all that waits, whatever else its service sends. Where its service may send such letters. Default: normal.',
      }),
    ),
    recipientOnly: Type.Optional(
      Type.Boolean({ description: 'True: whoever helps the recipient does not see it, nor that it exists. Default: false.' }),
    ),
  },
  { additionalProperties: false },
)
export type NewMessage = Static<typeof NewMessage>

const { service: _, lane: __, ...saidInBatch } = NewMessage.properties
/** The same in a batch, which is of one service. */
export const BatchMessage = Type.Object(saidInBatch, { additionalProperties: false })
export type BatchMessage = Static<typeof BatchMessage>

/** Where a message was written to, by the name that this had then, and what its writer was asked there. */
export const MessageContact = Type.Object({
  pointId: Type.String({ format: 'uuid' }),
  pointName: Type.String(),
  fields: Type.Array(Type.Object({ label: Type.String(), value: Type.String() }), {
    maxItems: 2,
    description: 'What the contact point asks for, as the writer gave it.',
  }),
})
export type MessageContact = Static<typeof MessageContact>

/** A message on its way in, whichever door it came through. Who sends is known from the actor. */
export type Submission = {
  /** The sender's own, and what makes a second try harmless. */
  reference: string
  /** The service that writes, or that is written to. */
  serviceId: string
  /** To whom a service writes. Not needed for an answer, nor where a person writes to a service. */
  recipient?: Identifier | undefined
  /** The message in the sender's mailbox that this one answers. */
  answersId?: string | undefined
  subject: string
  content: Content[]
  documents: NewDocument[]
  /** The uploads that its documents may name, by their ids. Of a service they are found when it is accepted. */
  uploads?: ReadonlyMap<string, Shared> | undefined
  /** What it asks to do: of public bodies only. */
  actions?: NewAction[] | undefined
  reply: { allowed: boolean; by?: string | undefined }
  category?: string | undefined
  /** Helpers of the recipient do not see it. */
  recipientOnly?: boolean | undefined
  /** Not before this is it in the mailbox. */
  availableFrom?: string | undefined
  expiresAt?: string | undefined
  /** The sender's own earlier message, which this one replaces. */
  corrects?: string | undefined
  /** The contact point, where a person or a business writes to a service. */
  contact?: MessageContact | undefined
  /** The party, where a person or a business hands a letter on to another; whoever asks has seen that it may be this one. */
  recipientId?: string | undefined
  /** The letter that is handed on, as it came. */
  forwarded?: Forwarded | undefined
  /** Goes before all that waits. */
  lane?: (typeof lanes)[number] | undefined
}

/** Where a letter that is handed on came from first, as it says itself. */
export type Forwarded = { messageId: string; senderName: string; serviceName: string; subject: string; availableAt: string }

/**
 * What becomes of a message, as its sender sees it, in the order in which it may happen. Accepted: kept, and never lost.
 * Available: readable in the mailbox, which is delivery in law. Opened and answered may come in either order: an answer
 * may be written from a letter that another reader of the mailbox opened. Recalled: taken back before it was opened. Failed: it
 * was accepted for a later time, and when that came its recipient could not be reached any more.
 */
export const messageStates = ['accepted', 'available', 'opened', 'answered', 'recalled', 'failed'] as const
export type MessageState = (typeof messageStates)[number]

export type MessageTimes = {
  acceptedAt: Date
  availableAt: Date | null
  openedAt: Date | null
  answeredAt: Date | null
  recalledAt: Date | null
  failedAt: Date | null
}

export type HistoryEntry = { state: MessageState; at: Date }

/** What has happened to a message, in order of time. */
export function historyOf(times: MessageTimes): HistoryEntry[] {
  const atOf = {
    accepted: times.acceptedAt,
    available: times.availableAt,
    opened: times.openedAt,
    answered: times.answeredAt,
    recalled: times.recalledAt,
    failed: times.failedAt,
  }
  return messageStates
    .flatMap((state) => (atOf[state] === null ? [] : [{ state, at: atOf[state] }]))
    .sort((a, b) => a.at.getTime() - b.at.getTime())
}

/** The furthest that a message has come. */
export function stateOf(times: MessageTimes): MessageState {
  if (times.failedAt !== null) return 'failed'
  if (times.recalledAt !== null) return 'recalled'
  if (times.answeredAt !== null) return 'answered'
  if (times.openedAt !== null) return 'opened'
  return times.availableAt === null ? 'accepted' : 'available'
}

const availableFromMaxMs = 366 * 86_400_000

/** Whether a letter would be kept longer than one may be before it is available. */
export function isTooFarAhead(availableFrom: Date, now: Date): boolean {
  return availableFrom.getTime() > now.getTime() + availableFromMaxMs
}

/** In the words of the evidence: how a message says whom it is for. */
export function addressingOf({ recipient, answersId, forwarded }: Submission): string {
  if (forwarded) return 'forward'
  return recipient?.scheme ?? (answersId === undefined ? 'directory' : 'answer')
}

/** What a message consists of, each part with its digest, as its evidence names it. */
export function partsOf({ subject, content, actions = [] }: Submission, documents: readonly StoredDocument[]): Part[] {
  const texts = content.map(
    (text): Part => ({
      part: 'text',
      language: text.language,
      subject: text.subject ?? subject,
      size: Buffer.byteLength(text.body),
      algorithm: 'SHA-256',
      digest: hash('sha256', text.body),
    }),
  )
  return [
    ...texts,
    ...documents.flatMap(({ role, files }) => files.map((file) => asPart(role, file))),
    ...actions.map(asActionPart),
  ]
}

/** An action as it is kept and sealed: the only spelling of what its sender said. */
export const saidOf = (action: NewAction): string => canonical(action)

function asActionPart(action: NewAction): Part {
  const said = saidOf(action)
  return {
    part: 'action',
    subject: action.label.en,
    size: Buffer.byteLength(said),
    algorithm: 'SHA-256',
    digest: hash('sha256', said),
  }
}

const contactSaid = ({ pointId, fields }: MessageContact) => [pointId, fields.map(({ label, value }) => [label, value])]

/**
 * SHA-256 over what a message says and to whom, files by their own digest. Two submissions under one reference are the same
 * when their digests are. Built field by field, so that the order of keys in a request does not matter.
 */
export function digestOf(submission: Submission, documents: readonly StoredDocument[]): string {
  const { recipient, content, reply } = submission
  const said = [
    submission.serviceId,
    recipient ? [recipient.scheme, recipient.value] : null,
    submission.answersId ?? null,
    submission.subject,
    content.map(({ language, subject, body }) => [language, subject ?? null, body]),
    documents.map(({ role, title, files }) => [
      role,
      title,
      files.map((f) => [f.filename, f.mediaType, f.language ?? null, f.sha256]),
    ]),
    [reply.allowed, reply.by ?? null],
    ...(submission.category === undefined ? [] : [`category ${submission.category}`]),
    ...(submission.actions?.length ? [['actions', ...submission.actions.map(saidOf)]] : []),
    ...(submission.recipientOnly ? ['recipient only'] : []),
    ...(submission.availableFrom === undefined ? [] : [`available from ${submission.availableFrom}`]),
    ...(submission.expiresAt === undefined ? [] : [`expires at ${submission.expiresAt}`]),
    ...(submission.corrects === undefined ? [] : [`corrects ${submission.corrects}`]),
    ...(submission.contact ? [contactSaid(submission.contact)] : []),
    ...(submission.recipientId ? [`to ${submission.recipientId}`] : []),
    ...(submission.forwarded ? [`forwards ${submission.forwarded.messageId}`] : []),
  ]
  return hash('sha256', JSON.stringify(said))
}
