import { createHmac, randomUUID } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import packageJson from '../../package.json' with { type: 'json' }
import type { Config } from '../config.ts'
import { Identifier } from '../registry/identifier.ts'
import type { LinkStatement } from '../registry/link-receive.ts'
import { type LinkRefusal, linkedScheme, type Refused, tokenMinutes } from '../registry/link-request.ts'
import type { LinkingService } from '../registry/link-services.ts'
import { deriveKey } from '../seal.ts'
import { type CachedDocument, cacheDocument, directCalls, type Fetch, Unreachable } from './cached-document.ts'
import { deriveSigningKey, publicPart } from './signing-key.ts'

/** The `typ` of each token: what was signed for one use is not taken for another, nor a system's assertion for either. */
export const linkTokenTypes = { request: 'link-request+jwt', answer: 'link-answer+jwt', offer: 'link-offer+jwt' } as const
export type LinkTokenKind = 'answer' | 'offer'

const tokenCharactersMax = 8_000
const keysMaxAgeSeconds = 3_600
const clockToleranceSeconds = 30

const shared = {
  service: Type.String({ minLength: 1, maxLength: 63 }),
  jti: Type.String({ minLength: 8, maxLength: 255 }),
  iat: Type.Integer(),
  exp: Type.Integer(),
  identifier: Type.Object({ ...Identifier.properties, scheme: Type.Literal(linkedScheme) }),
}
/** What an answer and an offer must say, beside `iss` and `aud` (docs/service-links.md). */
const Claims = {
  answer: Type.Object({ ...shared, nonce: Type.String({ minLength: 1, maxLength: 255 }) }),
  offer: Type.Object(shared),
}

/** Our side of linking: we sign requests, and check what services sign. */
export type Linking = {
  baseUrl: string
  key: JWK
  /** For services to fetch. */
  publicKeys: { keys: JWK[] }
  subjectKey: Buffer
  call: Fetch
  /** Of each service that has answered: its JWKS, by address. */
  keySets: Map<string, CachedDocument>
}

export function openLinking({ secretKey, baseUrl }: Pick<Config, 'secretKey' | 'baseUrl'>): Linking {
  const key = deriveSigningKey(secretKey, 'link requests')
  return {
    baseUrl,
    key,
    publicKeys: { keys: [publicPart(key)] },
    subjectKey: deriveKey(secretKey, 'link subject'),
    call: directCalls(`digital-post/${packageJson.version} (${baseUrl})`),
    keySets: new Map(),
  }
}

export const answerPath = '/linking/answer'

/** Where to send the browser: the service's address, with our signed request. It names nobody: the subject is one for this service alone. */
export async function requestAddress(
  { baseUrl, key, subjectKey }: Linking,
  service: LinkingService,
  { partyId, nonce }: { partyId: string; nonce: string },
  now: Date,
): Promise<URL> {
  const subject = createHmac('sha256', subjectKey)
    .update(JSON.stringify([service.id, partyId]))
    .digest('base64url')
  const seconds = Math.floor(now.getTime() / 1000)
  const request = await new SignJWT({ service: service.slug, nonce, return_to: baseUrl + answerPath })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid!, typ: linkTokenTypes.request })
    .setIssuer(baseUrl)
    .setAudience(service.issuer)
    .setSubject(subject)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + tokenMinutes * 60)
    .sign(await importJWK(key, 'ES256'))
  const url = new URL(service.address)
  url.searchParams.set('request', request)
  return url
}

/**
 * Checks what a service has signed. It names its service itself; whose keys count, and who must have signed, is the
 * registry's word. `find` looks a service up by its slug.
 */
export async function readLinkToken(
  linking: Linking,
  kind: LinkTokenKind,
  token: string,
  find: (slug: string) => Promise<LinkingService | undefined>,
  now: Date,
): Promise<{ statement: LinkStatement; service: LinkingService } | (Refused & { service?: LinkingService })> {
  const slug = slugIn(token)
  if (slug === undefined) return { refused: 'unreadable' }
  const service = await find(slug)
  if (service === undefined) return { refused: 'unknown-service' }
  try {
    const { payload } = await jwtVerify(token, keysOf(linking, service, now), {
      typ: linkTokenTypes[kind],
      algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      issuer: service.issuer,
      audience: linking.baseUrl,
      maxTokenAge: tokenMinutes * 60,
      clockTolerance: clockToleranceSeconds,
      currentDate: now,
    })
    const refused = refuseClaims(kind, payload)
    if (refused !== undefined) return { refused, service }
    const { jti, exp, identifier, nonce } = payload as Static<(typeof Claims)['answer']>
    const tokenEndsAt = new Date((exp + clockToleranceSeconds) * 1000)
    const said = { serviceId: service.id, issuer: service.issuer, tokenId: jti, tokenEndsAt }
    return { service, statement: { ...said, identifier, nonce: kind === 'answer' ? nonce : undefined } }
  } catch (error) {
    return { refused: refusalOf(error), service }
  }
}

/** Which service a token says that it is of. Nothing is believed yet. */
function slugIn(token: string): string | undefined {
  if (token.length > tokenCharactersMax) return undefined
  try {
    const { service } = decodeJwt(token)
    return typeof service === 'string' && service.length <= 63 ? service : undefined
  } catch {
    return undefined
  }
}

function refuseClaims(kind: LinkTokenKind, payload: JWTPayload): LinkRefusal | undefined {
  if (kind === 'answer' && payload.nonce === undefined) return 'nonce'
  if (!Check(shared.identifier, payload.identifier) || !payload.identifier.value.trim()) return 'identifier'
  if (!Check(Claims[kind], payload)) return 'unreadable'
  return payload.exp - payload.iat > tokenMinutes * 60 ? 'old' : undefined
}

function keysOf({ keySets, call }: Linking, { jwksUrl }: LinkingService, now: Date): JWTVerifyGetKey {
  const document = keySets.get(jwksUrl) ?? cacheDocument(call, jwksUrl, keysMaxAgeSeconds)
  keySets.set(jwksUrl, document)
  return (header, token) => {
    const find = async (again: boolean) => createLocalJWKSet((await document.read(now, again)) as JSONWebKeySet)(header, token)
    return find(false).catch((error) => {
      if (error instanceof errors.JWKSNoMatchingKey) return find(true)
      throw error
    })
  }
}

function refusalOf(error: unknown): LinkRefusal {
  if (error instanceof Unreachable || error instanceof errors.JWKSInvalid) return 'keys-unreachable'
  if (error instanceof errors.JWTExpired) return 'old'
  if (error instanceof errors.JWTClaimValidationFailed) {
    const iat = error.reason === 'missing' ? 'unreadable' : 'old'
    const of: Partial<Record<string, LinkRefusal>> = { iss: 'issuer', aud: 'audience', iat, nbf: 'old' }
    return of[error.claim] ?? 'unreadable'
  }
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return 'unreadable'
  // A key of the service's that is no key is reported in many ways.
  return 'signature'
}
