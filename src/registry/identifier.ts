import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { type Static, Type } from 'typebox'

/** By which a sender addresses a party. Personal data: never in an address, a log, a metric or an error. */
export const Identifier = Type.Object(
  {
    scheme: Type.String({
      pattern: '^[a-z][a-z0-9-]{0,31}$',
      description: 'link: the service’s own identifier for a person who has linked it.',
    }),
    value: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$',
      description: 'As the scheme writes it, such as CT-1001.',
    }),
  },
  { additionalProperties: false },
)
export type Identifier = Static<typeof Identifier>

/** Keys for identifiers, derived from the installation's secret key. */
export type IdentifierKeys = { hash: Buffer; seal: Buffer }

export function deriveIdentifierKeys(secretKey: Buffer): IdentifierKeys {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secretKey, '', `digital-post identifier ${purpose}`, 32))
  return { hash: derive('hash'), seal: derive('seal') }
}

/** To find an identifier by. The service is part of it: the same value means another person at another service. */
export function hashIdentifier(keys: IdentifierKeys, serviceId: string, { scheme, value }: Identifier): Buffer {
  return createHmac('sha256', keys.hash)
    .update(JSON.stringify([serviceId, scheme, value.trim().normalize('NFC')]))
    .digest()
}

/** AES-256-GCM: nonce (12 bytes), tag (16 bytes), ciphertext. Bound to the service, so that a copied row does not open. */
export function sealIdentifier(keys: IdentifierKeys, serviceId: string, value: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keys.seal, nonce).setAAD(Buffer.from(serviceId))
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

export function openIdentifier(keys: IdentifierKeys, serviceId: string, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', keys.seal, sealed.subarray(0, 12)).setAAD(Buffer.from(serviceId))
  decipher.setAuthTag(sealed.subarray(12, 28))
  return decipher.update(sealed.subarray(28), undefined, 'utf8') + decipher.final('utf8')
}
