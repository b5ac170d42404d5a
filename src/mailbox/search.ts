import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type IndexState, readIndexState, wantIndex } from './index-documents.ts'
import { indexLetters } from './index-letters.ts'
import { type LetterSummary, subjectIn } from './letter.ts'
import { matchWords } from './match-words.ts'
import type { Needle, Query, SearchFilters } from './search-query.ts'

export type FoundLetter = LetterSummary & {
  mailboxId: string
  isUnread: boolean
  folder: string /** In the index; null where no words were asked for. */
  number: number | null
}

/** `mended`: words that were found in place of some that were typed. */
export type SearchResult = {
  letters: FoundLetter[]
  /** How many there are, or at least. */
  count: number
  isCounted: boolean
  mended: { typed: string; found: string[] }[]
  needles: Needle[]
  /** What is not in the index yet. */
  lettersLeft: number
  documentsLeft: number
}

/** The newest letters that have the words are looked at first; where the filters leave too few, more of them. */
const stepsOfLetters = [100, 2_000]

/**
 * `wanted`: so many letters at most. `mends`: parts of words and misspelt words are looked for too. `untilMs`: until then, by
 * performance.now(), a search may bring the index on.
 */
export type SearchInput = {
  query: Query
  filters: SearchFilters
  wanted: number
  mends: boolean
  untilMs: number
  /** In which the letters found are called by. */
  language?: string | undefined
}

/** Of one mailbox: letters with all the words, the newest first. */
export async function searchMailbox(
  db: Db,
  actor: Actor,
  { query, filters, wanted, mends, untilMs, language }: SearchInput,
  now: Date,
): Promise<SearchResult> {
  requireRight(actor, 'inbox:read')
  const state = await bringIndexOn(db, actor.mailboxId, untilMs, now)
  const left = { lettersLeft: state.lettersLeft, documentsLeft: state.documentsLeft }
  if (query.terms.length === 0) {
    const { letters, count } = await findLetters(db, actor, filters, undefined, { wanted, language })
    return { letters, count, isCounted: true, mended: [], needles: [], ...left }
  }
  const matched = await matchWords(db, actor, { query, filters, mends }, state)
  const found = { letters: [] as FoundLetter[], count: 0 }
  let at = 0
  for (const step of [...stepsOfLetters, matched.numbers.length]) {
    if (at >= matched.numbers.length || found.letters.length >= wanted) break
    const numbers = matched.numbers.slice(at, at + step)
    at += step
    const more = await findLetters(db, actor, filters, numbers, { wanted, language })
    found.letters = newestOf([...found.letters, ...more.letters], wanted)
    found.count += more.count
  }
  // What is said of mended words must not tell of letters that the reader does not see.
  const isShown = (has: Uint8Array) => found.letters.some(({ number }) => has[number!] === 1)
  const mended = matched.mended
    .map(({ typed, words }) => ({ typed, found: words.filter(({ letters }) => isShown(letters)).map(({ word }) => word) }))
    .filter((one) => one.found.length > 0)
  return { ...found, isCounted: at >= matched.numbers.length, mended, needles: matched.needles, ...left }
}

export function newestOf<Found extends { id: string }>(letters: readonly Found[], wanted: number): Found[] {
  return [...letters].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, wanted)
}

/** What came since the last search is read at once, as far as there is time, and the rest by the job. */
async function bringIndexOn(db: Db, mailboxId: string, untilMs: number, now: Date): Promise<IndexState> {
  let state = await readIndexState(db, mailboxId)
  let isOthers = false
  while ((state.lettersLeft > 0 || state.hasGone) && !isOthers && performance.now() < untilMs) {
    isOthers = (await indexLetters(db, mailboxId, 'last')) === 'busy'
    state = await readIndexState(db, mailboxId)
  }
  if (state.lettersLeft > 0 || state.documentsLeft > 0) await wantIndex(db, mailboxId, now)
  return state
}

/** Those of the letters with these numbers, or of all, that the actor may see and the filters let through. */
async function findLetters(
  db: Db,
  actor: Actor,
  filters: SearchFilters,
  numbers: readonly number[] | undefined,
  { wanted, language }: Pick<SearchInput, 'wanted' | 'language'>,
): Promise<{ letters: FoundLetter[]; count: number }> {
  const limits = db`${inOwnMailbox(db, actor)} ${conditions(db, filters)}`
  const rows = await readWithin<FoundLetter & { total: number }>(
    db,
    { ...scopeOfReceived(actor), purpose: 'search' },
    db`
    select message.mailbox_id, message.id, message.sender_name as other_name, message.service_name, ${subjectIn(db, language)} as subject, message.available_at,
      message.opened_at, message.opened_at is null or message.marked_unread as is_unread, message.documents <> '[]' as has_documents, message.folder, ${numbers === undefined ? db`null::integer as` : db`search_letter.`}${db`number`}, count(*) over ()::int as total
    from ${
      numbers === undefined
        ? db`message where ${limits}`
        : db`search_letter join message on message.mailbox_id = search_letter.mailbox_id and message.id = search_letter.message_id
          where search_letter.mailbox_id = ${actor.mailboxId} and search_letter.number = any(${numbers as number[]}::integer[]) and ${limits}`
    }
    order by message.id desc limit ${wanted}`,
  )
  return { letters: rows.map(({ total: _, ...letter }) => letter), count: rows[0]?.total ?? 0 }
}

/** Of letters in the bin only those are found that are looked for there. */
function conditions(
  db: Db,
  { serviceId, from, until, hasDocument, isUnread, isFlagged, hasToDo, folder }: SearchFilters,
): Fragment {
  return db`
    and message.erased_at is null and message.recalled_at is null
    and ${folder === undefined ? db`message.folder <> 'bin'` : db`message.folder = ${folder}`}
    ${serviceId === undefined ? db`` : db`and message.service_id = ${serviceId}`}
    ${from === undefined ? db`` : db`and message.available_at >= ${from}`}
    ${until === undefined ? db`` : db`and message.available_at <= ${until}`}
    ${hasDocument ? db`and message.documents <> '[]'` : db``}
    ${isUnread ? db`and (message.opened_at is null or message.marked_unread)` : db``}
    ${isFlagged ? db`and message.flagged` : db``}
    ${
      hasToDo
        ? db`and exists (
            select from action
            where action.mailbox_id = message.mailbox_id and action.message_id = message.id and action.state in ('open', 'started', 'failed')
          )`
        : db``
    }`
}
