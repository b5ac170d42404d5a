import type { Actor } from '../access/actor.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { type Scope, within } from '../database/scope.ts'
import type { StoredDocument } from '../documents/document.ts'
import { hasText } from '../documents/extract-text.ts'
import type { LetterContact, LetterContent } from './letter.ts'
import { encodePostings, withoutNumbers } from './search-postings.ts'
import { addWords, facets, wordsVersion } from './search-words.ts'

const lettersAtOnce = 500
/** Letters that came together may be committed in another order than that of their ids: so far back is looked again. */
const recheckMs = 15 * 60_000
/** Before every other. */
export const firstId = '00000000-0000-0000-0000-000000000000'

/** A mailbox, and the party whose it is. */
export type Searched = Pick<Actor, 'mailboxId' | 'partyId'>

/** The index of one mailbox, and all that is in the mailbox and was sent from it. */
export function searchScope({ mailboxId, partyId }: Searched): Scope {
  return { purpose: 'search', mailbox: mailboxId, senders: [partyId] }
}

type Row = {
  id: string
  place: 'received' | 'sent'
  /** Who wrote it; of what was sent, to whom it went. */
  otherName: string
  serviceId: string
  serviceName: string
  writtenByName: string | null
  subject: string
  content: LetterContent[]
  documents: StoredDocument[]
  contact: LetterContact | null
  availableAt: Date
}

/**
 * Puts letters that came to a mailbox or were sent from it, and are not in its index yet, into it, the oldest first and some hundreds at most, and takes
 * those out that were erased or taken back. Answers whether there is more to do, or another does it: just now, or because a newer program has made
 * the index, whose words are of another kind. Looks `from` the beginning, or from where the last time ended.
 */
export async function indexLetters(db: Db, searched: Searched, from: 'beginning' | 'last'): Promise<'done' | 'more' | 'busy'> {
  const { mailboxId } = searched
  return within(db, searchScope(searched), async (sql) => {
    await sql`insert into search_state (mailbox_id, version) values (${mailboxId}, ${wordsVersion}) on conflict do nothing`
    const [state] = await sql<{ version: number; lastNumber: number; recheckFrom: string }[]>`
      select version, last_number, recheck_from from search_state where mailbox_id = ${mailboxId} for update skip locked`
    if (state === undefined || state.version > wordsVersion) return 'busy'
    if (state.version < wordsVersion) {
      await forgetIndex(sql, mailboxId)
      Object.assign(state, { lastNumber: 0, recheckFrom: firstId })
    }
    await takeOutGone(sql, mailboxId)
    const rows = await findNew(sql, searched, from === 'last' ? state.recheckFrom : firstId)
    const numbered = rows.map((row, index) => ({ row, number: state.lastNumber + index + 1 }))
    const lastId = rows.at(-1)?.id
    const checkedTo = lastId && placeBefore(lastId)
    if (rows.length > 0) await addLetters(sql, mailboxId, numbered)
    await sql`
      update search_state
      set version = ${wordsVersion}, last_number = ${state.lastNumber + rows.length},
        recheck_from = greatest(${state.recheckFrom}::uuid, ${checkedTo ?? firstId}::uuid)
      where mailbox_id = ${mailboxId}`
    return rows.length < lettersAtOnce ? 'done' : 'more'
  })
}

async function findNew(sql: Db, searched: Searched, from: string): Promise<Row[]> {
  const columns = sql`
    message.id, message.service_id, message.service_name, message.written_by_name, message.subject, message.content, message.documents, message.available_at`
  return sql<Row[]>`
    (
      select ${columns}, 'received' as place, message.sender_name as other_name, null::jsonb as contact
      ${newReceived(sql, searched, sql`${from}::uuid`)} limit ${lettersAtOnce}
    ) union all (
      select ${columns}, 'sent', ledger.recipient_name, message.contact ${newSent(sql, searched, sql`${from}::uuid`)} limit ${lettersAtOnce}
    )
    order by id limit ${lettersAtOnce}`
}

/**
 * Of a query: what came to a mailbox, from this id on, and is not in its index, in order. The scope sees what was sent from it as well: nothing but this
 * condition tells them apart.
 */
export function newReceived(db: Db, { mailboxId }: Searched, from: Fragment): Fragment {
  return db`
    from message
    where message.mailbox_id = ${mailboxId} and message.id >= ${from} and message.erased_at is null and message.recalled_at is null
      and not exists (
        select from search_letter where search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
      )
    order by message.id`
}

/** The same of what was sent from it. What went to the mailbox itself is received. */
export function newSent(db: Db, { mailboxId, partyId }: Searched, from: Fragment): Fragment {
  return db`
    from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ${own(db, db`ledger.sender_id = ${partyId}`)} and ledger.message_id >= ${from} and ledger.mailbox_id <> ${mailboxId}
      and message.recalled_at is null
      and not exists (
        select from search_letter where search_letter.mailbox_id = ${mailboxId} and search_letter.message_id = ledger.message_id
      )
    order by ledger.message_id`
}

/** The first id of some minutes before this one, as version 7 begins with the time. */
function placeBefore(id: string): string {
  const at = Math.max(0, Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) - recheckMs)
  const hex = at.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

