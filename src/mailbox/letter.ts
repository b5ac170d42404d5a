import { createHash } from 'node:crypto'
import type { Db, Fragment } from '../database/connect.ts'
import type { StoredAction } from '../documents/action.ts'
import type { StoredDocument } from '../documents/document.ts'

/** A line of a list. */
export type LetterSummary = {
  id: string
  /** Who wrote; in a list of what one has sent, to whom. */
  otherName: string
  serviceName: string
  subject: string
  availableAt: Date
  openedAt: Date | null
  hasDocuments: boolean
  /** Of a letter received: whether it is not opened yet, or its reader has marked it so. */
  isUnread?: boolean
  isFlagged?: boolean
  hasNote?: boolean
  /** Since when it is in the bin. */
  binnedAt?: Date | null
  expiresAt?: Date | null
  recalledAt?: Date | null
  recallReason?: string | null
}

export type LetterContent = { language: string; subject: string; body: string }

/** Where a message was written to, and what its writer was asked there. */
export type LetterContact = { pointId: string; pointName: string; fields: { label: string; value: string }[] }

/** A message with all that its reader may see. `isSent`: the actor wrote it. */
export type Letter = {
  id: string
  threadId: string
  answersId: string | null
  isSent: boolean
  /** A person or a business wrote it, and not a service. */
  isFromParty: boolean
  senderPartyId: string
  senderName: string
  /** The helper or employee who wrote it for the sender; null where the sender wrote. */
  writtenByName: string | null
  serviceId: string
  serviceName: string
  category: string
  subject: string
  content: LetterContent[]
  documents: StoredDocument[]
  replyAllowed: boolean
  replyBy: Date | null
  availableAt: Date
  openedAt: Date | null
  takenOverAt: Date | null
  /** Helpers do not see it. */
  recipientOnly: boolean
  contact: LetterContact | null
  /** What it asks to do. */
  actions: StoredAction[]
  /** Where it came from first, of one that was handed on. */
  forwarded: LetterOrigin | null
  /** From when its sender calls it out of date. */
  expiresAt: Date | null
  /** Taken back by its sender before it was opened, and why: then nothing of what it said is here. */
  recalledAt: Date | null
  recallReason: string | null
  /** Which earlier letter it replaces, and which later one replaces it. */
  correctsId: string | null
  correctedById: string | null
}

/** As the delivery wrote it down when the letter was handed on. */
export type LetterOrigin = { messageId: string; senderName: string; serviceName: string; subject: string; availableAt: string }

/** Under whose ledger a message stands: its service's, or that of the party who wrote it. */
export function senderIdOf({ isFromParty, senderPartyId, serviceId }: Letter): string {
  return isFromParty ? senderPartyId : serviceId
}

/** Whether an answer is taken at this time. */
export function mayBeAnswered(letter: Letter, now: Date): boolean {
  return !letter.isSent && letter.recalledAt === null && letter.replyAllowed && (letter.replyBy === null || letter.replyBy >= now)
}

/** The columns of a Letter but `isSent`, from the table message. */
export function letterColumns(db: Db): Fragment {
  return db`
    message.id, message.thread_id, message.answers_id, message.sender_id <> message.service_id as is_from_party,
    message.sender_party_id, message.sender_name, message.written_by_name, message.service_id, message.service_name, message.category, message.subject, message.content,
    message.documents, message.reply_allowed, message.reply_by, message.available_at, message.opened_at, message.taken_over_at, message.recipient_only,
    message.contact, message.forwarded, message.expires_at, message.recalled_at, message.recall_reason, message.corrects_id, message.corrected_by_id,
    (
      select coalesce(jsonb_agg(${storedAction(db)} order by ordinal), '[]') from action
      where action.mailbox_id = message.mailbox_id and action.message_id = message.id
    ) as actions`
}

/** A StoredAction, from the table action. */
export function storedAction(db: Db): Fragment {
  return db`jsonb_build_object(
    'id', action.id, 'kind', action.kind, 'said', action.said::jsonb, 'state', action.state, 'stateAt', action.state_at,
    'startsAt', action.starts_at, 'endsAt', action.ends_at, 'changedByName', action.changed_by_name
  )`
}

/**
 * What a list calls a letter: its subject in that language, where it is written in it too. A letter's first language is nearly always English, and
 * for that its words are not looked into.
 */
export function subjectIn(db: Db, language: string | undefined): Fragment {
  if (language === undefined || language === 'en') return db`message.subject`
  return db`
    coalesce(
      (select text->>'subject' from jsonb_array_elements(message.content) as text where text->>'language' = ${language} limit 1), message.subject
    )`
}

/** That a letter is not opened yet is evidence; what its reader marks is theirs alone. In one that was taken back is nothing to read. */
export function isUnread(db: Db): Fragment {
  return db`((message.opened_at is null or message.marked_unread) and message.recalled_at is null)`
}

/** Two that are the same show the same mailbox. Tells nothing of what is in it to whoever does not know that. */
export function stateOf({ newest, unread, changed }: { newest: string | null; unread: number; changed: string }): string {
  return createHash('sha256').update(`${newest} ${unread} ${changed}`).digest('base64url').slice(0, 12)
}
