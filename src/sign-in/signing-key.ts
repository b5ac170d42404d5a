import { createECDH } from 'node:crypto'
import type { JWK } from 'jose'
import { deriveKey } from '../seal.ts'

/** A key of ours for ES256, from the installation's secret key: the same in every process and after every start. */
export function deriveSigningKey(secretKey: Buffer, purpose: string): JWK & { kty: string } {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(deriveKey(secretKey, purpose))
  const point = curve.getPublicKey()
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), curve.getPrivateKey()].map((part) => part!.toString('base64url'))
  return { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', x: x!, y: y!, d: d!, kid: x!.slice(0, 16) }
}

/** What others may have of a key. */
export function publicPart({ d: _secret, ...jwk }: JWK): JWK {
  return jwk
}
