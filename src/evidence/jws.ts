import { type KeyObject, verify } from 'node:crypto'
import type { Signer } from './keys.ts'

/**
 * So many entries of the log one seal of evidence is over, from an index that is a multiple of it: signing costs as much as all the rest that an
 * event needs, and shared it costs nothing.
 */
export const entriesSealedAtOnce = 32

/** What a JWS of ours is over: entries of the log, or what a batch of it holds. */
export type JwsType = 'dp-evidence+jws' | 'dp-batch+jws'

const encode = (data: string | Uint8Array) => Buffer.from(data).toString('base64url')

/** The protected header, in the only spelling that we use (RFC 7515). */
export function jwsHeader(keyId: string, type: JwsType): string {
  return JSON.stringify({ alg: 'ES256', kid: keyId, typ: type })
}

/** A compact JWS, from a signature that is kept apart from what it signs. */
export function compactJws(keyId: string, type: JwsType, payload: Uint8Array, signature: Uint8Array): string {
  return `${encode(jwsHeader(keyId, type))}.${encode(payload)}.${encode(signature)}`
}

/** Answers the 64 bytes of the signature. */
export function signJws({ keyId, sign }: Signer, type: JwsType, payload: Uint8Array): Promise<Buffer> {
  return sign(signingInput(keyId, type, payload))
}

export function verifyJws(key: KeyObject, keyId: string, type: JwsType, payload: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', signingInput(keyId, type, payload), { key, dsaEncoding: 'ieee-p1363' }, signature)
}

function signingInput(keyId: string, type: JwsType, payload: Uint8Array): Buffer {
  return Buffer.from(`${encode(jwsHeader(keyId, type))}.${encode(payload)}`)
}
