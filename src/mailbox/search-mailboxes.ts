import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { findSnippets, type Snippet } from './find-snippets.ts'
import { type FoundLetter, newestOf, type SearchInput, type SearchResult, searchMailbox } from './search.ts'
import type { Needle, Query } from './search-query.ts'

const mailboxesAtOnce = 4
const indexingMsMax = 1_500
export const resultsPerPage = 20

export type FoundIn<Mailbox> = FoundLetter & { mailbox: Mailbox; snippet: Snippet | undefined }

export type Results<Mailbox> = Omit<SearchResult, 'letters' | 'needles'> & {
  letters: FoundIn<Mailbox>[]
  hasMore: boolean
  needles: Needle[]
}

/**
 * The same of several mailboxes, each as whoever acts in it may read it, on pages. Where somebody else than the owner is shown what
 * stands in letters or drafts, the owner sees that they searched.
 */
export async function searchMailboxes<Mailbox extends { actor: Actor }>(
  db: Db,
  mailboxes: readonly Mailbox[],
  { query, filters, page, language }: Pick<SearchInput, 'query' | 'filters' | 'language'> & { page: number },
  now: Date,
): Promise<Results<Mailbox>> {
  const wanted = page * resultsPerPage + 1
  const untilMs = performance.now() + indexingMsMax
  const searchIn = async (mailbox: Mailbox, query: Query, mends: boolean) => {
    return { mailbox, result: await searchMailbox(db, mailbox.actor, { query, filters, wanted, mends, untilMs, language }, now) }
  }
  const asTyped = await someAtOnce(mailboxes, (mailbox) => searchIn(mailbox, query, false))
  // A name that one mailbox has is not misspelt, whatever the others have that is like it.
  const isFound = query.terms.length === 0 || asTyped.some(({ result }) => result.count > 0)
  const results = isFound ? asTyped : await searchMended(mailboxes, query, (mailbox, asked) => searchIn(mailbox, asked, true))
  const seen = new Set<string>()
  const all = results.flatMap(({ mailbox, result }) => result.letters.map((letter) => ({ ...letter, mailbox })))
  // By two grants one may read the same mailbox; and a letter from one to another is in both.
  const keyOf = ({ mailboxId, id }: FoundLetter) => `${mailboxId} ${id}`
  const each = all.filter((letter) => !seen.has(keyOf(letter)) && seen.add(keyOf(letter)))
  const needles = results.flatMap(({ result }) => result.needles)
  const shown = newestOf(each, wanted).slice((page - 1) * resultsPerPage, page * resultsPerPage)
  const snippets = await snippetsOf(db, shown, needles, now)
  const sum = (of: (result: SearchResult) => number) => results.reduce((total, { result }) => total + of(result), 0)
  return {
    letters: shown.map((letter) => ({ ...letter, snippet: snippets.get(letter) })),
    hasMore: each.length >= wanted,
    count: sum(({ count }) => count) - (all.length - each.length),
    isCounted: results.every(({ result }) => result.isCounted),
    mended: mendedOf(results.map(({ result }) => result)),
    needles,
    lettersLeft: sum(({ lettersLeft }) => lettersLeft),
    documentsLeft: sum(({ documentsLeft }) => documentsLeft),
  }
}

/**
 * Some mailboxes after others. All words of a mailbox have to be looked through for what somebody may have meant: so where the first have words
 * in place of what was typed, the others are searched for these.
 */
async function searchMended<Mailbox, Found extends { result: SearchResult }>(
  mailboxes: readonly Mailbox[],
  query: Query,
  search: (mailbox: Mailbox, query: Query) => Promise<Found>,
): Promise<Found[]> {
  const found: Found[] = []
  let asked = query
  for (let at = 0; at < mailboxes.length; at += mailboxesAtOnce) {
    const some = mailboxes.slice(at, at + mailboxesAtOnce)
    const wanted = asked
    found.push(...(await someAtOnce(some, (mailbox) => search(mailbox, wanted))))
    if (asked === query) asked = withMended(query, mendedOf(found.map(({ result }) => result)))
  }
  return found
}

function withMended(query: Query, mended: SearchResult['mended']): Query {
  if (mended.length === 0) return query
  const wordsFor = new Map(mended.map(({ typed, found }) => [typed, found.map((word) => [word])]))
  const terms = query.terms.map((term) => {
    const alternatives = term.isQuoted ? undefined : wordsFor.get(term.typed)
    return alternatives === undefined ? term : { ...term, isQuoted: true, alternatives }
  })
  return { ...query, terms }
}

async function someAtOnce<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = []
  let next = 0
  const line = async () => {
    while (next < items.length) {
      const at = next
      next += 1
      done[at] = await work(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: mailboxesAtOnce }, line))
  return done
}

async function snippetsOf<Mailbox extends { actor: Actor }>(
  db: Db,
  letters: readonly (FoundLetter & { mailbox: Mailbox })[],
  needles: readonly Needle[],
  now: Date,
): Promise<Map<FoundLetter, Snippet | undefined>> {
  const byMailbox = Map.groupBy(letters, ({ mailbox }) => mailbox)
  const found = await someAtOnce([...byMailbox], async ([{ actor }, own]) => {
    const snippets = await findSnippets(db, actor, own, needles)
    if (actor.by.kind !== 'owner' && snippets.size > 0) {
      const look = { partyId: actor.partyId, by: actor.by, what: 'searched' } as const
      await within(db, scopeOf(actor), (sql) => noteLooks(sql, [look], now))
    }
    return own.map((letter) => [letter, snippets.get(letter.id)] as const)
  })
  return new Map(found.flat())
}

function mendedOf(results: readonly SearchResult[]): SearchResult['mended'] {
  const byTyped = Map.groupBy(
    results.flatMap(({ mended }) => mended),
    ({ typed }) => typed,
  )
  return [...byTyped].map(([typed, each]) => ({ typed, found: [...new Set(each.flatMap(({ found }) => found))] }))
}
