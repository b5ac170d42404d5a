import { decodeBase64, noteBytesMax, readText } from './note.ts'
import { hashLength } from './tree.ts'

/**
 * What a log signs (c2sp.org/tlog-checkpoint): that its tree has this root at this size. `origin` names the log, `root` is 32
 * bytes, and `extensions` are lines that say nothing to anybody else: best none.
 */
export type Checkpoint = { origin: string; size: number; root: Buffer; extensions: string[] }

/** ASCII decimal without leading zeros, up to the largest safe integer, or undefined. */
export function parseDecimal(text: string): number | undefined {
  const number = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}

/** The text of the note, which is what is signed. Throws where a line is empty or has a control character. */
export function formatCheckpoint(checkpoint: Omit<Checkpoint, 'extensions'> & { extensions?: string[] }): string {
  const { origin, size, root, extensions = [] } = checkpoint
  const text = `${[origin, size, root.toString('base64'), ...extensions].join('\n')}\n`
  const parsed = parseCheckpoint(text)
  // A newline inside a line would make another checkpoint of it.
  if (!parsed || parsed.origin !== origin || parsed.extensions.length !== extensions.length) {
    throw new Error('A checkpoint has an origin, a size, a root of 32 bytes, and no empty line.')
  }
  return text
}

/** From the text of a note. Undefined for whatever `formatCheckpoint` does not write. */
export function parseCheckpoint(input: string): Checkpoint | undefined {
  const text = readText(input, noteBytesMax)
  if (!text?.endsWith('\n')) return undefined
  const [origin, decimal, base64, ...extensions] = text.slice(0, -1).split('\n')
  if (!origin || decimal === undefined || base64 === undefined || extensions.includes('')) return undefined
  const [size, root] = [parseDecimal(decimal), decodeBase64(base64)]
  if (size === undefined || root?.length !== hashLength) return undefined
  return { origin, size, root, extensions }
}
