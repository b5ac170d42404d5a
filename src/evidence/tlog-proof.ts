import { type Checkpoint, parseCheckpoint, parseDecimal } from './checkpoint.ts'
import { decodeBase64, formatNote, type Note, noteBytesMax, parseNote, readText } from './note.ts'
import { hashLength, proofLengthMax } from './tree.ts'

/**
 * A proof that something is in a log, checked without asking anybody (c2sp.org/tlog-proof@v1, kept as `.tlog-proof`). `extra` is
 * not authenticated by the format. `path` leads from the leaf's sibling up; `note` is the signed checkpoint.
 */
export type TlogProof = { extra?: Buffer | undefined; index: number; path: Buffer[]; note: Note }

/** Our receipts need a few thousand bytes. */
export const extraBytesMax = 1_000_000

const firstLine = 'c2sp.org/tlog-proof@v1'
const base64Length = (bytes: number) => Math.ceil(bytes / 3) * 4
const headBytesMax = 100 + base64Length(extraBytesMax) + proofLengthMax * (base64Length(hashLength) + 1)

/** A file that is larger is not read. */
export const tlogProofBytesMax = headBytesMax + noteBytesMax

/** The whole file. An empty `extra` is none. Throws where it could not be read again. */
export function formatTlogProof({ extra, index, path, note }: TlogProof): string {
  const extraLine = extra && extra.length > 0 ? [`extra ${extra.toString('base64')}`] : []
  const head = [firstLine, ...extraLine, `index ${index}`, ...path.map((hash) => hash.toString('base64'))]
  const text = `${head.join('\n')}\n\n${formatNote(note)}`
  if (!parseTlogProof(text))
    throw new Error('A proof has an index, hashes of 32 bytes and a signed checkpoint, within the limits.')
  return text
}

/**
 * Undefined for whatever `formatTlogProof` does not write, so that a proof has one spelling: canonical base64, no line or byte
 * too many. Nothing is verified but the form; whether index, path and tree fit is for `verifyInclusion`.
 */
export function parseTlogProof(input: string | Uint8Array): (TlogProof & { checkpoint: Checkpoint }) | undefined {
  const text = readText(input, tlogProofBytesMax)
  const end = text?.indexOf('\n\n') ?? -1
  if (text === undefined || end < 0 || end > headBytesMax) return undefined
  const lines = text.slice(0, end).split('\n', proofLengthMax + 4)
  if (lines.shift() !== firstLine) return undefined
  const extra = lines[0]?.startsWith('extra ') ? decodeBase64(lines.shift()!.slice('extra '.length)) : 'none'
  if (!extra || extra.length === 0 || extra.length > extraBytesMax) return undefined
  const indexLine = lines.shift()
  const index = indexLine?.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined
  const path = parseHashes(lines)
  const note = parseNote(text.slice(end + 2))
  const checkpoint = note && parseCheckpoint(note.text)
  if (index === undefined || !path || !note || !checkpoint) return undefined
  return { ...(extra === 'none' ? {} : { extra }), index, path, note, checkpoint }
}

/** One hash of 32 bytes on each line, at most 63, or undefined. */
export function parseHashes(lines: readonly string[]): Buffer[] | undefined {
  if (lines.length > proofLengthMax) return undefined
  const hashes = lines.map(decodeBase64).filter((hash) => hash?.length === hashLength)
  return hashes.length === lines.length ? (hashes as Buffer[]) : undefined
}
