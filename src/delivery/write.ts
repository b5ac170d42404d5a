import type { Db, Fragment } from '../database/connect.ts'
import { readWithin, type Scope, writeWithin } from '../database/scope.ts'
import type { FileContent } from '../documents/check.ts'
import type { StoredDocument } from '../documents/document.ts'
import { lockFeeds } from '../evidence/events.ts'
import type { MessageFacts } from '../evidence/record.ts'
import { Problem } from '../problems.ts'
import { mayReceive, recipientParty } from '../registry/find-recipients.ts'
import type { ActionRow } from './check-actions.ts'
import type { Content, Forwarded, MessageContact } from './message.ts'

export type Accepted = {
  messageId: string
  threadId: string
  acceptedAt: Date
  /** Null where its time has not come, or somebody has to release it. */
  availableAt: Date | null
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
  /** The party that it goes to; or else by which identifier it is addressed, in hexadecimal. */
  recipient_id: string | undefined
  namespace: string | undefined
  recipient_scheme: string | undefined
  recipient_hex: string | undefined
  thread_id: string
  answers_id: string | undefined
  answered_sender_id: string | undefined
  subject: string
  content: Content[]
  documents: StoredDocument[]
  reply_allowed: boolean
  reply_by: string | undefined
  door: string
  category: string
  recipient_only: boolean
  written_by_id: string | undefined
  written_by_name: string | undefined
  contact: MessageContact | undefined
  forwarded: Forwarded | undefined
  /** Not before this does its recipient see it; with `batch_id`, not before somebody has released that either. */
  release_at: string | undefined
  batch_id: string | undefined
  expires_at: string | undefined
  corrects_id: string | undefined
  /** The mailbox of whoever writes. */
  from_mailbox_id: string
  /** For the evidence; the names of parties are added where they are found. */
  facts: Omit<MessageFacts, 'senderName' | 'serviceName' | 'recipientName'>
  contents: FileContent[]
  actions: ActionRow[]
  /** Of the batch that it came in. */
  line?: number | undefined
}

/** The batch of one sender, from which all rows of a statement are. */
export type OfBatch = { id: string; senderId: string }

export type Try = { senderId: string; reference: string; digest: string }

/** What was accepted before under these references: in order, and undefined where nothing was. */
export async function findAccepted(db: Db, tries: readonly Try[]): Promise<(Outcome | undefined)[]> {
  if (tries.length === 0) return []
  const rows = await readWithin<Accepted & { place: number; sameContent: boolean }>(
    db,
    { senders: [...new Set(tries.map(({ senderId }) => senderId))] },
    db`
    select tried.place::int, ledger.message_id, ledger.thread_id, ledger.accepted_at, ledger.available_at, false as is_new,
           ledger.content_digest = decode(tried.digest, 'hex') as same_content
    from unnest(
      ${tries.map(({ senderId }) => senderId)}::uuid[],
      ${tries.map(({ reference }) => reference)}::text[],
      ${tries.map(({ digest }) => digest)}::text[]
    ) with ordinality as tried (sender_id, reference, digest, place)
    join ledger using (sender_id, reference)`,
  )
  const found = new Map(
    rows.map(({ place, sameContent, ...accepted }) => [place, sameContent ? accepted : new Problem('reference-used')]),
  )
  return tries.map((_, index) => found.get(index + 1))
}

/**
 * Writes messages, all or nothing (docs/decisions/0004-one-statement.md), and answers the ids of those that are new. Any
 * other was accepted before under its reference, having waited for whoever was writing it, or it leads to no
 * mailbox that may receive it. In the order of references, so that two statements with the same ones wait for each other and never both.
 * Of a batch that is not open nothing is written.
 */
