import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Problem } from '../problems.ts'
import { deriveKey, seal, unseal } from '../seal.ts'
import { faultOf, namespaceOf, normalise, readSchemes, type Schemes, whatIsWrong } from './scheme.ts'

/** By which a sender addresses a party. Personal data: never in an address, a log, a metric or an error. */
export const Identifier = Type.Object(
  {
    scheme: Type.String({
      pattern: '^[a-z][a-z0-9-]{0,31}$',
      description:
        'link: the service’s own identifier for a person who has linked it. Or one of the whole installation, such as nino, where the service may use it.',
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

/** Keys for identifiers, derived from the installation's secret key, and the schemes that it knows. */
export type IdentifierKeys = { hash: KeyObject; seal: Buffer; schemes: Schemes }

export function deriveIdentifierKeys(secretKey: Buffer, schemes = readSchemes(undefined, { demo: false })): IdentifierKeys {
  const hash = createSecretKey(deriveKey(secretKey, 'identifier hash'))
  return { hash, seal: deriveKey(secretKey, 'identifier seal'), schemes }
}

/** Throws `identifier-invalid`, which names `field`, the identifier's JSON pointer, and never what stands there. */
export function checkIdentifier({ schemes }: IdentifierKeys, { scheme, value }: Identifier, field: string): void {
  const fault = faultOf(schemes, scheme, value)
  if (fault === undefined) return
  const message = whatIsWrong(schemes, scheme, value)!
  throw new Problem('identifier-invalid', [{ field: `${field}/value`, message, fault }])
}

/**
 * To find an identifier by, however it is written. Whose it is is part of it: the same value means another person at another
 * service, unless its scheme is of the whole installation.
 */
export function hashIdentifier({ hash, schemes }: IdentifierKeys, serviceId: string, { scheme, value }: Identifier): Buffer {
  return createHmac('sha256', hash)
    .update(JSON.stringify([namespaceOf(schemes, serviceId, scheme), scheme, normalise(schemes, scheme, value)]))
    .digest()
}

/** `scheme` matters where it is of the whole installation; the seal is then bound to no service. */
export function sealIdentifier(
  { seal: key, schemes }: IdentifierKeys,
  serviceId: string,
  value: string,
  scheme = 'link',
): Buffer {
  return seal(key, namespaceOf(schemes, serviceId, scheme), normalise(schemes, scheme, value))
}

export function openIdentifier(
  { seal: key, schemes }: IdentifierKeys,
  serviceId: string,
  sealed: Buffer,
  scheme = 'link',
): string {
  return unseal(key, namespaceOf(schemes, serviceId, scheme), sealed)
}
