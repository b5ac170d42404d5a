import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { StoredDocument } from '../documents/document.ts'
import { excerpt, type Piece } from './highlight.ts'
import type { LetterContent } from './letter.ts'
import type { Needle } from './search-query.ts'

/** Where in a letter the words stand: in its text, in the reader's note, or in a document of this name. */
export type Snippet = { where: 'text' | 'note' | 'document'; filename: string | undefined; pieces: Piece[] }

type Row = { id: string; content: LetterContent[]; documents: StoredDocument[]; note: string | null }

/** Some words of letters, by their ids. Only of those that were opened: to read in a letter is to open it, in law. */
export async function findSnippets(
  db: Db,
  actor: Actor,
  letters: readonly { id: string; openedAt: Date | null }[],
  needles: readonly Needle[],
): Promise<Map<string, Snippet>> {
  const snippets = new Map<string, Snippet>()
  const ids = letters.filter(({ openedAt }) => openedAt !== null).map(({ id }) => id)
  if (ids.length === 0 || needles.length === 0) return snippets
  const rows = await readWithin<Row>(
    db,
    scopeOfReceived(actor),
    db`
    select message.id, message.content, message.documents, message.note from message
    where ${inOwnMailbox(db, actor)} and message.id = any(${ids}::uuid[]) and message.opened_at is not null`,
  )
  for (const { id, content, note } of rows) {
    for (const { body } of content) put(id, 'text', withoutMarks(body))
    if (note !== null) put(id, 'note', note)
  }
  const withFiles = rows.filter(({ id, documents }) => !snippets.has(id) && documents.length > 0)
  if (withFiles.length === 0) return snippets
  const texts = await readWithin<{ messageId: string; fileId: string; text: string }>(
    db,
    scopeOfReceived(actor),
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

  function put(id: string, where: Snippet['where'], text: string, filename?: string): void {
    const pieces = snippets.has(id) ? undefined : excerpt(text, needles)
    if (pieces !== undefined) snippets.set(id, { where, filename, pieces })
  }
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