export async function write(db: Db, rows: readonly Row[], batch?: OfBatch): Promise<Set<string>> {
  if (rows.length === 0) return new Set()
  const submitted = rows
    .map(({ contents: _, line: __, actions, ...row }) => (row.release_at === undefined ? row : { ...row, actions }))
    .sort((a, b) => compare(a.sender_id, b.sender_id) || compare(a.reference, b.reference))
  const files = rows.flatMap(({ contents, message_id }) => contents.map((content) => ({ ...content, message_id })))
  const actions = rows.flatMap(({ release_at, message_id, actions }) =>
    release_at === undefined ? actions.map((action) => ({ ...action, message_id })) : [],
  )
  const answered = rows.flatMap(({ answered_sender_id }) => answered_sender_id ?? [])
  const mailboxes = rows.flatMap(({ from_mailbox_id, answers_id }) => (answers_id === undefined ? [] : from_mailbox_id))
  const onlyOwn = rows.every(({ namespace, service_id }) => namespace === undefined || namespace === service_id)
  const onlyGeneral = rows.every(({ category }) => category === 'general')
  const isWithheld = rows.some(({ release_at }) => release_at !== undefined)
  const senders = [...new Set(rows.map(({ sender_id }) => sender_id))]
  const scope: Scope = { purpose: 'delivery', senders, ...(mailboxes.length > 0 ? { mailboxes } : {}) }
  // What is joined with itself costs the square of its number: of a batch the rows are found by their ids instead.
  const isBatch = batch !== undefined && answered.length === 0
  const statement = (sql: Db, setsScope: Fragment) => {
    const joined = sql`join submitted using (message_id)`
    const said = isBatch ? findById(sql, submitted.map(withoutFacts)) : joined
    const facts = isBatch ? findById(sql, submitted.map(factsOnly)) : joined
    return sql`
    with submitted as materialized (
      -- A left join reads its left side first: no table is asked before the scope is set.
      select submitted.*, decode(recipient_hex, 'hex') as recipient_hash from (select ${setsScope}) as scope left join lateral jsonb_to_recordset(${sql.json((isBatch ? submitted.map(addressOnly) : submitted) as never)}) as submitted (
        message_id uuid, ${addressColumns(sql)} ${isBatch ? sql`` : sql`, ${contentColumns(sql)}`}
      ) on true
    ),
    ${batch ? findOpen(sql, batch) : sql``}
    feeds as materialized (${lockFeeds(sql, [...senders, ...answered])}),
    accepted as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at, recipient_name
                          ${batch ? sql`, batch_id` : sql``})
      select sender_id, reference, message_id, decode(content_digest, 'hex'), mailbox.id, thread_id, at,
             ${isWithheld ? sql`case when release_at is null then at end` : sql`at`}, party.name
             ${batch ? sql`, open_id` : sql``}
      from (select asked.*, coalesce(recipient_id, ${recipientParty(sql, onlyOwn)}) as to_id from submitted as asked offset 0) as addressed
      join mailbox on mailbox.party_id = to_id and ${mayReceive(sql, onlyGeneral)}
      join party on party.id = to_id
      ${batch ? sql`join open_batch on open_id is not null` : sql``}
      on conflict (sender_id, reference) do nothing
      returning sender_id, reference, message_id, mailbox_id, accepted_at as at, recipient_name
    ),
    delivered as (
      insert into message (${letterColumns(sql)})
      ${letters(sql, said)}
      ${isWithheld ? sql`where release_at is null` : sql``}
      returning id, sender_name, service_name
    ),
    ${isWithheld ? withhold(sql, said) : sql``}
    ${rows.some(({ corrects_id }) => corrects_id !== undefined) ? noteCorrections(sql, said) : sql``}
    ${files.length === 0 ? sql`` : storeFiles(sql, files)}
    ${actions.length === 0 ? sql`` : storeActions(sql, actions)}
    ${answered.length === 0 ? sql`` : noteAnswers(sql)}
    ${batch ? countInBatch(sql, batch) : sql``}
    ${rows.some(({ written_by_id }) => written_by_id !== undefined) ? noteWriters(sql) : sql``}
    ${tell(sql, facts, { isBatch, isWithheld })}
    select message_id from accepted`
  }
  const accepted = await writeWithin<{ messageId: string }>(db, scope, statement)
  return new Set(accepted.map(({ messageId }) => messageId))
}

/** Among the sender's events. */
function tell(db: Db, facts: Fragment, { isBatch, isWithheld }: { isBatch: boolean; isWithheld: boolean }): Fragment {
  const all = isWithheld ? db`named` : db`delivered`
  // All of a batch have one sender.
  const named = isBatch
    ? db`(select sender_name, service_name from ${all} limit 1) as named on true`
    : db`${all} as named on named.id = accepted.message_id`
  return db`
    told as (
      -- The acceptance holds what the evidence of all that comes later repeats.
      insert into event (sender_id, type, message_id, reference, at, facts)
      select accepted.sender_id, happened.type, accepted.message_id, accepted.reference, accepted.at,
             case happened.type when 'message.accepted' then submitted.facts || jsonb_build_object(
               'senderName', sender_name, 'serviceName', service_name, 'recipientName', accepted.recipient_name
             ) end
      from feeds, accepted ${facts} join ${named}, unnest(array['message.accepted', 'message.available']) as happened (type)
      ${isWithheld ? db`where release_at is null or happened.type = 'message.accepted'` : db``}
    )`
}

