import { createHash } from 'node:crypto'
import { EncryptJWT, jwtDecrypt } from 'jose'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { deriveKey } from '../seal.ts'

/** A sign-in under way: what must be known again when the person comes back from the provider. */
const Attempt = Type.Object({
  purpose: Type.Enum(['sign-in', 'prove-identity', 'staff-sign-in', 'registrar-sign-in', 'join-mailboxes']),
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
  /** Where the person wanted to go. */
  to: Type.String(),
})
export type Attempt = Static<typeof Attempt>
export type Purpose = Attempt['purpose']

export const attemptMinutes = 15

export function deriveAttemptKey(secretKey: Buffer): Uint8Array {
  return deriveKey(secretKey, 'sign-in attempt')
}

/** The attempt as the browser keeps it, so that nothing of somebody who is not signed in is kept here. */
export function sealAttempt(key: Uint8Array, attempt: Attempt, now: Date): Promise<string> {
  return new EncryptJWT(attempt)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setExpirationTime(new Date(now.getTime() + attemptMinutes * 60_000))
    .encrypt(key)
}

/** Undefined when it is too old, or not ours. */
export async function openAttempt(key: Uint8Array, sealed: string, now: Date): Promise<Attempt | undefined> {
  try {
    const { payload } = await jwtDecrypt(sealed, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      requiredClaims: ['exp'],
      currentDate: now,
    })
    return Check(Attempt, payload) ? payload : undefined
  } catch {
    return undefined
  }
}

/** Each attempt has a name of its own, so that two tabs do not get in each other's way. */
export function attemptName(state: string): string {
  return createHash('sha256').update(state).digest('hex').slice(0, 16)
}
