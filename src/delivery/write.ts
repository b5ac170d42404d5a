import type { Db } from '../database/connect.ts'
import type { StoredDocument } from '../documents/document.ts'
import { lockFeeds } from '../evidence/events.ts'
import { Problem } from '../problems.ts'
import type { Content } from './message.ts'

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

/** A message that may be written: its rows of every table, named as their columns are. */
export type Row = {
  /** The moment of acceptance, RFC 3339. */
  at: string
  sender_id: string
  sender_party_id: string
  service_id: string
  reference: string
  /** In hexadecimal. */
  content_digest: string
  message_id: string
  mailbox_id: string
  thread_id: string
  answers_id: string | undefined
  answered_sender_id: string | undefined
  subject: string
  content: Content[]
  documents: StoredDocument[]
  reply_allowed: boolean
  reply_by: string | undefined
  door: string
  accepted_event: string
  available_event: string
  answered_event: string
  contents: { id: string; base64: string }[]
}

type Written = Accepted & { place: number; sameContent: boolean }

/**
 * Writes messages, and answers for each, in order. Safe to try again: what a statement whose answer was lost has written is
 * found under its reference.
 */
export async function write(db: Db, rows: readonly Row[]): Promise<Outcome[]> {
  if (rows.length === 0) return []
  const outcomes: Outcome[] = []
  const note = (written: Written[], places: readonly number[]) => {
    for (const { place, sameContent, ...accepted } of written) {
      outcomes[places[place]!] = sameContent ? accepted : new Problem('reference-used')
    }
  }
  const all = [...rows.keys()]
  note(await insert(db, rows), all)
  // A second try that overtook the first: its insert waited for the first, but could not see it yet. Now it can.
  const unseen = all.filter((place) => outcomes[place] === undefined)
  if (unseen.length > 0)
    note(
      await insert(
        db,
        unseen.map((place) => rows[place]!),
      ),
      unseen,
    )
  return outcomes
}

/** All or nothing: docs/decisions/0004-one-statement.md. */
async function insert(db: Db, rows: readonly Row[]): Promise<Written[]> {
  const files = rows.flatMap(({ contents, message_id }) => contents.map((content) => ({ ...content, message_id })))
  const submitted = rows.map(({ contents: _, ...row }, place) => ({ ...row, place }))
  const answers = rows.some(({ answered_sender_id }) => answered_sender_id !== undefined)
  return db<Written[]>`
    with submitted as materialized (
      select * from jsonb_to_recordset(${db.json(submitted as never)}) as submitted (
        place integer, at timestamptz, sender_id uuid, sender_party_id uuid, service_id uuid, reference text, content_digest text,
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
      select sender_id, reference, message_id, decode(content_digest, 'hex'), mailbox_id, thread_id, at, at
      from submitted order by sender_id, reference
      on conflict (sender_id, reference) do nothing
      returning message_id, mailbox_id
    ),
    new as (
      select submitted.* from submitted join accepted using (message_id)
    ),
    delivered as (
      insert into message (mailbox_id, id, thread_id, answers_id, sender_id, sender_party_id, service_id, sender_name, service_name,
                           subject, content, documents, reply_allowed, reply_by, door, available_at)
      select new.mailbox_id, message_id, thread_id, answers_id, sender_id, sender_party_id, service_id, party.name, service.name,
             subject, content, documents, reply_allowed or sender_id <> service_id, reply_by, door, at
      from new
      join party on party.id = new.sender_party_id
      join service on service.id = new.service_id
    ),
    ${answers ? noteAnswers(db) : db``}
    ${files.length === 0 ? db`` : storeFiles(db, files)}
    told as (
      insert into event (sender_id, id, type, message_id, reference, at)
      select sender_id, id, type, message_id, reference, at
      from (select count(*) from feeds) as locked, (
        select sender_id, accepted_event as id, 'message.accepted' as type, message_id, reference, at, 1 as step from new
        union all select sender_id, available_event, 'message.available', message_id, reference, at, 2 from new
        ${answers ? db`union all select sender_id, answered_event, 'message.answered', message_id, reference, at, 3 from answered` : db``}
        order by message_id, step
      ) as happened
    )
    select place, message_id, thread_id, at as accepted_at, at as available_at, true as is_new, true as same_content
    from new
    union all
    select submitted.place, ledger.message_id, ledger.thread_id, ledger.accepted_at, ledger.available_at, false,
           ledger.content_digest = decode(submitted.content_digest, 'hex')
    from submitted join ledger using (sender_id, reference)`
}

/** In the ledger of whom a message answers. */
function noteAnswers(db: Db) {
  return db`
    answered as (
      update ledger set answered_at = coalesce(ledger.answered_at, new.at)
      from new where ledger.sender_id = new.answered_sender_id and ledger.message_id = new.answers_id
      returning ledger.sender_id, ledger.message_id, ledger.reference, new.at, new.answered_event
    ),`
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
