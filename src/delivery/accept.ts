import { v7 as newId } from 'uuid'
import { type Actor, doerOf, servicesFor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type CheckedDocuments, checkDocuments } from '../documents/check.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { type Addressed, findRecipients, findRefusals } from '../registry/find-recipients.ts'
import { checkIdentifier, hashIdentifier, type IdentifierKeys } from '../registry/identifier.ts'
import { namespaceOf } from '../registry/scheme.ts'
import { listServices } from '../registry/services.ts'
import { checkActions, refuseActions, toActionRow } from './check-actions.ts'
import { withUploads } from './find-uploads.ts'
import { addressingOf, digestOf, isTooFarAhead, partsOf, type Submission } from './message.ts'
import { recordRejections } from './record-rejections.ts'
import { shareStatements } from './share-statements.ts'
import { type Accepted, findAccepted, type OfBatch, type Outcome, type Row, write } from './write.ts'

/** A submission that is as it must be, as far as that can be said without the database. */
export type Admitted = {
  keys: IdentifierKeys
  actor: Actor
  submission: Submission
  documents: CheckedDocuments
  /** Of what it says and to whom, in hexadecimal. */
  digest: string
  now: Date
  /** Of the batch that it came in. */
  line?: number | undefined
  /** The batch that it waits with, until somebody releases that. */
  heldIn?: string | undefined
  /** Why it is not written now. What was accepted before is still answered. */
  refusal?: Problem | undefined
}

/** `whyShut`: why nothing of it was written, where that is for the batch and not for the letters. */
export type OpenBatch = OfBatch & { whyShut: (db: Db) => Promise<ProblemCode | undefined> }

/** So many letters in one statement, or so much of files in base64, and it stays short. */
const lettersMax = 200
const base64LengthMax = 8 * 1024 * 1024

/** What one process lets wait: at two thousand letters a second the last of them is answered within two. */
const lettersWaitingMax = 4_000

export const deliverShared = shareStatements(
  (db, admitted: readonly Admitted[]) => deliver(db, admitted),
  ({ documents }) =>
    documents.contents.reduce((weight, { base64 = '' }) => weight + base64.length / base64LengthMax, 1 / lettersMax),
  lettersWaitingMax,
  ({ submission }) => submission.lane === 'urgent',
)

/**
 * The way in for every message, whichever door it came through. Those that are accepted are all written by one statement:
 * into the mailbox, the sender's ledger and the sender's events, or not at all. Safe to try again: a reference that was
 * accepted before gives the same answer, or `reference-used` where the content differs.
 */
export async function accept(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  submissions: readonly Submission[],
  now: Date,
): Promise<Outcome[]> {
  requireRight(actor, 'messages:write')
  const known = await withUploads(db, actor, submissions)
  const checked = await Promise.all(known.map((submission) => check(keys, actor, submission, now)))
  const delivered = await deliverShared(
    db,
    checked.filter((one): one is Admitted => !(one instanceof Problem)),
  )
  const outcomes = checked.map((one) => (one instanceof Problem ? one : delivered.shift()!))
  await recordRejections(
    db,
    outcomes.flatMap((outcome, place) =>
      outcome instanceof Problem ? { actor, submission: submissions[place]!, problem: outcome } : [],
    ),
    now,
  )
  return outcomes
}

/** Like accept, for one: throws its problem. */
export async function acceptOne(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  submission: Submission,
  now: Date,
): Promise<Accepted> {
  const [outcome] = await accept(db, keys, actor, [submission], now)
  if (outcome instanceof Problem) throw outcome
  return outcome!
}

