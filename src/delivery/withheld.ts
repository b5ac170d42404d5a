import { type Actor, senderIdsOf } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf, scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import type { StoredAction } from '../documents/action.ts'
import type { StoredDocument, StoredFile } from '../documents/document.ts'
import { readFile } from '../documents/read.ts'
import { Problem } from '../problems.ts'

/** How many letters of a batch somebody looks at before it is released. */
export const sampleSize = 10

/** Why a letter failed that was to come later, as it is written down: there is no other reason. */
export const unreachable = 'The recipient could not be reached here any more when the time of the letter came.'

/** A letter that its recipient does not see, for whoever sent it. */
export type Withheld = {
  messageId: string
  why: 'scheduled' | 'held' | 'recalled' | 'failed'
  serviceId: string
  mailboxId: string
  /** Of the batch that it is held with, or was. */
  batchId: string | null
  /** Not before this, or when it was taken back from a mailbox. */
  releaseAt: Date
  recipientName: string | null
  senderName: string
  serviceName: string
  acceptedAt: Date
  availableAt: Date | null
  recalledAt: Date | null
  recallReason: string | null
  failedAt: Date | null
  failedBecause: string | null
  subject: string
  content: { language: string; subject: string; body: string }[]
  documents: StoredDocument[]
  actions: StoredAction[]
  replyAllowed: boolean
}

const columns = (db: Db) => db`
  withheld.message_id, withheld.why, withheld.service_id, withheld.mailbox_id, withheld.batch_id, withheld.release_at,
  letter->>'sender_name' as sender_name, letter->>'service_name' as service_name, ledger.recipient_name,
  ledger.accepted_at, ledger.available_at, ledger.recalled_at, letter->>'recall_reason' as recall_reason, ledger.failed_at, ledger.failed_because,
  letter->>'subject' as subject, letter->'content' as content, letter->'documents' as documents,
  coalesce((letter->>'reply_allowed')::boolean, false) as reply_allowed, (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', action->'id', 'kind', action->'kind', 'said', (action->>'said')::jsonb, 'state', coalesce(action->>'state', 'open'),
      'stateAt', coalesce(action->'state_at', to_jsonb(ledger.accepted_at)), 'startsAt', action->'starts_at', 'endsAt', action->'ends_at',
      'changedByName', action->'changed_by_name'
    ) order by place), '[]')
    from jsonb_array_elements(case jsonb_typeof(letter->'actions') when 'array' then letter->'actions' else '[]' end)
      with ordinality as asked (action, place)
  ) as actions`

const ownWithheld = (db: Db, actor: Actor): Fragment =>
  own(db, db`withheld.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)

/** One that the actor sent. Throws `not-found`. */
export async function findWithheld(db: Db, actor: Actor, messageId: string): Promise<Withheld> {
  requireRight(actor, 'messages:read')
  const [found] = await readWithin<Withheld>(
    db,
    scopeOfSent(actor),
    db`
    select ${columns(db)} from withheld_message as withheld join ledger using (sender_id, message_id)
    where ${ownWithheld(db, actor)} and withheld.message_id = ${messageId}`,
  )
  if (found === undefined) throw new Problem('not-found')
  return found
}

/**
 * The same, to be read. Of a letter that is held with its batch the log of its service says who has read it; nothing of that is in its
 * recipient's, who is not to know of it yet.
 */
export async function readWithheld(db: Db, actor: Actor, messageId: string, now: Date): Promise<Withheld> {
  const letter = await findWithheld(db, actor, messageId)
  if (letter.why === 'held') await noteLook(db, actor, letter, 'read', now)
  return letter
}

/** A file of one. Throws `not-found`. */
export async function readWithheldFile(
  db: Db,
  actor: Actor,
  messageId: string,
  fileId: string,
  now: Date,
): Promise<{ file: StoredFile; bytes: AsyncIterable<Buffer> }> {
  const letter = await findWithheld(db, actor, messageId)
  const file = letter.documents.flatMap(({ files }) => files).find(({ id }) => id === fileId)
  const bytes = file && (await readFile(db, scopeOfSent(actor), letter.mailboxId, file))
  if (file === undefined || bytes === undefined) throw new Problem('not-found')
  await noteLook(db, actor, letter, 'downloaded', now)
  return { file, bytes }
}

async function noteLook(db: Db, actor: Actor, { messageId, serviceId }: Withheld, what: 'read' | 'downloaded', now: Date) {
  const { partyId, by } = actor
  await within(db, scopeOf(actor), (sql) => noteLooks(sql, [{ partyId, by, what, messageId, serviceId }], now))
}

/** Letters of a batch by chance, to look at before it is released: others each time. Every letter that is held is read for it, by its id. */
export async function sampleHeld(db: Db, actor: Actor, batchId: string): Promise<Withheld[]> {
  requireRight(actor, 'messages:read')
  return readWithin<Withheld>(
    db,
    scopeOfSent(actor),
    db`
    select ${columns(db)}
    from (
      select sender_id, message_id from withheld_message as withheld
      where ${ownWithheld(db, actor)} and batch_id = ${batchId} and why = 'held'
      order by random() limit ${sampleSize}
    ) as chosen
    join withheld_message as withheld using (sender_id, message_id) join ledger using (sender_id, message_id)`,
  )
}

/** To how many mailboxes go the letters that a batch holds. Undefined where there are more than can be counted in the time of a request. */
export async function countRecipients(db: Db, actor: Actor, batchId: string): Promise<number | undefined> {
  requireRight(actor, 'messages:read')
  const query = db`
    select count(distinct mailbox_id)::int as recipients from withheld_message as withheld
    where ${ownWithheld(db, actor)} and batch_id = ${batchId} and why = 'held'`
  try {
    const [row] = await readWithin<{ recipients: number }>(db, scopeOfSent(actor), query)
    return row!.recipients
  } catch (error) {
    // The limit of time that every statement has.
    if ((error as { code?: string }).code === '57014') return undefined
    throw error
  }
}
