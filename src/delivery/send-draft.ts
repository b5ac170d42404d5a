import type { Actor } from '../access/actor.ts'
import { isFromOutside, servicesFor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf, scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import type { NewDocument, NewFile, Shared, StoredDocument, StoredFile } from '../documents/document.ts'
import { Problem } from '../problems.ts'
import type { ContactPoint } from '../registry/contact-point.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { acceptOne } from './accept.ts'
import { forwardedContent, forwardedSubject, subjectOfAnswer } from './forwarding.ts'
import type { Content, Forwarded, MessageContact, Submission } from './message.ts'

/** What is needed of a draft (mailbox/draft.ts), of which this is the way out. */
type Written = {
  kind: 'new' | 'answer' | 'forward'
  messageId: string | null
  contactPointId: string | null
  toPartyId: string | null
  serviceId: string
  category: string
  recipientOnly: boolean
  subject: string
  body: string
  answers: string[]
  version: number
  files: { filename: string; mediaType: string; content: string }[]
}

/**
 * Sends what is in a draft, under the draft's id as its reference, and lets the draft go. Pressed twice, or after a crash in between, it
 * is one message. With `version`, only what its writer has seen. Throws `not-found`, `draft-changed`, and why it is not accepted: then the draft stays.
 */
export async function sendDraft(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  { id, version }: { id: string; version?: number | undefined },
  now: Date,
): Promise<{ messageId: string }> {
  requireRight(actor, 'messages:write')
  const draft = await readDraft(db, actor, id)
  if (draft === undefined) return findSent(db, actor, id)
  if (version !== undefined && draft.version !== version) throw new Problem('draft-changed')
  const submission = await toSubmission(db, actor, id, draft)
  const { messageId } = await acceptOne(db, keys, actor, submission, now)
  await within(
    db,
    scopeOf(actor),
    (sql) => sql`delete from draft where ${own(sql, sql`draft.mailbox_id = ${actor.mailboxId}`)} and draft.id = ${id}`,
  )
  return { messageId }
}

async function readDraft(db: Db, actor: Actor, id: string): Promise<Written | undefined> {
  const services = servicesFor(actor, 'messages:write')
  const [draft] = await readWithin<Written>(
    db,
    scopeOf(actor),
    db`
    select kind, message_id, contact_point_id, to_party_id, service_id, category, recipient_only, subject, body, answers, version,
      coalesce((
        select jsonb_agg(jsonb_build_object(
          'filename', filename, 'mediaType', media_type, 'content', replace(encode(bytes, 'base64'), chr(10), '')
        ) order by draft_file.id)
        from draft_file where draft_file.mailbox_id = draft.mailbox_id and draft_file.draft_id = draft.id
      ), '[]') as files
    from draft
    where ${own(
      db,
      db`draft.mailbox_id = ${actor.mailboxId}
      ${services ? db`and draft.service_id = any(${services as string[]}::uuid[])` : db``}
      ${actor.categories ? db`and draft.category = any(${actor.categories as string[]}::text[])` : db``}
      ${isFromOutside(actor) ? db`and not draft.recipient_only` : db``}`,
    )} and draft.id = ${id}`,
  )
  return draft
}

/** A draft that is gone has been sent already, where its reference is in the ledger. */
async function findSent(db: Db, actor: Actor, reference: string): Promise<{ messageId: string }> {
  const [sent] = await readWithin<{ messageId: string }>(
    db,
    scopeOf(actor),
    db`
    select ledger.message_id from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ${own(db, db`ledger.sender_id = ${actor.partyId}`)} and ledger.reference = ${reference}`,
  )
  if (sent === undefined) throw new Problem('not-found')
  return sent
}

async function toSubmission(db: Db, actor: Actor, id: string, draft: Written): Promise<Submission> {
  const contact = draft.contactPointId === null ? undefined : await findContact(db, draft)
  const documents = draft.files.map((file): NewDocument => ({ role: 'additional', files: [file] }))
  const whole = { reference: id, serviceId: draft.serviceId, documents, reply: { allowed: true } }
  if (draft.kind === 'new') {
    const content = [{ language: 'en', body: draft.body }]
    return { ...whole, subject: draft.subject, content, contact, category: draft.category }
  }
  const original = await findOriginal(db, actor, draft.messageId!)
  if (draft.kind === 'answer') {
    const subject = subjectOfAnswer(original.subject)
    return {
      ...whole,
      serviceId: original.serviceId,
      answersId: original.id,
      subject,
      content: [{ language: 'en', body: draft.body }],
    }
  }
  const forwarded: Forwarded = {
    messageId: original.id,
    senderName: original.senderName,
    serviceName: original.serviceName,
    subject: original.subject,
    availableAt: original.availableAt.toISOString(),
  }
  return {
    ...whole,
    subject: forwardedSubject(original.subject),
    content: forwardedContent(original.content, forwarded, { by: actor.by.name, comment: draft.body }),
    ...(await copyDocuments(db, actor, original)),
    category: original.category,
    recipientOnly: original.recipientOnly,
    recipientId: draft.toPartyId ?? undefined,
    contact,
    forwarded,
  }
}

/** Where it goes, as it is called now. Throws `recipient-not-found` where no message is taken there any more. */
async function findContact(db: Db, { contactPointId, serviceId, answers }: Written): Promise<MessageContact> {
  const [point] = await db<Pick<ContactPoint, 'id' | 'name' | 'asks' | 'active' | 'formUrl' | 'serviceId'>[]>`
    select id, name, asks, active, form_url, service_id from contact_point where id = ${contactPointId}`
  if (!point?.active || point.formUrl !== null || point.serviceId !== serviceId) throw new Problem('contact-closed')
  const fields = point.asks.map(({ label }, index) => ({ label: label.en, value: answers[index] ?? '' }))
  return { pointId: point.id, pointName: point.name.en, fields: fields.filter(({ value }) => value !== '') }
}

type Original = {
  id: string
  serviceId: string
  senderName: string
  serviceName: string
  subject: string
  content: Content[]
  documents: StoredDocument[]
  category: string
  recipientOnly: boolean
  availableAt: Date
}

async function findOriginal(db: Db, actor: Actor, messageId: string): Promise<Original> {
  const [original] = await readWithin<Original>(
    db,
    scopeOfReceived(actor),
    db`
    select message.id, message.service_id, message.sender_name, message.service_name, message.subject, message.content, message.documents,
      message.category, message.recipient_only, message.available_at
    from message where ${inOwnMailbox(db, actor)} and message.id = ${messageId} and message.recalled_at is null`,
  )
  if (original === undefined) throw new Problem('answered-not-found')
  return original
}

/** Of a file that is handed on: its own bytes, or the upload that it has them from, which is kept for both. */
type Copied = { id: string; content: string | null; uploadId: string | null; uploadSenderId: string | null }

/** But for those that are for machines, which nobody has seen who hands the letter on. */
async function copyDocuments(
  db: Db,
  actor: Actor,
  { id, documents }: Original,
): Promise<Pick<Submission, 'documents' | 'uploads'>> {
  const rows = await readWithin<Copied>(
    db,
    scopeOfReceived(actor),
    db`
    select file.id, replace(encode(file.bytes, 'base64'), chr(10), '') as content, file.upload_id, file.upload_sender_id
    from unnest(${documents.flatMap(({ files }) => files.map((file) => file.id))}::uuid[]) as asked (id)
    join file on ${own(db, db`file.mailbox_id = ${actor.mailboxId}`)} and file.id = asked.id and file.message_id = ${id}`,
  )
  const copied = new Map(rows.map((row) => [row.id, row]))
  const uploads = new Map<string, Shared>()
  const toFile = ({ id: fileId, filename, mediaType, language, size, sha256 }: StoredFile): NewFile => {
    const named = { filename, mediaType, ...(language ? { language } : {}) }
    const { content = null, uploadId: upload = null, uploadSenderId = null } = copied.get(fileId) ?? {}
    if (upload === null) return { ...named, content: content ?? '' }
    uploads.set(upload, { id: upload, senderId: uploadSenderId!, mediaType, size, sha256 })
    return { ...named, upload }
  }
  const shown = documents.filter(({ role }) => role !== 'technical')
  return { documents: shown.map(({ role, title, files }) => ({ role, title, files: files.map(toFile) })), uploads }
}