/** What the schema cannot say, and needs no database. */
export async function check(keys: IdentifierKeys, actor: Actor, submission: Submission, now: Date): Promise<Admitted | Problem> {
  try {
    const services = servicesFor(actor, 'messages:write')
    if (services !== undefined && !services.includes(submission.serviceId)) throw new Problem('service-not-found')
    if (submission.recipient) checkIdentifier(keys, submission.recipient, '/recipient')
    const languages = submission.content.map(({ language }) => language)
    if (new Set(languages).size < languages.length) throw new Problem('language-repeated')
    checkActions(actor, submission)
    refuseTimes(submission, now)
    const documents = await checkDocuments(submission.documents, submission.uploads)
    return { keys, actor, submission, documents, digest: digestOf(submission, documents.documents), now }
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function refuseTimes({ availableFrom, expiresAt }: Submission, now: Date): void {
  const from = availableFrom === undefined ? now : new Date(availableFrom)
  if (isTooFarAhead(from, now)) throw new Problem('available-from-too-late')
  if (expiresAt !== undefined && new Date(expiresAt) <= from) throw new Problem('expires-too-early')
}

/**
 * Safe to try again: what was accepted before is found under its reference, also where it has no way any more, as its
 * recipient has left since or the time for an answer has passed.
 */
export async function deliver(db: Db, admitted: readonly Admitted[], batch?: OpenBatch): Promise<Outcome[]> {
  const [routes, refusals] = await Promise.all([route(db, admitted), refuseActions(db, admitted)])
  const rows = admitted.map((one, place) => {
    const to = one.refusal ?? refusals[place] ?? routes[place]!
    return to instanceof Problem ? to : toRow(one, to)
  })
  const writable = rows.filter((row): row is Row => !(row instanceof Problem))
  const written = await write(db, writable, batch).catch((error) => {
    // An upload went in the moment in which a letter came for it. Of several letters each is tried alone.
    if (writable.length === 1 && isUploadGone(error)) return undefined
    throw error
  })
  if (written === undefined) return rows.map((row) => (row instanceof Problem ? row : new Problem('upload-not-found')))
  const isWritten = (row: Row | Problem): row is Row => !(row instanceof Problem) && written.has(row.message_id)
  const before = await findAccepted(
    db,
    admitted.flatMap((one, place) =>
      isWritten(rows[place]!) ? [] : [{ senderId: senderOf(one), reference: one.submission.reference, digest: one.digest }],
    ),
  )
  const outcomes = rows.map((row) => (isWritten(row) ? toAccepted(row) : (before.shift() ?? row)))
  const refused = outcomes.flatMap((outcome, place) => (isRow(outcome) ? { row: outcome, place } : []))
  const isShut = batch && refused.length > 0 ? await batch.whyShut(db) : undefined
  if (isShut) return outcomes.map((outcome) => (isRow(outcome) ? new Problem(isShut) : outcome))
  const reasons = await findRefusals(
    db,
    refused.map(({ row, place }) => ({
      addressed: addressOf(admitted[place]!),
      partyId: row.recipient_id,
      category: row.category,
    })),
    admitted[0]?.now ?? new Date(0),
  )
  return outcomes.map((outcome) => (isRow(outcome) ? new Problem(reasons.shift()!) : outcome))
}

function isUploadGone(error: unknown): boolean {
  const { code, table_name, constraint_name } = error as Record<string, unknown>
  return code === '23503' && table_name === 'file' && String(constraint_name).includes('upload')
}

const isRow = (outcome: Outcome | Row): outcome is Row => 'contents' in outcome

function toAccepted({ message_id, thread_id, at, release_at }: Row): Accepted {
  const moment = new Date(at)
  const availableAt = release_at === undefined ? moment : null
  return { messageId: message_id, threadId: thread_id, acceptedAt: moment, availableAt, isNew: true }
}

/** Under whose ledger a message stands: the service's, or the party's own. */
function senderOf({ actor, submission }: Admitted): string {
  return actor.isOrganisation ? submission.serviceId : actor.partyId
}

/** Where a message goes, and what it answers. Without a party it goes where its recipient's identifier leads. */
type Route = {
  recipientId?: string
  serviceId: string
  /** A person or a business writes to another. */
  isBetweenParties?: boolean
  threadId?: string
  answeredSenderId?: string
  category?: string
  recipientOnly?: boolean
}

async function route(db: Db, admitted: readonly Admitted[]): Promise<(Route | Problem)[]> {
  const writtenTo = admitted.flatMap(({ actor, submission: { serviceId, answersId, recipientId } }) =>
    !actor.isOrganisation && answersId === undefined && recipientId === undefined ? serviceId : [],
  )
  const [originals, services, corrected] = await Promise.all([
    findOriginals(db, admitted),
    writtenTo.length > 0 ? listServices(db, { ids: writtenTo }) : [],
    findCorrected(db, admitted),
  ])
  return admitted.map(({ actor, submission, now }, place) => {
    const { answersId, recipient, recipientId, serviceId, corrects } = submission
    if (corrects !== undefined) return routeCorrection(admitted[place]!, corrected.get(place))
    if (answersId !== undefined) return routeAnswer(admitted[place]!, originals.get(place), now)
    if (!actor.isOrganisation) {
      if (recipientId !== undefined) return { recipientId, serviceId, isBetweenParties: true }
      const service = services.find(({ id }) => id === serviceId)
      return service ? { recipientId: service.organisationId, serviceId } : new Problem('service-not-found')
    }
    return recipient ? { serviceId } : new Problem('recipient-needed')
  })
}

function routeAnswer({ actor, submission }: Admitted, original: Original | undefined, now: Date): Route | Problem {
  if (original === undefined) return new Problem('answered-not-found')
  if (actor.isOrganisation && original.serviceId !== submission.serviceId) return new Problem('answered-not-found')
  // Named as well, the recipient must be who wrote.
  if (submission.recipient && original.namedId !== original.recipientId) return new Problem('answered-not-found')
  if (!original.replyAllowed) return new Problem('reply-not-allowed')
  if (original.replyBy !== null && original.replyBy < now) return new Problem('reply-too-late')
  return original
}

/** A letter that replaces another goes to whom that one went to, and stands in its thread. */
function routeCorrection({ submission: { serviceId, recipient } }: Admitted, corrected: Corrected | undefined): Route | Problem {
  if (corrected === undefined) return new Problem('corrected-not-found')
  if (recipient && corrected.namedId !== corrected.recipientId) return new Problem('corrected-not-found')
  return { recipientId: corrected.recipientId, serviceId, threadId: corrected.threadId }
}

type Corrected = { recipientId: string; threadId: string; namedId: string | undefined }

/** What is replaced, by the place of what replaces it: of the same sender, and not recalled. */
async function findCorrected(db: Db, admitted: readonly Admitted[]): Promise<Map<number, Corrected>> {
  const asked = admitted.flatMap((one, place) =>
    one.submission.corrects === undefined ? [] : { senderId: senderOf(one), messageId: one.submission.corrects, place, one },
  )
  if (asked.length === 0) return new Map()
  const named = asked.filter(({ one }) => one.submission.recipient)
  const [rows, recipients] = await Promise.all([
    readWithin<{ asked: number; recipientId: string; threadId: string }>(
      db,
      { purpose: 'delivery', senders: [...new Set(asked.map(({ senderId }) => senderId))] },
      db`
      select asked.asked::int, mailbox.party_id as recipient_id, ledger.thread_id
      from unnest(${asked.map(({ senderId }) => senderId)}::uuid[], ${asked.map(({ messageId }) => messageId)}::uuid[])
        with ordinality as asked (sender_id, message_id, asked)
      join ledger on ledger.sender_id = asked.sender_id and ledger.message_id = asked.message_id and ledger.recalled_at is null
      join mailbox on mailbox.id = ledger.mailbox_id`,
    ),
    findRecipients(
      db,
      named.map(({ one }) => addressOf(one)!),
    ),
  ])
  const namedId = new Map(named.map(({ place }, index) => [place, recipients[index]?.partyId]))
  return new Map(
    rows.map(({ asked: number, recipientId, threadId }) => {
      const { place } = asked[number - 1]!
      return [place, { recipientId, threadId, namedId: namedId.get(place) }]
    }),
  )
}

type Original = Required<Route> & { replyAllowed: boolean; replyBy: Date | null; namedId: string | undefined }

type Answer = { actor: Actor; answersId: string; place: number }

/** What is answered, by the place of its answer, if the actor may see it in the mailbox that is open. `recipientId` is whom the answer goes to. */
async function findOriginals(db: Db, admitted: readonly Admitted[]): Promise<Map<number, Original>> {
  const answers = admitted.flatMap(({ actor, submission: { answersId } }, place): Answer[] =>
    answersId ? [{ actor, answersId, place }] : [],
  )
  if (answers.length === 0) return new Map()
  const named = answers.filter(({ place }) => admitted[place]!.submission.recipient)
  // Each asker sees what is in their own scope; what one request brings has one.
  const byActor = [...Map.groupBy(answers, ({ actor }) => actor)]
  const [originals, recipients] = await Promise.all([
    Promise.all(byActor.map(([actor, asked]) => findAnswered(db, actor, asked))),
    findRecipients(
      db,
      named.map(({ place }) => addressOf(admitted[place]!)!),
    ),
  ])
  const namedId = new Map(named.map(({ place }, index) => [place, recipients[index]?.partyId]))
  return new Map(originals.flat().map(([place, original]) => [place, { ...original, namedId: namedId.get(place) }]))
}

type Found = Omit<Original, 'namedId'>

async function findAnswered(db: Db, actor: Actor, answers: readonly Answer[]): Promise<[number, Found][]> {
  const rows = await readWithin<Found & { asked: number }>(
    db,
    scopeOfReceived(actor),
    db`
    select asked.asked::int, message.service_id, message.thread_id, message.sender_id as answered_sender_id, message.category, message.recipient_only,
           message.reply_allowed, message.reply_by, message.sender_party_id as recipient_id,
           message.sender_id <> message.service_id and ${!actor.isOrganisation} as is_between_parties
    from unnest(${answers.map(({ answersId }) => answersId)}::uuid[]) with ordinality as asked (message_id, asked)
    join message on ${inOwnMailbox(db, actor)} and message.id = asked.message_id`,
  )
  return rows.map(({ asked, ...original }) => [answers[asked - 1]!.place, original])
}

function addressOf({ keys, submission: { serviceId, recipient } }: Admitted): Addressed | undefined {
  if (recipient === undefined) return undefined
  const { scheme } = recipient
  return {
    serviceId,
    namespace: namespaceOf(keys.schemes, serviceId, scheme),
    scheme,
    hash: hashIdentifier(keys, serviceId, recipient),
  }
}

/** Orders the ids of one millisecond: letters of one sender are listed as they were sent. */
let sequence = 0

function toRow(admitted: Admitted, to: Route): Row {
  const { actor, submission, documents, digest, now } = admitted
  const address = to.recipientId === undefined ? addressOf(admitted) : undefined
  sequence = (sequence + 1) % 0x7fffffff
  const messageId = newId({ msecs: now.getTime(), seq: sequence })
  return {
    at: now.toISOString(),
    sender_id: senderOf(admitted),
    sender_party_id: actor.partyId,
    service_id: to.serviceId,
    reference: submission.reference,
    content_digest: digest,
    message_id: messageId,
    recipient_id: to.recipientId,
    namespace: address?.namespace,
    recipient_scheme: address?.scheme,
    recipient_hex: address?.hash.toString('hex'),
    thread_id: to.threadId ?? messageId,
    answers_id: submission.answersId,
    answered_sender_id: to.answeredSenderId,
    subject: submission.subject,
    content: submission.content.map((content) => ({ ...content, subject: content.subject ?? submission.subject })),
    documents: documents.documents,
    reply_allowed: submission.reply.allowed,
    reply_by: submission.reply.by,
    door: actor.door,
    category: to.category ?? submission.category ?? actor.categories?.[0] ?? 'general',
    // An answer would tell helpers of the letter that it answers.
    recipient_only: to.recipientOnly || (submission.recipientOnly ?? false),
    written_by_id: actor.by.kind === 'helper' ? actor.by.id : undefined,
    written_by_name: actor.by.kind === 'helper' ? actor.by.name : undefined,
    contact: submission.contact,
    forwarded: submission.forwarded,
    ...withheldUntil(admitted),
    expires_at: submission.expiresAt,
    corrects_id: submission.corrects,
    from_mailbox_id: actor.mailboxId,
    facts: {
      by: doerOf(actor),
      door: actor.door,
      addressedBy: addressingOf(submission),
      subject: submission.subject,
      parts: partsOf(submission, documents.documents),
      isToService: !actor.isOrganisation && !to.isBetweenParties,
      ...(to.isBetweenParties ? { isBetweenParties: true } : {}),
    },
    contents: documents.contents,
    actions: (submission.actions ?? []).map(toActionRow),
    line: admitted.line,
  }
}

function withheldUntil({ submission: { availableFrom }, heldIn, now }: Admitted): Pick<Row, 'release_at' | 'batch_id'> {
  const isLater = availableFrom !== undefined && Date.parse(availableFrom) > now.getTime()
  if (!isLater && heldIn === undefined) return { release_at: undefined, batch_id: undefined }
  return { release_at: isLater ? availableFrom : now.toISOString(), batch_id: heldIn }
}
