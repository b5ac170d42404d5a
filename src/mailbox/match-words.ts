import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { IndexState } from './index-documents.ts'
import { searchScope } from './index-letters.ts'
import { readPostings } from './search-postings.ts'
import {
  isFound,
  mend,
  type Needle,
  type Query,
  type Range,
  rangeOf,
  type SearchFilters,
  singularOf,
  slipsIn,
  type Term,
} from './search-query.ts'
import { addWords, facets } from './search-words.ts'

/** Words with one beginning that are looked at; of more, the first of the alphabet. */
const wordsInRangeMax = 1_000
/** A part of a word shorter than that would be in too many. */
const partLengthMin = 3

type Found = { word: string; letters: Uint8Array }
type Mended = { typed: string; words: { word: string; letters: Uint8Array }[] }
/** `numbers`: the newest first. `mended`: what was found in place of what was typed, each word with a 1 for every letter that has it. */
export type Matched = { numbers: number[]; needles: Needle[]; mended: Mended[] }

/**
 * Which letters of a mailbox have the words, by their numbers. Who may see them is asked when they are read. With `mends`, others
 * are looked for in place of words with which none begins.
 */
export async function matchWords(
  db: Db,
  actor: Actor,
  { query, filters, mends }: { query: Query; filters: SearchFilters; mends: boolean },
  { lastNumber, hasNotes }: IndexState,
): Promise<Matched> {
  const { mailboxId } = actor
  const words = query.terms.flatMap(({ isQuoted, alternatives }) => alternatives.flat().map((word) => keyOf(word, isQuoted)))
  const keys = [...new Set(words)]
  const facetRanges = rangesOfFilters(filters)
  const ranges = [...keys.map(rangesOf), ...facetRanges.map((range) => [range])]
  const [found, notes] = await Promise.all([findWords(db, mailboxId, ranges), hasNotes ? findNotes(db, actor) : []])
  const match = new Match(lastNumber)
  for (const [index, key] of keys.entries()) match.ask(key, found[index]!, notes)
  const isLost = ({ alternatives, isQuoted }: Term) =>
    !isQuoted && alternatives.every((all) => all.some((word) => match.isUnknown(keyOf(word, isQuoted))))
  const mended: Mended[] = []
  const lost = mends ? query.terms.filter(isLost) : []
  for (const { typed, alternatives } of lost) {
    const word = alternatives[0]![0]!
    const { isPart, instead } = await findInstead(db, mailboxId, word)
    const knowing = await findWords(
      db,
      mailboxId,
      instead.map((known) => [rangeOf(known, true)]),
    )
    match.add(keyOf(word, false), knowing.flat())
    match.needles.push(
      ...(isPart ? [{ text: word, how: 'part' } as const] : instead.map((text) => ({ text, how: 'whole' }) as const)),
    )
    if (!isPart) mended.push({ typed, words: knowing.flat().map((one) => ({ word: one.word, letters: match.lettersOf([one]) })) })
  }
  const terms = query.terms.map(({ isQuoted, alternatives }) => match.anyOf(alternatives, isQuoted))
  const facetSets = facetRanges.map((_, index) => match.lettersOf(found[keys.length + index]!))
  return { numbers: match.numbersIn([...terms, ...facetSets]), needles: match.needles, mended }
}

/** A word that must stand there whole has another key than one of which the beginning is enough. */
function keyOf(word: string, isWhole: boolean): string {
  return isWhole ? `=${word}` : word
}
function wordOf(key: string): { word: string; isWhole: boolean } {
  return key.startsWith('=') ? { word: key.slice(1), isWhole: true } : { word: key, isWhole: false }
}

function rangesOf(key: string): Range[] {
  const { word, isWhole } = wordOf(key)
  const one = isWhole ? undefined : singularOf(word)
  return [rangeOf(word, isWhole), ...(one === undefined ? [] : [rangeOf(one, true)])]
}

/** What of the filters stands in the index: it need not be asked of each letter then. */
function rangesOfFilters({ serviceId, hasDocument, from, until }: SearchFilters): Range[] {
  const words = [...(serviceId === undefined ? [] : [facets.service(serviceId)]), ...(hasDocument ? [facets.hasDocument] : [])]
  const months =
    from === undefined && until === undefined
      ? []
      : [{ low: facets.month(from ?? new Date(0)), high: `${facets.month(until ?? lastDay)}\u0001` }]
  return [...words.map((word) => rangeOf(word, true)), ...months]
}
const lastDay = new Date('9999-12-31T00:00:00Z')

