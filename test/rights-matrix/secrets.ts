import type { Caller } from './callers.ts'

/** One thing that only some may see, wherever it stands: in a page, a list, a header. */
type Secret = { what: string; seenBy: ReadonlySet<Caller>; rowOf: readonly Caller[]; isWord: boolean }

export type Secrets = {
  /**
   * A word that stands in no other text, to be written into what is secret. `rowOf` are those who have to do with its row in the
   * database, without being shown this of it.
   */
  word: (what: string, seenBy: readonly Caller[], rowOf?: readonly Caller[]) => string
  /** Something that is secret as it is, such as an id. */
  keep: (value: string, what: string, seenBy: readonly Caller[]) => string
  /** What an answer says of what is secret, but for what its caller has sent: what they may see, and what they may not. */
  readAnswer: (caller: Caller, answer: string, sent: string) => { shown: string[]; leaks: string[] }
  /** From now on whoever has to do with a row may see all of it: no more is the database asked to hold. */
  askRowsOnly: () => void
  /** Every word that somebody may see. */
  words: () => string[]
}

/** Words as `word` makes them, ids, and thumbprints of keys. */
const shapes = /zq\d{4}q|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\w-])[\w-]{43}(?![\w-])/gi

export function keepSecrets(): Secrets {
  const secrets = new Map<string, Secret>()
  let isRowsOnly = false
  const add = (value: string, what: string, seenBy: readonly Caller[], isWord: boolean, rowOf: readonly Caller[] = []) => {
    secrets.set(value.toLowerCase(), { what, seenBy: new Set(seenBy), isWord, rowOf })
    return value
  }
  return {
    keep: (value, what, seenBy) => add(value, what, seenBy, false),
    word: (what, seenBy, rowOf) => add(`zq${String(secrets.size).padStart(4, '0')}q`, what, seenBy, true, rowOf),
    askRowsOnly: () => {
      isRowsOnly = true
    },
    readAnswer(caller, answer, sent) {
      const found = new Set(answer.match(shapes)?.map((one) => one.toLowerCase()))
      const told = [...found].filter((one) => !sent.toLowerCase().includes(one)).flatMap((one) => secrets.get(one) ?? [])
      const [shown = [], leaks = []] = [true, false].map((may) =>
        told
          .filter(({ seenBy, rowOf }) => (seenBy.has(caller) || (isRowsOnly && rowOf.includes(caller))) === may)
          .map(({ what }) => what),
      )
      return { shown, leaks }
    },
    words: () => [...secrets.values()].filter(({ seenBy, isWord }) => isWord && seenBy.size > 0).map(({ what }) => what),
  }
}