/** Of message, what a letter fills. */
export function letterColumns(db: Db): Fragment {
  return db`
    mailbox_id, id, thread_id, answers_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content, documents,
    reply_allowed, reply_by, door, available_at, category, recipient_only, written_by_id, written_by_name, contact, forwarded, expires_at, corrects_id`
}

/** Of what was accepted, those columns. */
function letters(db: Db, said: Fragment, more = db``): Fragment {
  return db`
    select accepted.mailbox_id, message_id as id, thread_id, answers_id, submitted.sender_id, sender_party_id, service_id, party.name as sender_name,
           service.name as service_name, subject, content, documents, reply_allowed or submitted.sender_id <> service_id as reply_allowed,
           reply_by, door, accepted.at as available_at, category, recipient_only, written_by_id, written_by_name, contact, forwarded, expires_at, corrects_id ${more}
    from accepted
    ${said}
    join party on party.id = submitted.sender_party_id
    join service on service.id = submitted.service_id`
}

/** What its recipient is not to see yet is kept apart from all mailboxes, with what it asks to do. */
function withhold(db: Db, said: Fragment): Fragment {
  return db`
    withheld as (
      insert into withheld_message (sender_id, message_id, mailbox_id, service_id, why, release_at, batch_id, letter)
      select sender_id, id, mailbox_id, service_id, case when batch_id is null then 'scheduled' else 'held' end, release_at, batch_id,
             to_jsonb(letter) - array['release_at', 'batch_id']
      from (${letters(db, said, db`, release_at, batch_id, actions, ${addressed(db)}`)}) as letter
      where release_at is not null
      returning message_id as id, letter->>'sender_name' as sender_name, letter->>'service_name' as service_name
    ),
    named as (select * from delivered union all select * from withheld),`
}

/** By which identifier it came, so that its release finds out whether that still means its recipient. Of an answer, null. */
function addressed(db: Db): Fragment {
  return db`
    case when recipient_id is null then
      jsonb_build_object('namespace', namespace, 'scheme', recipient_scheme, 'hash', recipient_hex) end as addressed`
}

