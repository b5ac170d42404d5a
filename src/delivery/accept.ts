import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { type CheckedDocuments, checkDocuments } from '../documents/check.ts'
import { lockFeeds } from '../evidence/events.ts'
import { Problem } from '../problems.ts'
import { findRecipients } from '../registry/find-recipients.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { listServices } from '../registry/services.ts'
import { digestOf, type Submission } from './message.ts'

export type Accepted = {
  messageId: string
  threadId: string
  acceptedAt: Date
  availableAt: Date
  /** False where the same message had been accepted before under this reference. */
  isNew: boolean
}
/** One for each submission, in order: accepted, or why not. */
export type Outcome = Accepted | Problem

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
  const rows = submissions.flatMap((submission, place) => {
    const documents = checked[place]!
    const to = routes[place]!
    return documents instanceof Problem || to instanceof Problem ? [] : [toRow(actor, submission, place, documents, to, now)]
  })
  const written = await write(db, rows, now)
  return submissions.map((_, place) => {
    const documents = checked[place]!
    if (documents instanceof Problem) return documents
    return written.get(place) ?? (routes[place] as Problem)
  })
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

function toRow(
  actor: Actor,
  submission: Submission,
  place: number,
  { documents, contents }: CheckedDocuments,
  to: Route,
  now: Date,
) {
  const messageId = newId({ msecs: now.getTime() })
  return {
    place,
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

type Row = ReturnType<typeof toRow>
type Written = Accepted & { place: number; sameContent: boolean }

async function write(db: Db, rows: Row[], now: Date): Promise<Map<number, Outcome>> {
  if (rows.length === 0) return new Map()
  const written = await insert(db, rows, now)
  // A second try that overtook the first: the insert waited for it, but could not see it yet. Now it can be seen.
  if (written.length < rows.length) {
    const seen = new Set(written.map(({ place }) => place))
    written.push(
      ...(await insert(
        db,
        rows.filter(({ place }) => !seen.has(place)),
        now,
      )),
    )
  }
  return new Map(
    written.map(({ place, sameContent, ...accepted }) => [place, sameContent ? accepted : new Problem('reference-used')]),
  )
}

async function insert(db: Db, rows: Row[], now: Date): Promise<Written[]> {
  const files = rows.flatMap(({ contents, message_id }) => contents.map((content) => ({ ...content, message_id })))
  const submitted = rows.map(({ contents: _, ...row }) => row)
  return db<Written[]>`
    with submitted as materialized (
      select * from jsonb_to_recordset(${db.json(submitted as never)}) as submitted (
        place integer, sender_id uuid, sender_party_id uuid, service_id uuid, reference text, content_digest text,
        message_id uuid, mailbox_id uuid, thread_id uuid, answers_id uuid, answered_sender_id uuid, subject text,
        content jsonb, documents jsonb, reply_allowed boolean, reply_by timestamptz, door text,
        accepted_event uuid, available_event uuid, answered_event uuid
      )
    ),
    feeds as materialized (
      ${lockFeeds(db, db`select sender_id from submitted union select answered_sender_id from submitted where answered_sender_id is not null`)}
    ),
    accepted as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at)
      select sender_id, reference, message_id, decode(content_digest, 'hex'), mailbox_id, thread_id, ${now}, ${now}
      from submitted order by sender_id, reference
      on conflict (sender_id, reference) do nothing
      returning message_id, mailbox_id
    ),
    new as (
      select submitted.* from submitted join accepted using (message_id)
    ),
    mailboxes as materialized (
      -- In one order, so that two statements with the same mailboxes wait for each other and never both.
      select id from mailbox where id in (select mailbox_id from accepted) order by id for no key update
    ),
    raised as (
      update mailbox set modseq = mailbox.modseq + arrived.count
      from mailboxes, (select mailbox_id, count(*) from accepted group by mailbox_id) arrived
      where mailbox.id = mailboxes.id and mailbox.id = arrived.mailbox_id
      returning mailbox.id, mailbox.modseq
    ),
    delivered as (
      insert into message (mailbox_id, id, thread_id, answers_id, sender_id, sender_party_id, service_id, sender_name, service_name,
                           subject, content, documents, reply_allowed, reply_by, door, available_at, modseq)
      select new.mailbox_id, message_id, thread_id, answers_id, sender_id, sender_party_id, service_id, party.name, service.name,
             subject, content, documents, reply_allowed or sender_id <> service_id, reply_by, door, ${now}, raised.modseq
      from new
      join raised on raised.id = new.mailbox_id
      join party on party.id = new.sender_party_id
      join service on service.id = new.service_id
    ),
    answered as (
      update ledger set answered_at = coalesce(ledger.answered_at, ${now})
      from new where ledger.sender_id = new.answered_sender_id and ledger.message_id = new.answers_id
      returning ledger.sender_id, ledger.message_id, ledger.reference, new.answered_event
    ),
    ${files.length === 0 ? db`` : storeFiles(db, files)}
    told as (
      insert into event (sender_id, id, type, message_id, reference, at)
      select sender_id, id, type, message_id, reference, ${now}
      from (select count(*) from feeds) as locked, (
        select sender_id, accepted_event as id, 'message.accepted' as type, message_id, reference, 1 as step from new
        union all select sender_id, available_event, 'message.available', message_id, reference, 2 from new
        union all select sender_id, answered_event, 'message.answered', message_id, reference, 3 from answered
        order by message_id, step
      ) as happened
    )
    select place, message_id, thread_id, ${now}::timestamptz as accepted_at, ${now}::timestamptz as available_at, true as is_new, true as same_content
    from new
    union all
    select submitted.place, ledger.message_id, ledger.thread_id, ledger.accepted_at, ledger.available_at, false,
           ledger.content_digest = decode(submitted.content_digest, 'hex')
    from submitted join ledger using (sender_id, reference)`
}

/** Bytes travel as the base64 that they came in; only the database decodes them for good. */
function storeFiles(db: Db, files: { id: string; message_id: string; base64: string }[]) {
  return db`
    stored as (
      insert into file (mailbox_id, id, message_id, bytes)
      select new.mailbox_id, file.id, file.message_id, decode(file.base64, 'base64')
      from unnest(
        ${files.map(({ id }) => id)}::uuid[],
        ${files.map(({ message_id }) => message_id)}::uuid[],
        ${files.map(({ base64 }) => base64)}::text[]
      ) as file (id, message_id, base64)
      join new on new.message_id = file.message_id
    ),`
}