/** For each list of ranges the words in them. */
async function findWords(db: Db, mailboxId: string, lists: readonly (readonly Range[])[]): Promise<Found[][]> {
  const ranges = lists.flatMap((list, index) => list.map((range) => ({ ...range, index })))
  const found: Found[][] = lists.map(() => [])
  if (ranges.length === 0) return found
  const rows = await readWithin<Found & { index: number }>(
    db,
    searchScope(mailboxId),
    db`
    select range.index, found.word, found.letters
    from unnest(
      ${ranges.map(({ index }) => index)}::integer[], ${ranges.map(({ low }) => low)}::text[], ${ranges.map(({ high }) => high)}::text[]
    ) as range (index, low, high)
    cross join lateral (
      select word, letters from search_word
      where mailbox_id = ${mailboxId} and word >= range.low collate "C" and word < range.high collate "C"
      limit ${wordsInRangeMax}
    ) as found`,
  )
  for (const { index, word, letters } of rows) found[index]!.push({ word, letters })
  return found
}

/** Notes are few, and changed as one likes: they are not in the index, and read with each search. */
async function findNotes(db: Db, actor: Actor): Promise<{ number: number; note: string }[]> {
  return readWithin<{ number: number; note: string }>(
    db,
    { ...scopeOfReceived(actor), purpose: 'search' },
    db`
    select search_letter.number, message.note
    from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
    where ${inOwnMailbox(db, actor)} and message.note is not null
    order by message.id desc limit 1000`,
  )
}

/** Words of the mailbox in which this one is a part, or else that somebody may have meant. */
async function findInstead(db: Db, mailboxId: string, word: string): Promise<{ isPart: boolean; instead: string[] }> {
  const slips = slipsIn(word)
  // Characters take as long to count as all else that is done with a word. A slip is one byte more or less, or up to four outside of a to z.
  const bytes = Buffer.byteLength(word)
  const bytesOff = slips * (bytes === word.length ? 1 : 4)
  const [row] = await readWithin<{ withIt: string | null; alike: string | null }>(
    db,
    searchScope(mailboxId),
    db`
    select string_agg(word, ' ') filter (where strpos(word, ${word}) > 0) as with_it,
      string_agg(word, ' ') filter (where octet_length(word) between ${bytes - bytesOff}::integer and ${bytes + bytesOff}::integer) as alike
    from search_word where mailbox_id = ${mailboxId} and word >= '0'`,
  )
  const parts = word.length < partLengthMin ? [] : (row?.withIt?.split(' ') ?? [])
  if (parts.length > 0) return { isPart: true, instead: parts.slice(0, wordsInRangeMax) }
  return { isPart: false, instead: slips === 0 ? [] : mend(word, row?.alike?.split(' ') ?? []) }
}

type Note = { number: number; note: string }

/** Which letters have which of the words that were asked for: a 1 for each that has it, by its number. */
class Match {
  readonly needles: Needle[] = []
  readonly #size: number
  readonly #lettersOf = new Map<string, Uint8Array>()

  constructor(lastNumber: number) {
    this.#size = lastNumber + 1
  }

  ask(key: string, found: readonly Found[], notes: readonly Note[]): void {
    const { word, isWhole } = wordOf(key)
    const one = isWhole ? undefined : singularOf(word)
    const needles: Needle[] = [{ text: word, how: isWhole || word.length < 2 ? 'whole' : 'beginning' }]
    if (one !== undefined) needles.push({ text: one, how: 'whole' })
    this.needles.push(...needles)
    const letters = this.add(key, found)
    for (const { number, note } of notes) {
      const words = new Set<string>()
      addWords(words, note)
      if (number < this.#size && [...words].some((noted) => isFound(noted, needles))) letters[number] = 1
    }
  }

  add(key: string, found: readonly Found[]): Uint8Array {
    const letters = this.lettersOf(found, this.#lettersOf.get(key))
    this.#lettersOf.set(key, letters)
    return letters
  }

  lettersOf(found: readonly Found[], letters: Uint8Array = new Uint8Array(this.#size)): Uint8Array {
    for (const one of found) {
      readPostings(one.letters, (number) => {
        letters[number] = 1
      })
    }
    return letters
  }

  isUnknown(key: string): boolean {
    return !this.#lettersOf.get(key)!.includes(1)
  }

  anyOf(alternatives: Term['alternatives'], isQuoted: boolean): Uint8Array {
    const all = alternatives.map((words) => words.map((word) => this.#lettersOf.get(keyOf(word, isQuoted))!))
    if (all.length === 1 && all[0]!.length === 1) return all[0]![0]!
    return new Uint8Array(this.#size).map((_, number) => (all.some((sets) => sets.every((set) => set[number] === 1)) ? 1 : 0))
  }

  /** Those that are in every set, the newest first. */
  numbersIn(sets: readonly Uint8Array[]): number[] {
    const numbers: number[] = []
    for (let number = this.#size - 1; number > 0; number -= 1) if (sets.every((set) => set[number] === 1)) numbers.push(number)
    return numbers
  }
}
