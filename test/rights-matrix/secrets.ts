import type { Caller } from './callers.ts'

/** One thing that only some may see, wherever it stands: in a page, a list, a header. */
type Secret = { what: string; seenBy: ReadonlySet<Caller> }

export type Secrets = {
  /** A word that stands in no other text, to be written into what is secret. */
  word: (what: string, seenBy: readonly Caller[]) => string
  /** Something that is secret as it is, such as an id. */
  keep: (value: string, what: string, seenBy: readonly Caller[]) => string
  /** What of an answer its caller may not see, but for what the caller has sent themselves. */
  leaksIn: (caller: Caller, answer: string, sent: string) => string[]
}

/** Words as `word` makes them, ids, and thumbprints of keys. */
const shapes = /zq\d{4}q|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\w-])[\w-]{43}(?![\w-])/gi

export function keepSecrets(): Secrets {
  const secrets = new Map<string, Secret>()
  const keep: Secrets['keep'] = (value, what, seenBy) => {
    secrets.set(value.toLowerCase(), { what, seenBy: new Set(seenBy) })
    return value
  }
  return {
    keep,
    word: (what, seenBy) => keep(`zq${String(secrets.size).padStart(4, '0')}q`, what, seenBy),
    leaksIn(caller, answer, sent) {
      const found = new Set(answer.match(shapes)?.map((one) => one.toLowerCase()))
      return [...found].flatMap((one) => {
        const secret = secrets.get(one)
        if (secret === undefined || secret.seenBy.has(caller) || sent.toLowerCase().includes(one)) return []
        return secret.what
      })
    },
  }
}