/** On what is replaced, where its recipient sees it and what replaces it. */
function noteCorrections(db: Db, said: Fragment): Fragment {
  return db`
    corrected as (
      update message set corrected_by_id = accepted.message_id, modseq = nextval('modseq')
      from accepted ${said}
      where submitted.release_at is null and message.mailbox_id = accepted.mailbox_id and message.id = submitted.corrects_id
        and message.sender_id = accepted.sender_id
    ),`
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** For the owner to see that somebody else wrote. A look has the message's id: there is one for each. */
function noteWriters(db: Db) {
  return db`
    noted as (
      insert into look (party_id, id, at, by_kind, by_id, by_name, what, message_id, service_id)
      select sender_party_id, message_id, accepted.at, 'helper', written_by_id::text, written_by_name,
             case when answers_id is null then 'wrote' else 'answered' end, message_id, service_id
      from accepted join submitted using (message_id)
      where written_by_id is not null
    ),`
}

/** What is asked to find out where a message goes, whether it was there before, and who may see what it asks for. */
function addressColumns(db: Db) {
  return db`
    at timestamptz, sender_id uuid, service_id uuid, reference text, content_digest text, recipient_id uuid, namespace uuid,
    recipient_scheme text, recipient_hex text, thread_id uuid, category text, recipient_only boolean, release_at timestamptz, batch_id uuid`
}

/** What is written of it. */
function contentColumns(db: Db) {
  return db`
    sender_party_id uuid, answers_id uuid, answered_sender_id uuid, subject text, content jsonb, documents jsonb,
    reply_allowed boolean, reply_by timestamptz, door text, written_by_id uuid, written_by_name text,
    contact jsonb, forwarded jsonb, expires_at timestamptz, corrects_id uuid, actions jsonb, facts jsonb`
}

type Submitted = Omit<Row, 'contents' | 'actions' | 'line'> & { actions?: ActionRow[] }

/** The values of `addressColumns`. */
function addressOnly(row: Submitted) {
  const { at, sender_id, service_id, reference, content_digest, message_id, recipient_id, namespace } = row
  const { recipient_scheme, recipient_hex, thread_id, category, recipient_only, release_at, batch_id } = row
  const of = { at, sender_id, service_id, reference, content_digest, message_id, recipient_id, namespace }
  return { ...of, recipient_scheme, recipient_hex, thread_id, category, recipient_only, release_at, batch_id }
}

const withoutFacts = ({ facts: _, ...row }: Submitted) => row
const factsOnly = ({ message_id, facts, release_at }: Submitted) => ({ message_id, facts, release_at })

/** The row of an accepted one, found by its id. Each time that it stands in a statement its values travel with it: only those that are asked for. */
function findById(db: Db, rows: readonly Partial<Submitted>[]) {
  const byId = Object.fromEntries(rows.map((row) => [row.message_id, row]))
  return db`
    cross join lateral jsonb_to_record(${db.json(byId as never)}::jsonb -> accepted.message_id::text)
      as submitted (${addressColumns(db)}, ${contentColumns(db)})`
}

/**
 * The batch, if it is open, which it stays until this statement's end: whoever pauses it waits for that. A left join, as above: nothing is
 * asked of the table before the scope is set.
 */
function findOpen(db: Db, { id, senderId }: OfBatch) {
  return db`
    open_batch as materialized (
      select open.id as open_id from (select from submitted limit 1) as one left join (
        select id from batch where sender_id = ${senderId} and id = ${id} and state = 'open' for share
      ) as open on true
    ),`
}

/** So that statements at once seldom wait for each other to count. */
const countParts = 16

function countInBatch(db: Db, { id, senderId }: OfBatch) {
  return db`
    counted as (
      insert into batch_count as old (sender_id, batch_id, part, accepted)
      select ${senderId}, ${id}, ${Math.floor(Math.random() * countParts)}::integer, count(*) from accepted having count(*) > 0
      on conflict (sender_id, batch_id, part) do update set accepted = old.accepted + excluded.accepted
    ),`
}

/** In the ledger of whom a message answers, and among that sender's events. */
function noteAnswers(db: Db) {
  return db`
    answered as (
      update ledger set answered_at = coalesce(ledger.answered_at, accepted.at)
      from accepted join submitted using (message_id)
      -- Who is answered is not to know before they see it: of an answer that waits, the release says so.
      where submitted.release_at is null and ledger.sender_id = submitted.answered_sender_id and ledger.message_id = submitted.answers_id
      returning ledger.sender_id, ledger.message_id, ledger.reference, accepted.at,
                jsonb_build_object('by', submitted.facts->'by', 'door', submitted.door, 'answer', submitted.message_id) as facts
    ),
    told_of_answers as (
      insert into event (sender_id, type, message_id, reference, at, facts)
      select sender_id, 'message.answered', message_id, reference, at, facts from feeds, answered
    ),`
}

/** Bytes travel as the base64 that they came in; only the database decodes them for good. An upload's are there. */
function storeFiles(db: Db, files: (FileContent & { message_id: string })[]) {
  return db`
    stored as (
      insert into file (mailbox_id, id, message_id, bytes, upload_sender_id, upload_id)
      select accepted.mailbox_id, file.id, file.message_id, decode(file.base64, 'base64'), upload_sender_id, upload_id
      from unnest(
        ${files.map(({ id }) => id)}::uuid[],
        ${files.map(({ message_id }) => message_id)}::uuid[],
        ${files.map(({ base64 }) => base64 ?? null)}::text[],
        ${files.map(({ upload }) => upload?.senderId ?? null)}::uuid[],
        ${files.map(({ upload }) => upload?.id ?? null)}::uuid[]
      ) as file (id, message_id, base64, upload_sender_id, upload_id)
      join accepted on accepted.message_id = file.message_id
    ),`
}

function storeActions(db: Db, actions: (ActionRow & { message_id: string })[]) {
  return db`
    asked as (
      insert into action (mailbox_id, id, message_id, ordinal, sender_id, service_id, category, recipient_only, kind, said,
                          starts_at, ends_at, meets_at, state_at)
      select accepted.mailbox_id, action.id, message_id, action.ordinal, submitted.sender_id, service_id, category, recipient_only,
             action.kind, action.said, action.starts_at, action.ends_at, action.meets_at, accepted.at
      from jsonb_to_recordset(${db.json(actions as never)}) as action (
        id uuid, message_id uuid, ordinal smallint, kind text, said text, starts_at timestamptz, ends_at timestamptz, meets_at timestamptz
      )
      join accepted using (message_id)
      join submitted using (message_id)
    ),`
}
