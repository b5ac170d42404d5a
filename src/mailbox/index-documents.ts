import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { type Extracted, extractText } from '../documents/extract-text.ts'
import { readFile } from '../documents/read.ts'
import { addPostings, firstId, indexLetters, newReceived, newSent, type Searched, searchScope } from './index-letters.ts'
import { addWords, wordsVersion } from './search-words.ts'

/** What the job does of one mailbox before it looks after others again. */
const documentsInTurn = 20
const documentsAtOnce = 2
const triesMax = 2
const leaseMs = 120_000
const busyMs = 5_000
/** So much of a document's text is kept, to show where a word stands. Words are found in all of it. */
const keptLength = 200_000

/** `mailboxId`: where the file is: in the mailbox that is searched, or in that to which it was sent. */
type Waiting = { fileId: string; messageId: string; mailboxId: string; file: { mediaType: string; size: number } | null }

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
  const [owner] = await readWithin<{ partyId: string }>(
    db,
    { purpose: 'search', mailbox: mailboxId },
    db`select party_id from mailbox where id = ${mailboxId}`,
  )
  const searched = { mailboxId, partyId: owner!.partyId }
  // Some hundreds at a time, so that whoever searches meanwhile finds those.
  let came = await indexLetters(db, searched, 'beginning')
  while (came === 'more') came = await indexLetters(db, searched, 'beginning')
  const isRead = came === 'done' && (await readDocuments(db, searched, now))
  // Where another indexes it, this is gone on with when that is done.
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
async function readDocuments(db: Db, searched: Searched, now: Date): Promise<boolean> {
  const { waiting, isLast } = await claim(db, searched, now)
  const lines = Array.from({ length: documentsAtOnce }, async () => {
    for (let document = waiting.pop(); document !== undefined; document = waiting.pop())
      await readDocument(db, searched, document, now)
  })
  await Promise.all(lines)
  return isLast
}

/** A try is counted before it is made: a file that ends the program is not read for ever. */
async function claim(db: Db, searched: Searched, now: Date): Promise<{ waiting: Waiting[]; isLast: boolean }> {
  const { mailboxId, partyId } = searched
  const claimed = await within(
    db,
    searchScope(searched),
    (sql) => sql<Waiting[]>`
      with next as (
        select file_id, message_id from document_text
        where ${own(sql, sql`mailbox_id = ${mailboxId}`)} and state = 'waiting' and (leased_until is null or leased_until <= ${now})
        order by message_id desc limit ${documentsInTurn} for update skip locked
      )
      update document_text set tries = tries + 1, leased_until = ${new Date(now.getTime() + leaseMs)},
        state = case when tries >= ${triesMax} then 'failed' else state end, reason = case when tries >= ${triesMax} then 'gave-up' end
      from next cross join lateral (
        select message.mailbox_id, message.documents from message where message.mailbox_id = ${mailboxId} and message.id = next.message_id
        union all
        select message.mailbox_id, message.documents
        from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
        where ${own(sql, sql`ledger.sender_id = ${partyId}`)} and ledger.message_id = next.message_id and ledger.mailbox_id <> ${mailboxId}
      ) as letter
      where document_text.mailbox_id = ${mailboxId} and document_text.file_id = next.file_id
      returning document_text.file_id, document_text.message_id, letter.mailbox_id, case when document_text.state = 'waiting' then (
        select file from jsonb_array_elements(letter.documents) as document, jsonb_array_elements(document->'files') as file
        where file->>'id' = document_text.file_id::text
      ) end as file`,
  )
  const waiting = claimed.filter(({ file }) => file !== null).reverse()
  return { waiting, isLast: claimed.length < documentsInTurn }
}

async function readDocument(
  db: Db,
  searched: Searched,
  { fileId, messageId, mailboxId: keptIn, file }: Waiting,
  now: Date,
): Promise<void> {
  const { mailboxId } = searched
  const { mediaType, size } = file!
  const bytes = await readFile(db, searchScope(searched), keptIn, { id: fileId, size })
  const extracted: Extracted = bytes === undefined ? { failure: 'gave-up' } : await extractText(mediaType, bytes, size)
  const words = new Set<string>()
  if ('text' in extracted) addWords(words, extracted.text)
  const [text, reason] =
    'text' in extracted ? [extracted.text.replaceAll('\0', ' ').slice(0, keptLength), null] : [null, extracted.failure]
  await within(db, searchScope(searched), async (sql) => {
    const read = await sql`
      update document_text set state = ${reason === null ? 'read' : 'failed'}, reason = ${reason}, text = ${text}, read_at = ${now}
      where mailbox_id = ${mailboxId} and file_id = ${fileId} and state = 'waiting'`
    const [letter] = await sql<{ number: number }[]>`
      select number from search_letter where mailbox_id = ${mailboxId} and message_id = ${messageId}`
    if (read.count === 0 || letter === undefined || words.size === 0) return
    await addPostings(sql, mailboxId, new Map([...words].map((word) => [word, [letter.number]])))
  })
}

/**
 * How far the index of a mailbox is. `hasGone`: letters are in it that were erased or taken back. `hasSent`, `hasDrafts`: whether there is
 * anything of that kind, for whoever may see it.
 */
export type IndexState = {
  lastNumber: number
  lettersLeft: number
  hasGone: boolean
  hasNotes: boolean
  hasSent: boolean
  hasDrafts: boolean
  documentsLeft: number
}

/** More letters than this are not counted. */
const lettersCountedMax = 500

export async function readIndexState(db: Db, searched: Searched): Promise<IndexState> {
  const { mailboxId, partyId } = searched
  const [state] = await readWithin<IndexState>(
    db,
    searchScope(searched),
    db`
    select state.last_number, (
      select count(*)::int from (
        -- In these orders only the end of the mailbox is read, and of what was sent.
        (select ${newReceived(db, searched, db`state.recheck_from`)} limit ${lettersCountedMax + 1})
        union all (select ${newSent(db, searched, db`state.recheck_from`)} limit ${lettersCountedMax + 1})
      ) as one
      -- One that was made in another way holds letters that are to be read again.
    ) + state.is_old::int as letters_left, exists (
      select from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
      where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and message.erased_at is not null
      union all
      select from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
      where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and message.recalled_at is not null
    ) as has_gone, exists (
      select from message where ${own(db, db`message.mailbox_id = ${mailboxId}`)} and note is not null
    ) as has_notes,
    exists (select from ledger where ${own(db, db`ledger.sender_id = ${partyId}`)}) as has_sent,
    exists (select from draft where ${own(db, db`draft.mailbox_id = ${mailboxId}`)}) as has_drafts, (
      select count(*)::int from document_text where mailbox_id = ${mailboxId} and document_text.state = 'waiting'
    ) as documents_left
    from (
      select coalesce(last_number, 0) as last_number, coalesce(recheck_from, ${firstId}::uuid) as recheck_from,
        coalesce(version < ${wordsVersion}, false) as is_old
      from (select) as one left join search_state on mailbox_id = ${mailboxId}
      offset 0
    ) as state`,
  )
  return state!
}
