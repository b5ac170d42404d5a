/** Raised with every change to what words are made of a text: indexes that were made by another version are made anew. */
export const wordsVersion = 2

const wordLengthMax = 64
const joinedLengthMax = 40

/** Letters that are one without their marks, and that Unicode does not take apart. */
const plainOf: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' }

/** As words are compared: small letters without accents. Each character stays in its place or goes. */
export function fold(text: string): string {
  const plain = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  return plain.replace(/[ßæœøłđðþı]/g, (letter) => plainOf[letter]!)
}

/** Parts that belong together without a space: CT-1001, O’Brien, rosa@example.com. */
const runs = /[\p{L}\p{N}]+(?:['’.,/&@_+-][\p{L}\p{N}]+)*/gu
/** Numbers that are written in groups: QQ 12 34 56 C, 0300 123 4567. */
const grouped = /(?<![\p{L}\p{N}])(?:[a-z]{1,3} )?\d{2,6}(?: \d{2,6}){1,6}(?: [a-z])?(?![\p{L}\p{N}])/gu
const between = /[^\p{L}\p{N}]+/u

/** A run of text as it can be looked for: whole, without what stands between its parts; or by each of its parts. */
export type Run = { parts: string[]; joined: string | undefined }

/** The runs of a text, in order, those that are written in groups first. */
export function runsOf(text: string): Run[] {
  const folded = fold(text)
  return [...folded.matchAll(grouped), ...folded.matchAll(runs)].map(([run]) => {
    const parts = run.split(between).filter((part) => part !== '')
    const joined = parts.join('')
    const isWorthJoining = parts.length > 1 && joined.length <= joinedLengthMax
    return { parts: parts.map((part) => part.slice(0, wordLengthMax)), joined: isWorthJoining ? joined : undefined }
  })
}

/** Adds every word of a text by which it shall be found. */
export function addWords(words: Set<string>, text: string): void {
  for (const { parts, joined } of runsOf(text)) {
    for (const part of parts) words.add(part)
    if (joined !== undefined) words.add(joined)
  }
}

/** What a letter is beside its words stands in the index too, as words that nobody can type: they begin with a space. */
export const facets = {
  place: (place: 'received' | 'sent') => ` place ${place}`,
  service: (serviceId: string) => ` service ${serviceId}`,
  hasDocument: ' document',
  /** When it came, by the month of UTC. */
  month: (at: Date) => ` month ${at.toISOString().slice(0, 7)}`,
}
