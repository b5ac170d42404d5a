import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/**
 * Signed notes (c2sp.org/signed-note): a text, and Ed25519 signatures of it by named keys. Texts from outside come in as bytes
 * or strings; what is not a note to the letter is undefined.
 */

/** Notes that are larger are not read. */
export const noteBytesMax = 1_000_000

/** The specification asks for at least 16. A hundred leaves room for every witness that one would ask. */
export const signaturesMax = 100

/** The byte that says how a key signs: 0x01 the text of a note, 0x04 a checkpoint and a time (cosignature.ts). */
export const signatureTypes = { ed25519: 0x01, cosignature: 0x04 } as const
export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes]

const keyBytes = 32
const signatureBytes = 64

/** Who may have signed. `id` is derived from the rest, as an unsigned integer of 32 bits; `publicKey` is 32 bytes (RFC 8032). */
export type VerifierKey = { name: string; id: number; type: SignatureType; publicKey: Buffer }

/** One signature line. `signature` is what follows the key id: 64 bytes for Ed25519, 72 for a cosignature, of others any. */
export type NoteSignature = { name: string; id: number; signature: Buffer }

/** `text` ends in a newline, which is part of what is signed. */
export type Note = { text: string; signatures: NoteSignature[] }

/** The text as it stands, or undefined: too long, not UTF-8, or with a control character other than the newline. */
export function readText(input: string | Uint8Array, bytesMax: number): string | undefined {
  if (input.length > bytesMax) return undefined
  if (typeof input === 'string') return isPlain(input) && Buffer.byteLength(input) <= bytesMax ? input : undefined
  try {
    // A byte order mark must stay, or the text would no longer be what was signed.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input)
    return isPlain(text) ? text : undefined
  } catch {
    return undefined
  }
}

function isPlain(text: string): boolean {
  return text.isWellFormed() && !/[^\n -\u{10ffff}]/u.test(text)
}

/** The bytes of a standard base64 text (RFC 4648, section 4), or undefined where encoding them again gives another text. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function isKeyName(name: string): boolean {
  return name !== '' && isPlain(name) && !/[\p{White_Space}+]/u.test(name)
}

/** SHA-256(name || 0x0A || type || public key), its first four bytes, big-endian. */
export function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]), 'buffer').readUInt32BE()
}

/** The key by which others know this Ed25519 key, private or public. Throws where name or key cannot be one. */
export function verifierKey(name: string, type: SignatureType, key: KeyObject): VerifierKey {
  if (!isKeyName(name)) throw new Error('The name of a key is not empty and has no space, no plus sign and no control character.')
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('The key of a note is an Ed25519 key.')
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  const publicKey = Buffer.from(x!, 'base64url')
  return { name, id: keyId(name, type, publicKey), type, publicKey }
}

const hexId = (id: number) => id.toString(16).padStart(8, '0')

/** `<name>+<id in hexadecimal>+<base64 of type and public key>`, the text in which a verifier is told whom to trust. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${hexId(id)}+${Buffer.concat([Buffer.of(type), publicKey]).toString('base64')}`
}

/** Undefined for whatever `formatVerifierKey` does not write, an id that is not that of the key, and kinds that are not ours. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  // Base64 has plus signs too, so only the first two divide.
  const [name, id] = text.slice(0, 1_000).split('+', 2)
  if (name === undefined || id === undefined || !isKeyName(name)) return undefined
  const material = decodeBase64(text.slice(name.length + id.length + 2, name.length + id.length + 102))
  const type = Object.values(signatureTypes).find((known) => known === material?.[0])
  if (!material || !type || material.length !== 1 + keyBytes) return undefined
  const publicKey = material.subarray(1)
  const key = { name, id: keyId(name, type, publicKey), type, publicKey }
  return formatVerifierKey(key) === text ? key : undefined
}

/** Ed25519 (RFC 8032), by the public key of any verifier key. */
export function verifyEd25519(message: string, { publicKey }: VerifierKey, signature: Uint8Array): boolean {
  if (signature.length !== signatureBytes) return false
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }
  return verify(null, Buffer.from(message), createPublicKey({ key: jwk, format: 'jwk' }), signature)
}

/** Signs the text of a note. Throws where it cannot be one, for nobody could read what was signed. */
export function signNote(text: string, name: string, privateKey: KeyObject): NoteSignature {
  if (!text.endsWith('\n') || readText(text, noteBytesMax) === undefined) {
    throw new Error('The text of a note ends in a newline and has no other control character.')
  }
  const { id } = verifierKey(name, signatureTypes.ed25519, privateKey)
  return { name, id, signature: sign(null, Buffer.from(text), privateKey) }
}

/** One line, with its newline. */
export function formatSignature({ name, id, signature }: NoteSignature): string {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(id)
  return `— ${name} ${Buffer.concat([head, signature]).toString('base64')}\n`
}

export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name, base64, ...more] = line.split(' ', 4)
  if (dash !== '—' || name === undefined || base64 === undefined || more.length > 0 || !isKeyName(name)) return undefined
  const bytes = decodeBase64(base64)
  return bytes && bytes.length > 4 ? { name, id: bytes.readUInt32BE(), signature: bytes.subarray(4) } : undefined
}

/** Undefined for whatever `formatNote` does not write, for a note without a signature, and beyond the limits above. */
export function parseNote(input: string | Uint8Array): Note | undefined {
  const note = readText(input, noteBytesMax)
  const end = note?.lastIndexOf('\n\n') ?? -1
  if (note === undefined || end < 0 || !note.endsWith('\n')) return undefined
  const lines = note.slice(end + 2, -1).split('\n', signaturesMax + 1)
  if (lines.length > signaturesMax) return undefined
  const signatures = lines.map(parseSignature).filter((signature) => signature !== undefined)
  return signatures.length === lines.length ? { text: note.slice(0, end + 1), signatures } : undefined
}

/** Which of the signatures are of these keys. Name and id together say whose one is; either alone says nothing. */
export function sortSignatures(
  signatures: readonly NoteSignature[],
  keys: readonly VerifierKey[],
): { known: { key: VerifierKey; signature: NoteSignature }[]; unknown: NoteSignature[] } {
  const keyOf = ({ name, id }: NoteSignature) => keys.find((key) => key.name === name && key.id === id)
  return {
    known: signatures.flatMap((signature) => {
      const key = keyOf(signature)
      return key ? [{ key, signature }] : []
    }),
    unknown: signatures.filter((signature) => !keyOf(signature)),
  }
}

/** Who signed, each once, and the signatures of others, which prove nothing: a stricter reader may refuse them. */
export type VerifiedNote = { signers: VerifierKey[]; unknown: NoteSignature[] }

/**
 * Undefined unless one of these keys of type 0x01 signed the text, and where a signature of one of them is wrong, whatever
 * others say. `unknown` has the cosignatures too: hand it to `verifyCosignatures`.
 */
export function verifyNote({ text, signatures }: Note, keys: readonly VerifierKey[]): VerifiedNote | undefined {
  const ofNotes = keys.filter(({ type }) => type === signatureTypes.ed25519)
  const { known, unknown } = sortSignatures(signatures, ofNotes)
  if (known.length === 0) return undefined
  if (!known.every(({ key, signature }) => verifyEd25519(text, key, signature.signature))) return undefined
  return { signers: [...new Set(known.map(({ key }) => key))], unknown }
}
