import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { type CheckedDocuments, checkDocuments } from '../documents/check.ts'
import { Problem } from '../problems.ts'
import { findRecipients } from '../registry/find-recipients.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { listServices } from '../registry/services.ts'
import { digestOf, type Submission } from './message.ts'
import { type Accepted, type Outcome, type Row, write } from './write.ts'

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
  const checked = await Promise.all(submissions.map((submission) => check(actor, submission)))
  const routes = await route(db, keys, actor, submissions, now)
  const prepared = submissions.map((submission, place) => {
    const documents = checked[place]!
    const to = routes[place]!
    if (documents instanceof Problem) return documents
    return to instanceof Problem ? to : toRow(actor, submission, documents, to, now)
  })
  const written = await write(
    db,
    prepared.filter((row): row is Row => !(row instanceof Problem)),
  )
  return prepared.map((row) => (row instanceof Problem ? row : written.shift()!))
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
async function check(actor: Actor, submission: Submission): Promise<CheckedDocuments | Problem> {
  try {
    if (actor.serviceIds !== undefined && !actor.serviceIds.includes(submission.serviceId)) throw new Problem('service-not-found')
    const languages = submission.content.map(({ language }) => language)
    if (new Set(languages).size < languages.length) throw new Problem('language-repeated')
    return await checkDocuments(submission.documents)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** Where a message goes, and what it answers. */
type Route = { mailboxId: string; serviceId: string; threadId: string | undefined; answeredSenderId: string | undefined }

async function route(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  submissions: readonly Submission[],
  now: Date,
): Promise<(Route | Problem)[]> {
  const addressed = submissions.flatMap(({ serviceId, recipient }, place) =>
    recipient ? [{ serviceId, identifier: recipient, place }] : [],
  )
  const answersIds = submissions.flatMap(({ answersId }) => answersId ?? [])
  const writesToServices = actor.serviceIds === undefined && answersIds.length < submissions.length
  const [recipients, originals, services] = await Promise.all([
    findRecipients(db, keys, addressed),
    findOriginals(db, actor, answersIds),
    writesToServices ? listServices(db, { ids: submissions.map(({ serviceId }) => serviceId) }) : [],
  ])
  const recipientAt = new Map(addressed.map(({ place }, index) => [place, recipients[index]]))

  return submissions.map(({ answersId, recipient, serviceId }, place) => {
    const known = recipientAt.get(place)
    if (answersId !== undefined) {
      const original = originals.get(answersId)
      if (original === undefined || (actor.serviceIds !== undefined && original.serviceId !== serviceId))
        return new Problem('answered-not-found')
      if (recipient && known?.mailboxId !== original.mailboxId) return new Problem('answered-not-found')
      if (!original.replyAllowed) return new Problem('reply-not-allowed')
      if (original.replyBy !== null && original.replyBy < now) return new Problem('reply-too-late')
      return original
    }
    if (actor.serviceIds === undefined) {
      const service = services.find(({ id }) => id === serviceId)
      if (service === undefined) return new Problem('service-not-found')
      return { mailboxId: service.mailboxId, serviceId, threadId: undefined, answeredSenderId: undefined }
    }
    if (recipient === undefined) return new Problem('recipient-needed')
    if (known === undefined) return new Problem('recipient-not-found')
    return { mailboxId: known.mailboxId, serviceId, threadId: undefined, answeredSenderId: undefined }
  })
}

/** Messages in the actor's own mailbox that are answered, by id. `mailboxId` is the one that the answer goes to. */
async function findOriginals(db: Db, actor: Actor, ids: string[]) {
  if (ids.length === 0) return new Map<string, never>()
  const rows = await db<(Route & { id: string; replyAllowed: boolean; replyBy: Date | null })[]>`
    select message.id, message.service_id, message.thread_id, message.sender_id as answered_sender_id,
           message.reply_allowed, message.reply_by, mailbox.id as mailbox_id
    from message join mailbox on mailbox.party_id = message.sender_party_id
    where message.mailbox_id = ${actor.mailboxId} and message.id = any(${ids}::uuid[])
      ${actor.serviceIds ? db`and message.service_id = any(${actor.serviceIds as string[]}::uuid[])` : db``}`
  return new Map(rows.map((row) => [row.id, row]))
}

function toRow(actor: Actor, submission: Submission, { documents, contents }: CheckedDocuments, to: Route, now: Date): Row {
  const messageId = newId({ msecs: now.getTime() })
  return {
    at: now.toISOString(),
    sender_id: actor.serviceIds === undefined ? actor.partyId : submission.serviceId,
    sender_party_id: actor.partyId,
    service_id: to.serviceId,
    reference: submission.reference,
    content_digest: digestOf(submission, documents),
    message_id: messageId,
    mailbox_id: to.mailboxId,
    thread_id: to.threadId ?? messageId,
    answers_id: submission.answersId,
    answered_sender_id: to.answeredSenderId,
    subject: submission.subject,
    content: submission.content.map((content) => ({ ...content, subject: content.subject ?? submission.subject })),
    documents,
    reply_allowed: submission.reply.allowed,
    reply_by: submission.reply.by,
    door: actor.door,
    accepted_event: newId(),
    available_event: newId(),
    answered_event: newId(),
    contents,
  }
}
