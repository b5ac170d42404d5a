import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { IndexState } from './index-documents.ts'
import { type Searched, searchScope } from './index-letters.ts'
import { readPostings } from './search-postings.ts'
import {
  isFoundFolded,
  mend,
  type Needle,
  placesFor,
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
/** What is not in the index: it is few, and changed as one likes. */
type Loose = { number: number; text: string }

/**
 * Which letters of a mailbox have the words, by their numbers. Who may see them is asked when they are read. `drafts` are texts that
 * are searched with them, and have the numbers after the last. With `mends`, others are looked for in place of words with which none begins.
 */
export async function matchWords(
  db: Db,
  actor: Actor,
  { query, filters, drafts, mends }: { query: Query; filters: SearchFilters; drafts: readonly string[]; mends: boolean },
  { lastNumber, hasNotes }: IndexState,
): Promise<Matched> {
  const words = query.terms.flatMap(({ isQuoted, alternatives }) => alternatives.flat().map((word) => keyOf(word, isQuoted)))
  const keys = [...new Set(words)]
  const facetRanges = rangesOfFilters(filters)
  const ranges = [...keys.map(rangesOf), ...facetRanges.map((range) => [range])]
  const [found, notes] = await Promise.all([findWords(db, actor, ranges), hasNotes ? findNotes(db, actor) : []])
  const match = new Match(lastNumber, notes, drafts)
  for (const [index, key] of keys.entries()) match.ask(key, found[index]!)
  const isLost = ({ alternatives, isQuoted }: Term) =>
    !isQuoted && alternatives.every((all) => all.some((word) => match.isUnknown(keyOf(word, isQuoted))))
  const mended: Mended[] = []
  const lost = mends ? query.terms.filter(isLost) : []
  for (const { typed, alternatives } of lost) {
    const word = alternatives[0]![0]!
    const { isPart, instead } = await findInstead(db, actor, word, match.looseWords)
    const knowing = await findWords(
      db,
      actor,
      instead.map((known) => [rangeOf(known, true)]),
    )
    const needles: Needle[] = isPart ? [{ text: word, how: 'part' }] : instead.map((text) => ({ text, how: 'whole' }))
    match.add(keyOf(word, false), knowing.flat(), needles)
    if (isPart) continue
    const lettersOf = (index: number) => match.lettersOf(knowing[index]!, [needles[index]!])
    mended.push({ typed, words: instead.map((known, index) => ({ word: known, letters: lettersOf(index) })) })
  }
  const terms = query.terms.map(({ isQuoted, alternatives }) => match.anyOf(alternatives, isQuoted))
  const facetSets = facetRanges.map((_, index) => match.lettersOfFacet(found[keys.length + index]!))
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
function rangesOfFilters(filters: SearchFilters): Range[] {
  const { serviceId, hasDocument, from, until } = filters
  const [place, another] = placesFor(filters).filter((one) => one !== 'drafts')
  const words = [
    ...(serviceId === undefined ? [] : [facets.service(serviceId)]),
    ...(hasDocument ? [facets.hasDocument] : []),
    ...(place === undefined || another !== undefined ? [] : [facets.place(place)]),
  ]
  const months =
    from === undefined && until === undefined
      ? []
      : [{ low: facets.month(from ?? new Date(0)), high: `${facets.month(until ?? lastDay)}\u0001` }]
  return [...words.map((word) => rangeOf(word, true)), ...months]
}
const lastDay = new Date('9999-12-31T00:00:00Z')

/** For each list of ranges the words in them. */
async function findWords(db: Db, searched: Searched, lists: readonly (readonly Range[])[]): Promise<Found[][]> {
  const ranges = lists.flatMap((list, index) => list.map((range) => ({ ...range, index })))
  const found: Found[][] = lists.map(() => [])
  if (ranges.length === 0) return found
  const rows = await readWithin<Found & { index: number }>(
    db,
    searchScope(searched),
    db`
    select range.index, found.word, found.letters
    from unnest(
      ${ranges.map(({ index }) => index)}::integer[], ${ranges.map(({ low }) => low)}::text[], ${ranges.map(({ high }) => high)}::text[]
    ) as range (index, low, high)
    cross join lateral (
      select word, letters from search_word
      where mailbox_id = ${searched.mailboxId} and word >= range.low collate "C" and word < range.high collate "C"
      limit ${wordsInRangeMax}
    ) as found`,
  )
  for (const { index, word, letters } of rows) found[index]!.push({ word, letters })
  return found
}

/** Notes are not in the index, and read with each search. */
async function findNotes(db: Db, actor: Actor): Promise<Loose[]> {
  return readWithin<Loose>(
    db,
    { ...scopeOfReceived(actor), purpose: 'search' },
    db`
    select search_letter.number, message.note as text
    from message join search_letter on search_letter.mailbox_id = message.mailbox_id and search_letter.message_id = message.id
    where ${inOwnMailbox(db, actor)} and message.note is not null
    order by message.id desc limit 1000`,
  )
}

/** Words of the mailbox, and of what is not in its index, in which this one is a part, or else that somebody may have meant. */
async function findInstead(
  db: Db,
  searched: Searched,
  word: string,
  loose: readonly string[],
): Promise<{ isPart: boolean; instead: string[] }> {
  const slips = slipsIn(word)
  // Characters take as long to count as all else that is done with a word. A slip is one byte more or less, or up to four outside of a to z.
  const bytes = Buffer.byteLength(word)
  const bytesOff = slips * (bytes === word.length ? 1 : 4)
  const [shortest, longest] = [word.length - slips, word.length + slips]
  const [row] = await readWithin<{ withIt: string | null; alike: string | null }>(
    db,
    searchScope(searched),
    db`
    select string_agg(word, ' ') filter (where strpos(word, ${word}) > 0) as with_it,
      string_agg(word, ' ') filter (where octet_length(word) between ${bytes - bytesOff}::integer and ${bytes + bytesOff}::integer) as alike
    from search_word where mailbox_id = ${searched.mailboxId} and word >= '0'`,
  )
  const also = (known: string | null | undefined, isMeant: (word: string) => boolean) => [
    ...new Set([...(known?.split(' ') ?? []), ...loose.filter(isMeant)]),
  ]
  const parts = word.length < partLengthMin ? [] : also(row?.withIt, (one) => one.includes(word))
  if (parts.length > 0) return { isPart: true, instead: parts.slice(0, wordsInRangeMax) }
  const alike = slips === 0 ? [] : also(row?.alike, (one) => one.length >= shortest && one.length <= longest)
  return { isPart: false, instead: mend(word, alike) }
}

/** Which letters have which of the words that were asked for: a 1 for each that has it, by its number. */
class Match {
  readonly needles: Needle[] = []
  readonly #lastIndexed: number
  readonly #size: number
  readonly #loose: { number: number; words: string[] }[]
  readonly #lettersOf = new Map<string, Uint8Array>()

  constructor(lastNumber: number, notes: readonly Loose[], drafts: readonly string[]) {
    this.#lastIndexed = lastNumber
    this.#size = lastNumber + drafts.length + 1
    const isKnown = ({ number }: Loose) => number <= lastNumber
    const numbered = drafts.map((text, index) => ({ number: lastNumber + index + 1, text }))
    this.#loose = [...notes.filter(isKnown), ...numbered].map(({ number, text }) => {
      const words = new Set<string>()
      addWords(words, text)
      return { number, words: [...words] }
    })
  }

  get looseWords(): string[] {
    return this.#loose.flatMap(({ words }) => words)
  }

  ask(key: string, found: readonly Found[]): void {
    const { word, isWhole } = wordOf(key)
    const one = isWhole ? undefined : singularOf(word)
    const needles: Needle[] = [{ text: word, how: isWhole || word.length < 2 ? 'whole' : 'beginning' }]
    if (one !== undefined) needles.push({ text: one, how: 'whole' })
    this.add(key, found, needles)
  }

  /** `found` in the index, `needles` in what is not. */
  add(key: string, found: readonly Found[], needles: readonly Needle[]): void {
    this.needles.push(...needles)
    this.#lettersOf.set(key, this.lettersOf(found, needles, this.#lettersOf.get(key)))
  }

  lettersOf(found: readonly Found[], needles: readonly Needle[], letters: Uint8Array = new Uint8Array(this.#size)): Uint8Array {
    for (const one of found) {
      readPostings(one.letters, (number) => {
        // What was put into the index since has the number of a draft here.
        if (number <= this.#lastIndexed) letters[number] = 1
      })
    }
    for (const { number, words } of this.#loose) if (words.some((word) => isFoundFolded(word, needles))) letters[number] = 1
    return letters
  }

  /** What letters are beside their words was asked of drafts when they were read. */
  lettersOfFacet(found: readonly Found[]): Uint8Array {
    return this.lettersOf(found, []).fill(1, this.#lastIndexed + 1)
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
