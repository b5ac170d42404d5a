import { fold, type Run, runsOf } from './search-words.ts'

export const queryLengthMax = 200
const termsMax = 12
/** Shorter, the beginning of a word is a word; and where another word follows, a short one is meant whole. */
const prefixLengthMin = 2
const shortLength = 2

/** One thing that a letter must have: any of these, each of words that it has all. */
export type Term = { typed: string /** Its words are whole. */; isQuoted: boolean; alternatives: readonly (readonly string[])[] }

export type Query = { terms: Term[] /** It was longer than is read. */; isCut: boolean }

/**
 * What somebody typed, as terms. Words between quotation marks are taken as they are; of all others the beginning is enough. There is
 * no other sign that means something, so nothing can be wrong.
 */
export function parseQuery(typed: string): Query {
  const text = typed.slice(0, queryLengthMax)
  const terms: Term[] = []
  const seen = new Set<string>()
  for (const [index, piece] of text.split(/["“”„«»]/).entries()) {
    const isQuoted = index % 2 === 1
    const runs = runsOf(piece)
    // A number in groups is one run, and its groups are others: it is looked for as one, or by all of them.
    const inGroups = new Set(runs.filter(isInGroups).flatMap(({ parts }) => parts))
    for (const run of runs) {
      if (run.parts.length === 1 && inGroups.has(run.parts[0]!)) continue
      const key = `${isQuoted} ${run.parts.join(' ')}`
      if (run.parts.length === 0 || seen.has(key)) continue
      seen.add(key)
      terms.push({ typed: run.parts.join(' '), isQuoted, alternatives: alternativesOf(run) })
    }
  }
  for (const term of terms.slice(0, -1)) if (term.typed.length <= shortLength) term.isQuoted = true
  return { terms: terms.slice(0, termsMax), isCut: typed.length > text.length || terms.length > termsMax }
}

function isInGroups({ parts, joined }: Run): boolean {
  return joined !== undefined && parts.length > 2 && parts.filter((part) => /^\d+$/.test(part)).length > 1
}

/** CT-1001 is CT1001, or CT and 1001; CT1001 too. */
function alternativesOf({ parts, joined }: Run): string[][] {
  const whole = joined ?? parts[0]!
  const split = whole.match(/\d+|\D+/g) ?? []
  const alternatives = joined === undefined ? [parts] : [[joined], parts]
  return split.length > 1 && split.length < 4 && parts.length === 1 ? [...alternatives, [...split]] : alternatives
}

/** Where letters are found: in the mailbox, among what was sent from it, and in what is being written there. */
export const places = ['received', 'sent', 'drafts'] as const
export type Place = (typeof places)[number]

/** What a letter must be beside having the words. */
export type SearchFilters = {
  /** In one of them; undefined is everywhere. */
  place?: Place | undefined
  /** Of what was sent, the one that was written to. */
  serviceId?: string | undefined
  /** By when it came, was sent, or was changed last; both within. */
  from?: Date | undefined
  until?: Date | undefined
  hasDocument?: boolean | undefined
  isUnread?: boolean | undefined
  isFlagged?: boolean | undefined
  /** Something that it asks for is not done yet. */
  hasToDo?: boolean | undefined
  folder?: string | undefined
}

/** Whether something is asked that only of what was received can be so. */
export function asksForReceived({ isUnread, isFlagged, hasToDo, folder }: SearchFilters): boolean {
  return isUnread === true || isFlagged === true || hasToDo === true || folder !== undefined
}

/** Where there can be anything of that kind at all. */
export function placesFor(filters: SearchFilters): Place[] {
  const some = places.filter((place) => filters.place === undefined || filters.place === place)
  return asksForReceived(filters) ? some.filter((place) => place === 'received') : some
}

/** From the first word to before the last, in the order of bytes: words that begin so, or that one alone. */
export type Range = { low: string; high: string }

export function rangeOf(word: string, isWhole: boolean): Range {
  return { low: word, high: isWhole || word.length < prefixLengthMin ? `${word}\u0001` : `${word}\u{10fffd}` }
}

/** One bill, where somebody asks for bills. */
export function singularOf(word: string): string | undefined {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return word.length > 3 && /[^s]s$/.test(word) ? word.slice(0, -1) : undefined
}

/** How many letters may be wrong in a word of this length. */
export function slipsIn(word: string): number {
  if (/\d/.test(word) || word.length < 4) return 0
  return word.length < 6 ? 1 : 2
}

/**
 * How many letters are wrong, missing, too many or in the wrong order of two; more than `most` is not counted further.
 */
export function slipsBetween(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1]
      let slips = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        slips = Math.min(slips, before[j - 2]! + 1)
      row.push(slips)
      least = Math.min(least, slips)
    }
    if (least > most) return most + 1
    before = last
    last = row
  }
  return last[other.length]!
}

const mendedMax = 5

/** Which of the letters a to z, digits and others a word has, a bit for each kind. */
function kindsIn(word: string): number {
  let kinds = 0
  for (let at = 0; at < word.length; at += 1) {
    const code = word.charCodeAt(at)
    kinds |= 1 << (code >= 97 && code <= 122 ? code - 97 : code >= 48 && code <= 57 ? 26 : 27)
  }
  return kinds
}

function countBits(bits: number): number {
  let [left, count] = [bits, 0]
  for (; left !== 0; left &= left - 1) count += 1
  return count
}

/** Of the words of a mailbox those that somebody may have meant: with the fewest slips. */
export function mend(word: string, known: readonly string[]): string[] {
  const most = slipsIn(word)
  const kinds = kindsIn(word)
  let [best, found] = [most, [] as string[]]
  for (const candidate of known) {
    // A wrong letter takes one kind away and brings another: most words are too far off by that alone.
    if (countBits(kinds ^ kindsIn(candidate)) > 2 * best) continue
    const slips = slipsBetween(word, candidate, best)
    if (slips < best) [best, found] = [slips, []]
    if (slips === best && slips > 0) found.push(candidate)
  }
  return found.slice(0, mendedMax)
}

/** Whether a word of a text, as it stands there, is one that was looked for. */
export type Needle = { text: string; how: 'whole' | 'beginning' | 'part' }

export function isFound(word: string, needles: readonly Needle[]): boolean {
  return isFoundFolded(fold(word), needles)
}

/** The same of a word that is folded. */
export function isFoundFolded(folded: string, needles: readonly Needle[]): boolean {
  return needles.some(({ text, how }) => {
    if (how === 'whole') return folded === text
    return how === 'beginning' ? folded.startsWith(text) : folded.includes(text)
  })
}
