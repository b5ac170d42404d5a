import type { Actor } from '../access/actor.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf, scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type DraftToSearch, findDrafts, textOfDraft } from './find-drafts.ts'
import { type IndexState, readIndexState, wantIndex } from './index-documents.ts'
import { indexLetters } from './index-letters.ts'
import { type LetterSummary, subjectIn } from './letter.ts'
import { matchWords } from './match-words.ts'
import { type Needle, type Place, placesFor, type Query, type SearchFilters } from './search-query.ts'

/** `draft`: of one that is not sent yet; its subject may be empty, and the time is that of the last change. */
export type FoundLetter = LetterSummary & {
  /** Of the mailbox that was searched. */
  mailboxId: string
  place: Place
  isUnread: boolean
  folder: string
  draft?: Pick<DraftToSearch, 'kind' | 'body' | 'answers'>
  /** In the index; null where no words were asked for. */
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

/** Of one mailbox: what has all the words of what came there, was sent from there or is being written, the newest first. */
export async function searchMailbox(
  db: Db,
  actor: Actor,
  { query, filters, wanted, mends, untilMs, language }: SearchInput,
  now: Date,
): Promise<SearchResult> {
  requireRight(actor, 'inbox:read')
  const state = await bringIndexOn(db, actor, untilMs, now)
  const left = { lettersLeft: state.lettersLeft, documentsLeft: state.documentsLeft }
  const drafts = state.hasDrafts && placesFor(filters).includes('drafts') ? await findDrafts(db, actor, filters) : []
  const asked = { wanted, language, hasSent: state.hasSent }
  if (query.terms.length === 0) {
    const found = await findLetters(db, actor, filters, undefined, asked)
    const all = [...found.letters, ...drafts.map((draft) => asFound(actor, draft, null))]
    const count = found.count + drafts.length
    return { letters: newestOf(all, wanted), count, isCounted: true, mended: [], needles: [], ...left }
  }
  const matched = await matchWords(db, actor, { query, filters, drafts: drafts.map(textOfDraft), mends }, state)
  const isDraft = (number: number) => number > state.lastNumber
  const foundDrafts = matched.numbers
    .filter(isDraft)
    .map((number) => asFound(actor, drafts[number - state.lastNumber - 1]!, number))
  const inIndex = matched.numbers.slice(foundDrafts.length)
  const found = { letters: [] as FoundLetter[], count: foundDrafts.length }
  let at = 0
  for (const step of [...stepsOfLetters, inIndex.length]) {
    if (at >= inIndex.length || found.letters.length >= wanted) break
    const numbers = inIndex.slice(at, at + step)
    at += step
    const more = await findLetters(db, actor, filters, numbers, asked)
    found.letters = newestOf([...found.letters, ...more.letters], wanted)
    found.count += more.count
  }
  found.letters = newestOf([...found.letters, ...foundDrafts], wanted)
  // What is said of mended words must not tell of letters that the reader does not see.
  const isShown = (has: Uint8Array) => found.letters.some(({ number }) => has[number!] === 1)
  const mended = matched.mended
    .map(({ typed, words }) => ({ typed, found: words.filter(({ letters }) => isShown(letters)).map(({ word }) => word) }))
    .filter((one) => one.found.length > 0)
  return { ...found, isCounted: at >= inIndex.length, mended, needles: matched.needles, ...left }
}

function asFound(
  { mailboxId }: Actor,
  { id, kind, toName, serviceName, subject, body, answers, filenames, updatedAt }: DraftToSearch,
  number: number | null,
): FoundLetter {
  return {
    mailboxId,
    place: 'drafts',
    id,
    otherName: toName,
    serviceName,
    subject,
    availableAt: updatedAt,
    openedAt: null,
    hasDocuments: filenames.length > 0,
    isUnread: false,
    folder: 'drafts',
    draft: { kind, body, answers },
    number,
  }
}

/** Letters by their ids, which begin with the time (version 7); drafts by when they were changed last. */
export function newestOf<Found extends Pick<FoundLetter, 'id' | 'place' | 'availableAt'>>(
  letters: readonly Found[],
  wanted: number,
): Found[] {
  const timeOf = ({ id, place, availableAt }: Found) =>
    place === 'drafts' ? availableAt.getTime() : Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return [...letters].sort((one, other) => timeOf(other) - timeOf(one) || (one.id < other.id ? 1 : -1)).slice(0, wanted)
}

/** What came since the last search is read at once, as far as there is time, and the rest by the job. */
async function bringIndexOn(db: Db, actor: Actor, untilMs: number, now: Date): Promise<IndexState> {
  let state = await readIndexState(db, actor)
  let isOthers = false
  while ((state.lettersLeft > 0 || state.hasGone) && !isOthers && performance.now() < untilMs) {
    isOthers = (await indexLetters(db, actor, 'last')) === 'busy'
    state = await readIndexState(db, actor)
  }
  if (state.lettersLeft > 0 || state.documentsLeft > 0) await wantIndex(db, actor.mailboxId, now)
  return state
}

type Asked = Pick<SearchInput, 'wanted' | 'language'> & { hasSent: boolean }

/** Those of the letters with these numbers, or of all, that the actor may see and the filters let through. */
async function findLetters(
  db: Db,
  actor: Actor,
  filters: SearchFilters,
  numbers: readonly number[] | undefined,
  { hasSent, ...asked }: Asked,
): Promise<{ letters: FoundLetter[]; count: number }> {
  const places = placesFor(filters)
  const rows = await Promise.all([
    places.includes('received') ? findReceived(db, actor, filters, numbers, asked) : [],
    hasSent && places.includes('sent') ? findSent(db, actor, filters, numbers, asked) : [],
  ])
  return {
    letters: newestOf(rows.flat(), asked.wanted).map(({ total: _, ...letter }) => letter),
    count: rows.reduce((sum, [first]) => sum + (first?.total ?? 0), 0),
  }
}

type Row = FoundLetter & { total: number }

async function findReceived(
  db: Db,
  actor: Actor,
  filters: SearchFilters,
  numbers: readonly number[] | undefined,
  { wanted, language }: Omit<Asked, 'hasSent'>,
): Promise<Row[]> {
  const limits = db`${inOwnMailbox(db, actor)} and message.erased_at is null ${conditions(db, filters)} ${conditionsOfReceived(db, filters)}`
  return readWithin<Row>(
    db,
    { ...scopeOfReceived(actor), purpose: 'search' },
    db`
    select 'received' as place, message.mailbox_id, message.id, message.sender_name as other_name, message.service_name, ${subjectIn(db, language)} as subject, message.available_at,
      message.opened_at, message.opened_at is null or message.marked_unread as is_unread, message.documents <> '[]' as has_documents, message.folder, ${numberIn(db, numbers)}, count(*) over ()::int as total
    from ${
      numbers === undefined
        ? db`message where ${limits}`
        : db`search_letter join message on message.mailbox_id = search_letter.mailbox_id and message.id = search_letter.message_id
          where ${numbered(db, actor, numbers)} and ${limits}`
    }
    order by message.id desc limit ${wanted}`,
  )
}

/** By the ledger: what the letters say lies with whom they went to. One to the mailbox itself is received. */
async function findSent(
  db: Db,
  actor: Actor,
  filters: SearchFilters,
  numbers: readonly number[] | undefined,
  { wanted, language }: Omit<Asked, 'hasSent'>,
): Promise<Row[]> {
  const message = db`join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id`
  const limits = db`${inOwnLedger(db, actor)} and ledger.mailbox_id <> ${actor.mailboxId} ${conditions(db, filters)}`
  return readWithin<Row>(
    db,
    { ...scopeOf(actor), purpose: 'search' },
    db`
    select 'sent' as place, ${actor.mailboxId}::uuid as mailbox_id, message.id, ledger.recipient_name as other_name, message.service_name, ${subjectIn(db, language)} as subject,
      message.available_at, message.opened_at, false as is_unread, message.documents <> '[]' as has_documents, 'sent' as folder, ${numberIn(db, numbers)}, count(*) over ()::int as total
    from ${
      numbers === undefined
        ? db`ledger ${message} where ${limits}`
        : db`search_letter join ledger on ledger.message_id = search_letter.message_id ${message}
          where ${numbered(db, actor, numbers)} and ${limits}`
    }
    order by message.id desc limit ${wanted}`,
  )
}

function numberIn(db: Db, numbers: readonly number[] | undefined): Fragment {
  return numbers === undefined ? db`null::integer as number` : db`search_letter.number`
}

function numbered(db: Db, { mailboxId }: Actor, numbers: readonly number[]): Fragment {
  return db`search_letter.mailbox_id = ${mailboxId} and search_letter.number = any(${numbers as number[]}::integer[])`
}

function conditions(db: Db, { serviceId, from, until, hasDocument }: SearchFilters): Fragment {
  return db`
    and message.recalled_at is null
    ${serviceId === undefined ? db`` : db`and message.service_id = ${serviceId}`}
    ${from === undefined ? db`` : db`and message.available_at >= ${from}`}
    ${until === undefined ? db`` : db`and message.available_at <= ${until}`}
    ${hasDocument ? db`and message.documents <> '[]'` : db``}`
}

/** Of letters in the bin only those are found that are looked for there. */
function conditionsOfReceived(db: Db, { isUnread, isFlagged, hasToDo, folder }: SearchFilters): Fragment {
  return db`
    and ${folder === undefined ? db`message.folder <> 'bin'` : db`message.folder = ${folder}`}
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
