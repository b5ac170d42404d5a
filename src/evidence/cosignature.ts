import { type KeyObject, sign } from 'node:crypto'
import { parseCheckpoint } from './checkpoint.ts'
import {
  type Note,
  type NoteSignature,
  signatureTypes,
  sortSignatures,
  type VerifierKey,
  verifierKey,
  verifyEd25519,
} from './note.ts'

/**
 * Cosignatures of a checkpoint by witnesses (c2sp.org/tlog-cosignature, the Ed25519 kind, `cosignature/v1`): as of a time, this is
 * the largest consistent tree that the witness saw of the log.
 */

/** `timestamp`: when it was made, by the witness's clock, in seconds since 1970. Whether that can be is for the caller to say. */
export type Cosignature = { key: VerifierKey; timestamp: number; signature: NoteSignature }

const timestampBytes = 8

function signedMessage(text: string, timestamp: number): string {
  return `cosignature/v1\ntime ${timestamp}\n${text}`
}

/**
 * Cosigns the text of a checkpoint, with its extension lines. Throws where the text is no checkpoint. One private key is for one
 * name: the name is not part of what is signed.
 */
export function cosign(text: string, name: string, privateKey: KeyObject, now: Date): NoteSignature {
  const timestamp = Math.floor(now.getTime() / 1_000)
  if (!parseCheckpoint(text) || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new Error('A cosignature is of a checkpoint, at a time since 1970.')
  }
  const { id } = verifierKey(name, signatureTypes.cosignature, privateKey)
  const seconds = Buffer.alloc(timestampBytes)
  seconds.writeBigUInt64BE(BigInt(timestamp))
  return { name, id, signature: Buffer.concat([seconds, sign(null, Buffer.from(signedMessage(text, timestamp)), privateKey)]) }
}

function verifyCosignature(text: string, key: VerifierKey, signature: NoteSignature): Cosignature | undefined {
  if (signature.signature.length < timestampBytes) return undefined
  // Later than the largest safe integer is in the future for some hundred million years, and verifiers may refuse the future.
  const timestamp = Number(signature.signature.readBigUInt64BE())
  if (!Number.isSafeInteger(timestamp)) return undefined
  const isRight = verifyEd25519(signedMessage(text, timestamp), key, signature.signature.subarray(timestampBytes))
  return isRight ? { key, timestamp, signature } : undefined
}

/**
 * The cosignatures by these keys of type 0x04, none where none of them cosigned: how many are enough is the caller's policy, and
 * a key may appear more than once, with other times. `unknown` has the signatures of everybody else, the log's among them.
 * Undefined where the text is no checkpoint, and where a cosignature by one of these keys is wrong, whatever others say.
 */
export function verifyCosignatures(
  { text, signatures }: Note,
  keys: readonly VerifierKey[],
): { cosignatures: Cosignature[]; unknown: NoteSignature[] } | undefined {
  if (!parseCheckpoint(text)) return undefined
  const ofWitnesses = keys.filter(({ type }) => type === signatureTypes.cosignature)
  const { known, unknown } = sortSignatures(signatures, ofWitnesses)
  const cosignatures: Cosignature[] = []
  for (const { key, signature } of known) {
    const cosignature = verifyCosignature(text, key, signature)
    if (!cosignature) return undefined
    cosignatures.push(cosignature)
  }
  return { cosignatures, unknown }
}
