import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { deriveKey, seal, unseal } from '../seal.ts'

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
export type IdentifierKeys = { hash: KeyObject; seal: Buffer }

export function deriveIdentifierKeys(secretKey: Buffer): IdentifierKeys {
  return { hash: createSecretKey(deriveKey(secretKey, 'identifier hash')), seal: deriveKey(secretKey, 'identifier seal') }
}

/** To find an identifier by. The service is part of it: the same value means another person at another service. */
export function hashIdentifier(keys: IdentifierKeys, serviceId: string, { scheme, value }: Identifier): Buffer {
  return createHmac('sha256', keys.hash)
    .update(JSON.stringify([serviceId, scheme, value.trim().normalize('NFC')]))
    .digest()
}

export function sealIdentifier(keys: IdentifierKeys, serviceId: string, value: string): Buffer {
  return seal(keys.seal, serviceId, value)
}

export function openIdentifier(keys: IdentifierKeys, serviceId: string, sealed: Buffer): string {
  return unseal(keys.seal, serviceId, sealed)
}