async function addLetters(sql: Db, mailboxId: string, numbered: readonly { row: Row; number: number }[]): Promise<void> {
  await sql`
    insert into search_letter (mailbox_id, number, message_id)
    select ${mailboxId}, number, id
    from unnest(${numbered.map(({ number }) => number)}::integer[], ${numbered.map(({ row }) => row.id)}::uuid[]) as letter (number, id)`
  const numbersOf = new Map<string, number[]>()
  for (const { row, number } of numbered) {
    for (const word of wordsOf(row)) {
      const numbers = numbersOf.get(word)
      if (numbers === undefined) numbersOf.set(word, [number])
      else numbers.push(number)
    }
  }
  await addPostings(sql, mailboxId, numbersOf)
  const files = numbered.flatMap(({ row }) =>
    shownTo(row.documents).flatMap((document) =>
      document.files.filter(({ mediaType }) => hasText(mediaType)).map((file) => ({ fileId: file.id, messageId: row.id })),
    ),
  )
  if (files.length === 0) return
  await sql`
    insert into document_text (mailbox_id, file_id, message_id)
    select ${mailboxId}, file_id, message_id
    from unnest(${files.map(({ fileId }) => fileId)}::uuid[], ${files.map(({ messageId }) => messageId)}::uuid[]) as file (file_id, message_id)
    on conflict do nothing`
}

/** What is for machines is not shown to people, and not found by them. */
function shownTo(documents: readonly StoredDocument[]): StoredDocument[] {
  return documents.filter(({ role }) => role !== 'technical')
}

function wordsOf(row: Row): Set<string> {
  const words = new Set<string>()
  const answers = row.contact?.fields.map(({ value }) => value) ?? []
  const names = [row.otherName, row.serviceName, row.writtenByName ?? '', row.contact?.pointName ?? '']
  for (const text of [row.subject, ...names, ...answers]) addWords(words, text)
  for (const { subject, body } of row.content) {
    if (subject !== row.subject) addWords(words, subject)
    addWords(words, body)
  }
  for (const { title, files } of shownTo(row.documents)) {
    addWords(words, title)
    for (const { filename } of files) if (filename !== title) addWords(words, filename)
  }
  words.add(facets.place(row.place)).add(facets.service(row.serviceId)).add(facets.month(row.availableAt))
  if (shownTo(row.documents).length > 0) words.add(facets.hasDocument)
  return words
}

/** Puts the numbers of letters behind those that each word has. */
export async function addPostings(sql: Db, mailboxId: string, numbersOf: ReadonlyMap<string, readonly number[]>): Promise<void> {
  // In one order, so that two at once do not wait for each other's rows; and as text, as a list of bytea is not sent otherwise.
  const entries = [...numbersOf].sort(([one], [other]) => (one < other ? -1 : 1))
  const letters = entries.map(([, numbers]) => encodePostings(numbers).toString('base64'))
  await sql`
    insert into search_word as known (mailbox_id, word, letters)
    select ${mailboxId}, word, decode(letters, 'base64')
    from unnest(${entries.map(([word]) => word)}::text[], ${letters}::text[]) as found (word, letters)
    on conflict (mailbox_id, word) do update set letters = known.letters || excluded.letters`
}

/** Of letters that were erased or taken back nothing stays: not their words, and not what was read out of their documents. */
async function takeOutGone(sql: Db, mailboxId: string): Promise<void> {
  const found = await sql<{ number: number; messageId: string }[]>`
    select search_letter.number, search_letter.message_id
    from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
    where ${own(sql, sql`message.mailbox_id = ${mailboxId}`)} and message.erased_at is not null
    union
    select search_letter.number, search_letter.message_id
    from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
    where ${own(sql, sql`message.mailbox_id = ${mailboxId}`)} and message.recalled_at is not null`
  if (found.length === 0) return
  const [numbers, ids] = [found.map(({ number }) => number), found.map(({ messageId }) => messageId)]
  await sql`delete from document_text where mailbox_id = ${mailboxId} and message_id = any(${ids}::uuid[])`
  await sql`delete from search_letter where mailbox_id = ${mailboxId} and number = any(${numbers}::integer[])`
  const gone = new Set(numbers)
  const changed: { word: string; letters: string | null }[] = []
  // Which words a letter had is not kept, and what makes them may have changed since.
  const all = sql<{ word: string; letters: Buffer }[]>`select word, letters from search_word where mailbox_id = ${mailboxId}`
  for await (const rows of all.cursor(1_000)) {
    for (const { word, letters } of rows) {
      const left = withoutNumbers(letters, gone)
      if (left === undefined || left.length < letters.length) changed.push({ word, letters: left?.toString('base64') ?? null })
    }
  }
  const words = changed.map(({ word }) => word)
  await sql`
    delete from search_word using unnest(${changed.filter(({ letters }) => letters === null).map(({ word }) => word)}::text[]) as gone (word)
    where search_word.mailbox_id = ${mailboxId} and search_word.word = gone.word collate "C"`
  await sql`
    update search_word set letters = decode(less.letters, 'base64')
    from unnest(${words}::text[], ${changed.map(({ letters }) => letters)}::text[]) as less (word, letters)
    where search_word.mailbox_id = ${mailboxId} and search_word.word = less.word collate "C" and less.letters is not null`
}

async function forgetIndex(sql: Db, mailboxId: string): Promise<void> {
  await sql`delete from search_word where mailbox_id = ${mailboxId}`
  await sql`delete from search_letter where mailbox_id = ${mailboxId}`
  await sql`delete from document_text where mailbox_id = ${mailboxId}`
}
