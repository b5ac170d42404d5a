import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'

const Part = Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 2_000 })
const everyKey = {
  kid: Type.Optional(Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\u0020-\\u007e]+$' })),
  use: Type.Optional(Type.Literal('sig')),
  key_ops: Type.Optional(Type.Array(Type.Literal('verify'), { maxItems: 1 })),
}

/** A public key with which a system proves itself (RFC 7517), of the kinds that are taken. Other members are left out. */
export const PublicKey = Type.Union([
  Type.Object({ kty: Type.Literal('RSA'), n: Part, e: Part, alg: Type.Optional(Type.Enum(['RS256', 'PS256'])), ...everyKey }),
  Type.Object({
    kty: Type.Literal('EC'),
    crv: Type.Literal('P-256'),
    x: Part,
    y: Part,
    alg: Type.Optional(Type.Literal('ES256')),
    ...everyKey,
  }),
  Type.Object({
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Part,
    alg: Type.Optional(Type.Enum(['EdDSA', 'Ed25519'])),
    ...everyKey,
  }),
])
export type PublicKey = Static<typeof PublicKey>

const rsaBitsMin = 2_048
const rsaBitsMax = 8_192
const rsaExponentMin = 65_537n

/** Why a key is not taken, to go on after "The key". */
export const keyRefusals = {
  'not-a-key': 'is not a public key in JSON (JWK)',
  private: 'is the private part of a key: give the public key only',
  kind: 'must be RSA of 2048 to 8192 bits, EC P-256 or Ed25519, and for signatures',
} as const
export type KeyRefusal = keyof typeof keyRefusals

/** Members that only a private or a secret key has (RFC 7518 section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** Which member of a key is private, if any. */
export function privateMember(value: object): string | undefined {
  return privateMembers.find((name) => name in value)
}

/** Takes a key, or says why not. A private one is refused before anything else is looked at, and never kept. */
export function readPublicKey(value: unknown): PublicKey | KeyRefusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not-a-key'
  if (privateMember(value) !== undefined) return 'private'
  if (typeof (value as { kty?: unknown }).kty !== 'string') return 'not-a-key'
  if (!Check(PublicKey, value)) return 'kind'
  return isGoodKey(value) ? onlyKnownMembers(value) : 'kind'
}

/** The same of what somebody has pasted: a key, or a set that holds just one. */
export function readPastedKey(text: string): PublicKey | KeyRefusal {
  try {
    const value: unknown = JSON.parse(text)
    const { keys } = (value ?? {}) as { keys?: unknown }
    return readPublicKey(Array.isArray(keys) && keys.length === 1 ? keys[0] : value)
  } catch {
    return 'not-a-key'
  }
}

/** RFC 7638, in SHA-256: the name of the key, which both sides can work out and compare. */
export function thumbprintOf(key: PublicKey): Promise<string> {
  return calculateJwkThumbprint(key as never)
}

function isGoodKey(jwk: PublicKey): boolean {
  try {
    const { modulusLength, publicExponent } =
      createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails ?? {}
    if (jwk.kty !== 'RSA') return true
    return (
      modulusLength! >= rsaBitsMin &&
      modulusLength! <= rsaBitsMax &&
      publicExponent! >= rsaExponentMin &&
      publicExponent! % 2n === 1n
    )
  } catch {
    return false
  }
}

const known = ['kty', 'crv', 'x', 'y', 'n', 'e', 'alg', 'kid'] as const

function onlyKnownMembers(jwk: PublicKey): PublicKey {
  return Object.fromEntries(
    known.flatMap((name) => (name in jwk ? [[name, (jwk as Record<string, unknown>)[name]]] : [])),
  ) as PublicKey
}
