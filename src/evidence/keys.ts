import { createECDH, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { deriveKey } from '../seal.ts'
import { formatVerifierKey, type VerifierKey, verifierKey } from './note.ts'

/**
 * Signs with a key that may lie elsewhere, in a key management service say: bytes in, 64 bytes of an ES256 signature (RFC 7518, 3.4) out.
 */
export type Signer = { keyId: string; sign: (data: Buffer) => Promise<Buffer> }

export type EvidenceKeys = {
  /** With which records are sealed now. */
  seal: Signer
  /** Public keys by which seals are checked, those of before and those that are announced too, by their id. */
  sealKeys: ReadonlyMap<string, KeyObject>
  /** Signs the log's checkpoints (Ed25519). */
  log: KeyObject
  /** Other keys of the log, from before or announced, as public keys. */
  formerLogKeys: readonly KeyObject[]
}

const Pem = Type.String({ pattern: '^-----BEGIN ' })
/** The file: private keys of today, public keys of before and of those to come. */
const KeysFile = Type.Object(
  {
    seal: Type.Object({ privateKey: Pem }, { additionalProperties: false }),
    log: Type.Object({ privateKey: Pem }, { additionalProperties: false }),
    formerSealKeys: Type.Optional(Type.Array(Pem)),
    formerLogKeys: Type.Optional(Type.Array(Pem)),
  },
  { additionalProperties: false },
)

/** Throws an error with a sentence where a file holds something else. */
export function readEvidenceKeys(file: unknown): EvidenceKeys {
  if (!Value.Check(KeysFile, file))
    throw new Error('it has seal.privateKey and log.privateKey, each in PEM, and perhaps formerSealKeys and formerLogKeys.')
  const seal = readKey(createPrivateKey, file.seal.privateKey, 'ec', 'seal.privateKey is no private key of the curve P-256.')
  const log = readKey(createPrivateKey, file.log.privateKey, 'ed25519', 'log.privateKey is no private key of Ed25519.')
  const readFormer = (pems: readonly string[] = [], ...kind: [type: KeyType, otherwise: string]) =>
    pems.map((pem) => readKey(createPublicKey, pem, ...kind))
  return keysOf(
    seal,
    log,
    readFormer(file.formerSealKeys, 'ec', 'one of formerSealKeys is no public key of the curve P-256.'),
    readFormer(file.formerLogKeys, 'ed25519', 'one of formerLogKeys is no public key of Ed25519.'),
  )
}

/** Keys of a demo, from its secret: nothing to keep, and the same for every process. */
export function deriveEvidenceKeys(secretKey: Buffer): EvidenceKeys {
  const ecdh = createECDH('prime256v1')
  const d = deriveKey(secretKey, 'evidence seal')
  ecdh.setPrivateKey(d)
  const point = ecdh.getPublicKey()
  const part = (bytes: Buffer) => bytes.toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', d: part(d), x: part(point.subarray(1, 33)), y: part(point.subarray(33)) }
  return keysOf(createPrivateKey({ key: jwk, format: 'jwk' }), deriveEd25519(secretKey, 'evidence log'), [], [])
}

/** A key of a demo's stand-in, or of its log. */
export function deriveEd25519(secretKey: Buffer, purpose: string): KeyObject {
  // PKCS #8 of Ed25519 is these sixteen bytes and the seed (RFC 8410).
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([prefix, deriveKey(secretKey, purpose)]), format: 'der', type: 'pkcs8' })
}

/** What a new file holds. */
export function makeKeysFile(): unknown {
  const pem = { type: 'pkcs8', format: 'pem' } as const
  return {
    seal: { privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem) },
    log: { privateKey: generateKeyPairSync('ed25519').privateKey.export(pem) },
    formerSealKeys: [],
    formerLogKeys: [],
  }
}

function keysOf(seal: KeyObject, log: KeyObject, formerSeal: KeyObject[], formerLog: KeyObject[]): EvidenceKeys {
  const [key, logKey] = [createPublicKey(seal), createPublicKey(log)]
  return {
    seal: { keyId: keyIdOf(key), sign: (data) => signEs256(seal, data) },
    sealKeys: new Map([key, ...formerSeal].map((each) => [keyIdOf(each), each])),
    log,
    // A key that was announced before it was used may be in the list still.
    formerLogKeys: formerLog.filter((each) => !each.equals(logKey)),
  }
}

/** Not in the pool of threads: handing it over costs more than signing. Who signs many lets others in between. */
async function signEs256(key: KeyObject, data: Buffer): Promise<Buffer> {
  return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
}

/** Of a P-256 public key: its JWK thumbprint (RFC 7638). */
export function keyIdOf(key: KeyObject): string {
  const { crv, kty, x, y } = key.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

/** By which the log's checkpoints are checked, the present one first. */
export function logVerifierKeys(
  { log, formerLogKeys }: Pick<EvidenceKeys, 'log' | 'formerLogKeys'>,
  origin: string,
): VerifierKey[] {
  return [log, ...formerLogKeys].map((key) => verifierKey(origin, 1, key))
}

/** The same as anybody may have it. */
export function publicLogKeys(keys: Pick<EvidenceKeys, 'log' | 'formerLogKeys'>, origin: string): string[] {
  return logVerifierKeys(keys, origin).map(formatVerifierKey)
}

type KeyType = 'ec' | 'ed25519'

function readKey(read: (pem: string) => KeyObject, pem: string, type: KeyType, otherwise: string): KeyObject {
  try {
    const key = read(pem)
    if (key.asymmetricKeyType === type && (type !== 'ec' || key.asymmetricKeyDetails?.namedCurve === 'prime256v1')) return key
  } catch {
    // Said below, without repeating anything of the key.
  }
  throw new Error(otherwise)
}
