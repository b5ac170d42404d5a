import type { Actor } from '../access/actor.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { scopeOf, scopeOfReceived, scopeOfSent } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { StoredDocument } from '../documents/document.ts'
import { excerpt, type Piece } from './highlight.ts'
import type { LetterContact, LetterContent } from './letter.ts'
import type { FoundLetter } from './search.ts'
import type { Needle } from './search-query.ts'

/** Where in a letter the words stand: in its text, in the reader's note, or in a document of this name. */
export type Snippet = { where: 'text' | 'note' | 'document'; filename: string | undefined; pieces: Piece[] }

type Row = {
  id: string
  content: LetterContent[]
  documents: StoredDocument[]
  contact: LetterContact | null
  note: string | null
}

/**
 * Some words of letters that were found in one mailbox, by their ids. Of those received only where they were opened: to read in a letter is to
 * open it, in law.
 */
export async function findSnippets(
  db: Db,
  actor: Actor,
  letters: readonly Pick<FoundLetter, 'id' | 'place' | 'openedAt' | 'draft'>[],
  needles: readonly Needle[],
): Promise<Map<string, Snippet>> {
  const snippets = new Map<string, Snippet>()
  if (needles.length === 0) return snippets
  const put = (id: string, where: Snippet['where'], text: string, filename?: string): void => {
    const pieces = snippets.has(id) ? undefined : excerpt(text, needles)
    if (pieces !== undefined) snippets.set(id, { where, filename, pieces })
  }
  for (const { id, draft } of letters)
    for (const text of draft === undefined ? [] : [draft.body, ...draft.answers]) put(id, 'text', withoutMarks(text))
  const rows = await readLetters(db, actor, letters)
  for (const { id, content, contact, note } of rows) {
    for (const { body } of content) put(id, 'text', withoutMarks(body))
    for (const { label, value } of contact?.fields ?? []) put(id, 'text', `${label}: ${value}`)
    if (note !== null) put(id, 'note', note)
  }
  const withFiles = rows.filter(({ id, documents }) => !snippets.has(id) && documents.length > 0)
  if (withFiles.length === 0) return snippets
  const texts = await readWithin<{ messageId: string; fileId: string; text: string }>(
    db,
    scopeOf(actor),
    db`
    select message_id, file_id, text from document_text
    where mailbox_id = ${actor.mailboxId} and message_id = any(${withFiles.map(({ id }) => id)}::uuid[]) and document_text.state = 'read'
    order by file_id`,
  )
  const filesOf = new Map(
    withFiles.flatMap(({ documents }) =>
      documents.flatMap(({ files }) => files.map((file) => [file.id, file.filename] as const)),
    ),
  )
  for (const { messageId, fileId, text } of texts) put(messageId, 'document', text.replace(/\s+/g, ' '), filesOf.get(fileId))
  return snippets
}

async function readLetters(
  db: Db,
  actor: Actor,
  letters: readonly Pick<FoundLetter, 'id' | 'place' | 'openedAt'>[],
): Promise<Row[]> {
  const received = letters.filter(({ place, openedAt }) => place === 'received' && openedAt !== null).map(({ id }) => id)
  const sent = letters.filter(({ place }) => place === 'sent').map(({ id }) => id)
  const rows = await Promise.all([
    received.length > 0 &&
      readWithin<Row>(
        db,
        scopeOfReceived(actor),
        db`
        select message.id, message.content, message.documents, null as contact, message.note from message
        where ${inOwnMailbox(db, actor)} and message.id = any(${received}::uuid[]) and message.opened_at is not null`,
      ),
    sent.length > 0 &&
      readWithin<Row>(
        db,
        scopeOfSent(actor),
        db`
        select message.id, message.content, message.documents, message.contact, null as note
        from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
        where ${inOwnLedger(db, actor)} and ledger.message_id = any(${sent}::uuid[])`,
      ),
  ])
  return rows.flatMap((some) => some || [])
}

/** The words of a letter without the marks of its Markdown. */
function withoutMarks(body: string): string {
  return body
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*\|?[\s|:-]+\|?\s*$/gm, ' ')
    .replace(/^\s*[-+]\s/gm, ' ')
    .replace(/[*_`#>|\\]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
