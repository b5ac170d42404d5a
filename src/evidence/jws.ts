import type { Signer } from './keys.ts'

/** What a JWS of ours is over: the commitments of one event, or what a batch of the log holds. */
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
  return sign(Buffer.from(`${encode(jwsHeader(keyId, type))}.${encode(payload)}`))
}
