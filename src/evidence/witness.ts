import type { KeyObject } from 'node:crypto'
import { type Checkpoint, parseCheckpoint, parseDecimal } from './checkpoint.ts'
import { type Cosignature, cosign, verifyCosignatures } from './cosignature.ts'
import {
  formatNote,
  formatSignature,
  type Note,
  noteBytesMax,
  parseNote,
  readText,
  type VerifierKey,
  verifyNote,
} from './note.ts'
import { parseHashes } from './tlog-proof.ts'
import { emptyRoot, proofLengthMax, type Tree, verifyConsistency } from './tree.ts'

/**
 * The add-checkpoint call between a log and its witnesses (c2sp.org/tlog-witness), without HTTP and storage: what a witness
 * answers, and what the log sends and reads.
 */

/** What is sent: the size that the witness is thought to know, a consistency proof from it, and the signed checkpoint. */
export type AddCheckpoint = { oldSize: number; proof: Buffer[]; note: Note }

const headBytesMax = 100 + proofLengthMax * 45

/** A request that is larger is not read. */
export const addCheckpointBytesMax = headBytesMax + noteBytesMax

export const sizeContentType = 'text/x.tlog.size'
const textContentType = 'text/plain; charset=utf-8'

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${formatNote(note)}`
}

/** Undefined for whatever `formatAddCheckpoint` does not write, and for more than 63 hashes. Tells the witness which log it is. */
export function parseAddCheckpoint(body: string | Uint8Array): (AddCheckpoint & { checkpoint: Checkpoint }) | undefined {
  const text = readText(body, addCheckpointBytesMax)
  const end = text?.indexOf('\n\n') ?? -1
  if (text === undefined || end < 0 || end > headBytesMax) return undefined
  const [oldLine, ...lines] = text.slice(0, end).split('\n')
  const oldSize = oldLine!.startsWith('old ') ? parseDecimal(oldLine!.slice('old '.length)) : undefined
  const proof = parseHashes(lines)
  const note = parseNote(text.slice(end + 2))
  const checkpoint = note && parseCheckpoint(note.text)
  if (oldSize === undefined || !proof || !note || !checkpoint) return undefined
  return { oldSize, proof, note, checkpoint }
}

/** `remember`, where there is one, must be kept before the answer is sent. */
export type WitnessAnswer = {
  status: 200 | 400 | 403 | 404 | 409 | 422
  contentType: string
  body: string
  remember?: { origin: string; size: number; root: Buffer }
}

function refuse(status: 400 | 403 | 404 | 409 | 422, sentence: string): WitnessAnswer {
  return { status, contentType: textContentType, body: `${sentence}\n` }
}

/**
 * What a witness answers to a request. `logKeys` are those that it trusts for the checkpoint's origin, undefined where it does not
 * know that log; `known` is the tree that it cosigned last, undefined where it never did. Between reading `known` and keeping
 * `remember` nobody else may answer for that origin: two answers at once could take the log back.
 */
export function answerAddCheckpoint(
  request: ReturnType<typeof parseAddCheckpoint>,
  logKeys: readonly VerifierKey[] | undefined,
  known: Tree | undefined,
  witness: { name: string; privateKey: KeyObject },
  now: Date,
): WitnessAnswer {
  if (!request) return refuse(400, 'This is not an add-checkpoint request.')
  const { oldSize, proof, note, checkpoint } = request
  const { origin, size, root } = checkpoint
  if (!logKeys) return refuse(404, 'This witness does not know the log.')
  if (!verifyNote(note, logKeys)) return refuse(403, 'The log did not sign the checkpoint.')
  if (oldSize > size) return refuse(400, 'The old size is larger than the checkpoint.')
  const knownSize = known?.size ?? 0
  if (oldSize !== knownSize) return { status: 409, contentType: sizeContentType, body: `${knownSize}\n` }
  // Without a size to try instead: there is none with which this checkpoint could be cosigned.
  if (known && size === known.size && !root.equals(known.root))
    return refuse(409, 'This witness cosigned another root of that size.')
  if (!isConsistent(known, checkpoint, proof)) return refuse(422, 'The consistency proof does not prove it.')
  const cosignature = cosign(note.text, witness.name, witness.privateKey, now)
  return {
    status: 200,
    contentType: textContentType,
    body: formatSignature(cosignature),
    remember: { origin, size, root },
  }
}

function isConsistent(known: Tree | undefined, next: Tree, proof: readonly Buffer[]): boolean {
  if (next.size === 0 && !emptyRoot.equals(next.root)) return false
  // Every tree begins with the empty one. The proof must then be empty, so that a request has one form.
  if (!known || known.size === 0) return proof.length === 0
  return verifyConsistency(known, next, proof)
}

/** What the log does next: keep the cosignatures, ask again from the size that the witness knows, or give up until it is put right. */
export type WitnessReply =
  | { kind: 'cosigned'; cosignatures: Cosignature[] }
  | { kind: 'other-size'; size: number }
  | { kind: 'refused'; status: number }

/**
 * Reads a witness's answer to a checkpoint, of which `text` is what was signed, by the witness's keys. Whatever is not to the
 * letter, or not by those keys, is refused. A size is what the witness claims: it may be larger than the log, and asking again
 * for ever is what a bad witness would like.
 */
export function parseWitnessReply(
  { status, contentType, body }: { status: number; contentType: string; body: string | Uint8Array },
  text: string,
  witnessKeys: readonly VerifierKey[],
): WitnessReply {
  const refused: WitnessReply = { kind: 'refused', status }
  const answer = readText(body, noteBytesMax)
  if (answer === undefined) return refused
  if (status === 409 && contentType.split(';', 1)[0]!.trim().toLowerCase() === sizeContentType) {
    const size = answer.endsWith('\n') ? parseDecimal(answer.slice(0, -1)) : undefined
    return size === undefined ? refused : { kind: 'other-size', size }
  }
  if (status !== 200) return refused
  const note = parseNote(`${text}\n${answer}`)
  // An empty line in the answer would move where the signed text ends.
  const verified = note?.text === text ? verifyCosignatures(note, witnessKeys) : undefined
  if (!verified || verified.cosignatures.length === 0) return refused
  return { kind: 'cosigned', cosignatures: verified.cosignatures }
}
