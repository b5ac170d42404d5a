import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { type Extracted, extractText } from '../documents/extract-text.ts'
import { readFile } from '../documents/read.ts'
import { addPostings, firstId, indexLetters, searchScope } from './index-letters.ts'
import { addWords, wordsVersion } from './search-words.ts'

/** What the job does of one mailbox before it looks after others again. */
const documentsInTurn = 20
const documentsAtOnce = 2
const triesMax = 2
const leaseMs = 120_000
const busyMs = 5_000
/** So much of a document's text is kept, to show where a word stands. Words are found in all of it. */
const keptLength = 200_000

type Waiting = { fileId: string; messageId: string; file: { mediaType: string; size: number } | null }

/** For a job: takes the mailbox that has waited longest, and brings its index on. Answers whether there was one. */
export async function indexNextMailbox(db: Db, now: Date): Promise<boolean> {
  const [longest] = await within(
    db,
    { purpose: 'search' },
    (sql) => sql<{ mailboxId: string }[]>`
      update search_state set wanted_at = ${new Date(now.getTime() + leaseMs)}
      where mailbox_id = (
        select mailbox_id from search_state where wanted_at <= ${now} order by wanted_at limit 1 for update skip locked
      )
      returning mailbox_id`,
  )
  if (longest === undefined) return false
  const { mailboxId } = longest
  // Some hundreds at a time, so that whoever searches meanwhile finds those.
  let came = await indexLetters(db, mailboxId, 'beginning')
  while (came === 'more') came = await indexLetters(db, mailboxId, 'beginning')
  const isRead = await readDocuments(db, mailboxId, now)
  // Where a search indexes it just now, this is gone on with when that is done.
  const next = came === 'busy' ? new Date(now.getTime() + busyMs) : isRead ? null : now
  await within(
    db,
    { purpose: 'search' },
    (sql) => sql`update search_state set wanted_at = ${next} where mailbox_id = ${mailboxId}`,
  )
  return true
}

/** Something of this mailbox is not in its index yet, or somebody is about to search it: the job goes on with it soon. */
export async function wantIndex(db: Db, mailboxId: string, now: Date): Promise<void> {
  await within(db, { purpose: 'search' }, async (sql) => {
    await sql`insert into search_state (mailbox_id, version) values (${mailboxId}, ${wordsVersion}) on conflict do nothing`
    // Nobody waits for whoever indexes it just now.
    await sql`
      update search_state set wanted_at = ${now}
      where mailbox_id = (
        select mailbox_id from search_state where mailbox_id = ${mailboxId} and wanted_at is null for update skip locked
      )`
  })
}

/** Reads some of the documents that wait, the newest first. Answers whether none is left. Reading does not count as opening. */
async function readDocuments(db: Db, mailboxId: string, now: Date): Promise<boolean> {
  const { waiting, isLast } = await claim(db, mailboxId, now)
  const lines = Array.from({ length: documentsAtOnce }, async () => {
    for (let document = waiting.pop(); document !== undefined; document = waiting.pop())
      await readDocument(db, mailboxId, document, now)
  })
  await Promise.all(lines)
  return isLast
}

/** A try is counted before it is made: a file that ends the program is not read for ever. */
async function claim(db: Db, mailboxId: string, now: Date): Promise<{ waiting: Waiting[]; isLast: boolean }> {
  const claimed = await within(
    db,
    searchScope(mailboxId),
    (sql) => sql<Waiting[]>`
      with next as (
        select file_id from document_text
        where ${own(sql, sql`mailbox_id = ${mailboxId}`)} and state = 'waiting' and (leased_until is null or leased_until <= ${now})
        order by message_id desc limit ${documentsInTurn} for update skip locked
      )
      update document_text set tries = tries + 1, leased_until = ${new Date(now.getTime() + leaseMs)},
        state = case when tries >= ${triesMax} then 'failed' else state end, reason = case when tries >= ${triesMax} then 'gave-up' end
      from next, message
      where document_text.mailbox_id = ${mailboxId} and document_text.file_id = next.file_id
        and message.mailbox_id = ${mailboxId} and message.id = document_text.message_id
      returning document_text.file_id, document_text.message_id, case when document_text.state = 'waiting' then (
        select file from jsonb_array_elements(message.documents) as document, jsonb_array_elements(document->'files') as file
        where file->>'id' = document_text.file_id::text
      ) end as file`,
  )
  const waiting = claimed.filter(({ file }) => file !== null).reverse()
  return { waiting, isLast: claimed.length < documentsInTurn }
}

async function readDocument(db: Db, mailboxId: string, { fileId, messageId, file }: Waiting, now: Date): Promise<void> {
  const { mediaType, size } = file!
  const bytes = await readFile(db, searchScope(mailboxId), mailboxId, { id: fileId, size })
  const extracted: Extracted = bytes === undefined ? { failure: 'gave-up' } : await extractText(mediaType, bytes, size)
  const words = new Set<string>()
  if ('text' in extracted) addWords(words, extracted.text)
  const [text, reason] =
    'text' in extracted ? [extracted.text.replaceAll('\0', ' ').slice(0, keptLength), null] : [null, extracted.failure]
  await within(db, searchScope(mailboxId), async (sql) => {
    const read = await sql`
      update document_text set state = ${reason === null ? 'read' : 'failed'}, reason = ${reason}, text = ${text}, read_at = ${now}
      where mailbox_id = ${mailboxId} and file_id = ${fileId} and state = 'waiting'`
    const [letter] = await sql<{ number: number }[]>`
      select number from search_letter where mailbox_id = ${mailboxId} and message_id = ${messageId}`
    if (read.count === 0 || letter === undefined || words.size === 0) return
    await addPostings(sql, mailboxId, new Map([...words].map((word) => [word, [letter.number]])))
  })
}

/** How far the index of a mailbox is. `hasGone`: letters are in it that were erased or taken back. */
export type IndexState = { lastNumber: number; lettersLeft: number; hasGone: boolean; hasNotes: boolean; documentsLeft: number }

/** More letters than this are not counted. */
const lettersCountedMax = 500

export async function readIndexState(db: Db, mailboxId: string): Promise<IndexState> {
  const [state] = await readWithin<IndexState>(
    db,
    searchScope(mailboxId),
    db`
    select state.last_number, (
      select count(*)::int from (
        select from message
        where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and id >= state.recheck_from and erased_at is null and recalled_at is null
          and not exists (
            select from search_letter where search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
          )
        -- In this order only the end of the mailbox is read.
        order by id limit ${lettersCountedMax + 1}
      ) as one
    ) as letters_left, exists (
      select from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
      where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and message.erased_at is not null
      union all
      select from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
      where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and message.recalled_at is not null
    ) as has_gone, exists (
      select from message where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and note is not null
    ) as has_notes, (
      select count(*)::int from document_text where mailbox_id = ${mailboxId} and document_text.state = 'waiting'
    ) as documents_left
    from (
      select coalesce((select last_number from search_state where mailbox_id = ${mailboxId}), 0) as last_number,
        coalesce((select recheck_from from search_state where mailbox_id = ${mailboxId}), ${firstId}::uuid) as recheck_from
      offset 0
    ) as state`,
  )
  return state!
}
