import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { type EvidenceKeys, keyIdOf, publicLogKeys } from './keys.ts'
import { parseVerifierKey } from './note.ts'

const closed = { additionalProperties: false } as const

/** A public key of P-256 as JWK (RFC 7517). `kid` is its thumbprint (RFC 7638). */
export const SealKey = Type.Object(
  { kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: Type.String(), y: Type.String(), kid: Type.String() },
  closed,
)
export type SealKey = Static<typeof SealKey>

const list = { maxItems: 1_000 }

/**
 * Whom a verifier trusts, in all that is needed to check a receipt: what an installation publishes as /log/keys.json. Keys of before
 * are in it for as long as there are receipts by them. It may hold more than this.
 */
export const TrustedKeys = Type.Object({
  /** By which records and batches are sealed. */
  seal: Type.Array(SealKey, list),
  /** Of the log, as verifier keys (c2sp.org/signed-note). */
  log: Type.Array(Type.String(), list),
  /** Of the witnesses, as verifier keys. */
  witnesses: Type.Array(Type.String(), list),
  /** Certificates, in PEM, to which those that sign time-stamps must lead. */
  timeStampAuthorities: Type.Array(Type.String(), list),
})
export type TrustedKeys = Static<typeof TrustedKeys>

/** What somebody says they trust, or a sentence why it cannot be used. */
export function readTrustedKeys(content: unknown): TrustedKeys | string {
  if (!Value.Check(TrustedKeys, content)) {
    return 'It does not hold seal, log, witnesses and timeStampAuthorities, as /log/keys.json of an installation does.'
  }
  if (content.seal.some((key) => readSealKey(key) === undefined)) return 'One of the seal keys is no P-256 key of its own kid.'
  const isKey = (text: string) => parseVerifierKey(text) !== undefined
  return [...content.log, ...content.witnesses].every(isKey) ? content : 'One of the keys of the log or a witness is none.'
}

/** Undefined where it is no key of the curve, or its `kid` is another’s. */
export function readSealKey(jwk: SealKey): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return keyIdOf(key) === jwk.kid ? key : undefined
  } catch {
    return undefined
  }
}

/** What an installation says of itself: its own keys, of now and of before, and whom it asks. */
export function trustedKeysOf(
  keys: Pick<EvidenceKeys, 'sealKeys' | 'log' | 'formerLogKeys'>,
  origin: string,
  asked: { witnesses: readonly string[]; timeStampAuthorities: readonly string[] },
): TrustedKeys {
  return {
    seal: [...keys.sealKeys].map(([kid, key]) => toSealKey(key, kid)),
    log: publicLogKeys(keys, origin),
    witnesses: [...asked.witnesses],
    timeStampAuthorities: [...asked.timeStampAuthorities],
  }
}

export function toSealKey(key: KeyObject, kid: string): SealKey {
  const { x, y } = key.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x: x!, y: y!, kid }
}
