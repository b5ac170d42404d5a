import type { Actor } from '../access/actor.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived, scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { LetterSummary } from './letter.ts'

export const lettersPerPage = 20

/** `page` counts from 1. */
export type LetterPage = { letters: LetterSummary[]; page: number; pages: number; total: number; unread: number }

/** What has arrived, the newest first. */
export async function listInbox(db: Db, actor: Actor, page: number): Promise<LetterPage> {
  requireRight(actor, 'inbox:read')
  const mine = inOwnMailbox(db, actor)
  const rows = await readWithin<LetterSummary & { total: string; unread: string }>(
    db,
    scopeOfReceived(actor),
    db`
    select counts.total, counts.unread, letter.*
    from (
      select count(*) as total, count(*) filter (where opened_at is null) as unread from message where ${mine}
    ) as counts
    left join lateral (
      select id, sender_name as other_name, service_name, subject, available_at, opened_at, documents <> '[]' as has_documents
      from message where ${mine}
      order by id desc limit ${lettersPerPage} offset ${(page - 1) * lettersPerPage}
    ) as letter on true`,
  )
  return toPage(rows, page, Number(rows[0]!.unread))
}

/** Of what was sent: `openedAt` and `answeredAt` are what happened at the other side. */
export type SentPage = Omit<LetterPage, 'letters'> & { letters: (LetterSummary & { answeredAt: Date | null })[] }

/** What the actor has sent, the newest first. `openedAt` is when it was opened at the other side. */
export async function listSent(db: Db, actor: Actor, page: number): Promise<SentPage> {
  requireRight(actor, 'messages:read')
  const mine = inOwnLedger(db, actor)
  const rows = await readWithin<SentPage['letters'][number] & { total: string }>(
    db,
    scopeOfSent(actor),
    db`
    select counts.total, letter.*
    from (
      select count(*) as total
      from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where ${mine}
    ) as counts
    left join lateral (
      select message.id, ledger.recipient_name as other_name, message.service_name, message.subject, message.available_at, message.opened_at,
             ledger.answered_at, message.documents <> '[]' as has_documents
      from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where ${mine}
      order by ledger.message_id desc limit ${lettersPerPage} offset ${(page - 1) * lettersPerPage}
    ) as letter on true`,
  )
  return toPage(rows, page, 0)
}

function toPage<Line extends LetterSummary>(rows: (Line & { total: string })[], page: number, unread: number) {
  const total = Number(rows[0]!.total)
  const letters = rows.filter((row) => row.id !== null)
  return { letters, page, pages: Math.max(1, Math.ceil(total / lettersPerPage)), total, unread }
}
