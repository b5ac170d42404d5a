import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Checkpoint } from './checkpoint.ts'
import { decodeBase64, readText } from './note.ts'
import { canonical } from './record.ts'
import { formatTlogProof, parseTlogProof, type TlogProof, tlogProofBytesMax } from './tlog-proof.ts'
import { SealKey } from './trusted-keys.ts'

const closed = { additionalProperties: false } as const

/** What `extra` of the file holds, as canonical JSON (RFC 8785). */
const Extra = Type.Object(
  {
    format: Type.Literal('digital-post-receipt-v1'),
    /** The canonical text of the record, to the byte. */
    record: Type.String(),
    /** Base64: 32 bytes, of this side's opening. */
    salt: Type.String(),
    /** Compact JWS. */
    seal: Type.String(),
    /** Base64: the DER of an RFC 3161 token over the checkpoint's text. */
    timeStamp: Type.Optional(Type.String()),
    keys: Type.Object(
      {
        seal: SealKey,
        log: Type.String(),
        witnesses: Type.Array(Type.String(), { maxItems: 100 }),
        timeStampAuthority: Type.Optional(Type.String()),
      },
      closed,
    ),
    /** SHA-256, in hexadecimal, of the whole file as it is with nothing between the quotation marks of this. */
    digest: Type.String(),
  },
  closed,
)
type Extra = Static<typeof Extra>

/** Evidence as a sender or a recipient keeps it: all that is needed to check it without asking anybody. */
export type Receipt = Pick<Extra, 'record' | 'seal' | 'keys'> & { salt: Buffer; timeStamp?: Buffer } & Omit<TlogProof, 'extra'>

/** A file that is larger is not read. */
export const receiptBytesMax = tlogProofBytesMax

const saltLength = 32

/** The whole `.tlog-proof` file. Throws where it could not be read again. */
export function formatReceipt(receipt: Receipt): string {
  const { record, salt, seal, timeStamp, keys, index, path, note } = receipt
  const extra: Extra = {
    format: 'digital-post-receipt-v1',
    record,
    salt: salt.toString('base64'),
    seal,
    ...(timeStamp ? { timeStamp: timeStamp.toString('base64') } : {}),
    keys,
    digest: '',
  }
  const proof = { index, path, note }
  return fileWith({ ...extra, digest: digestOf(extra, proof) }, proof)
}

function fileWith(extra: Extra, proof: TlogProof): string {
  return formatTlogProof({ ...proof, extra: Buffer.from(canonical(extra)) })
}

/**
 * So that a byte is bound also where no signature reaches. Anybody can work it out anew: it shows damage, and what shows
 * forgery are the signatures.
 */
function digestOf(extra: Extra, proof: TlogProof): string {
  return createHash('sha256')
    .update(fileWith({ ...extra, digest: '' }, proof))
    .digest('hex')
}

/** `isWhole`: its digest is that of the file. */
export type ReadReceipt = Receipt & { checkpoint: Checkpoint; isWhole: boolean }

/** A sentence for whatever `formatReceipt` does not write, but for another digest. No signature is looked at. */
export function parseReceipt(file: Uint8Array): ReadReceipt | string {
  if (file.length > receiptBytesMax) return 'The file is larger than any receipt.'
  if (!isReceiptFile(file)) return 'The file is no receipt: it does not begin as a .tlog-proof file does.'
  const parsed = parseTlogProof(file)
  if (parsed === undefined) return 'The file is damaged: it is not built as a .tlog-proof file is.'
  const { extra: bytes, checkpoint, ...proof } = parsed
  const extra = bytes && readExtra(bytes)
  const salt = extra && decodeBase64(extra.salt)
  const timeStamp = extra?.timeStamp === undefined ? 'none' : decodeBase64(extra.timeStamp)
  if (!extra || salt?.length !== saltLength || !timeStamp || timeStamp.length === 0) {
    return 'The file is damaged, or no receipt: what it holds beside the proof is not built as a receipt’s is.'
  }
  const { record, seal, keys } = extra
  const isWhole = digestOf(extra, proof) === extra.digest
  return { record, salt, seal, ...(timeStamp === 'none' ? {} : { timeStamp }), keys, ...proof, checkpoint, isWhole }
}

/** Whether the first line says that it is one. The first bytes are enough. */
export function isReceiptFile(file: Uint8Array): boolean {
  const firstLine = 'c2sp.org/tlog-proof@v1\n'
  return Buffer.from(file.subarray(0, firstLine.length)).toString('latin1') === firstLine
}

/** Undefined unless it is in the only spelling, with all that it must have and nothing else. */
function readExtra(bytes: Uint8Array): Extra | undefined {
  const text = readText(bytes, bytes.length)
  try {
    const value: unknown = JSON.parse(text ?? '')
    return Value.Check(Extra, value) && canonical(value) === text ? value : undefined
  } catch {
    return undefined
  }
}
