import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Config } from '../config.ts'
import { linkTokenTypes } from './link-token.ts'
import { deriveSigningKey, publicPart } from './signing-key.ts'

/** A site of a public body, as the demo has it: people sign in there by a number, and nothing else. */
export type DemoSite = {
  /** The slug of the service. */
  service: string
  title: string
  organisationName: string
  numberName: string
  example: string
  /** Numbers that the site knows, but for `nobodys`. */
  numbers: RegExp
  nobodys: readonly string[]
}

export const demoServiceFolder = '/demo-service'

/** The side of the service: it checks our requests as any service would, by our published keys, and signs with a key of its own. */
export type DemoService = {
  site: DemoSite
  issuer: string
  publicKeys: { keys: JWK[] }
  /** Throws unless the request is ours, for this service, and not too old. */
  readRequest: (token: string, now: Date) => Promise<{ nonce: string; returnTo: string }>
  signAnswer: (value: string, nonce: string, now: Date) => Promise<string>
  signOffer: (value: string, now: Date) => Promise<string>
}

/** Throws outside demo: whoever reaches one can say that they are anybody. */
export function buildDemoService({ demo, secretKey, baseUrl }: Config, site: DemoSite): DemoService {
  if (!demo) throw new Error('a demo service exists in demo only')
  const issuer = `${baseUrl}${demoServiceFolder}/${site.service}`
  const key = deriveSigningKey(secretKey, `demo service ${site.service}`)

  const sign = async (typ: string, claims: JWTPayload, now: Date) => {
    const seconds = Math.floor(now.getTime() / 1000)
    return new SignJWT({ service: site.service, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid!, typ })
      .setIssuer(issuer)
      .setAudience(baseUrl)
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 300)
      .sign(await importJWK(key, 'ES256'))
  }
  const identifier = (value: string) => ({ scheme: 'link', value })

  return {
    site,
    issuer,
    publicKeys: { keys: [publicPart(key)] },
    async readRequest(token, now) {
      const response = await fetch(`${baseUrl}/linking/jwks.json`, { signal: AbortSignal.timeout(5_000) })
      const { payload } = await jwtVerify(token, createLocalJWKSet((await response.json()) as JSONWebKeySet), {
        typ: linkTokenTypes.request,
        algorithms: ['ES256'],
        issuer: baseUrl,
        audience: issuer,
        requiredClaims: ['sub', 'jti', 'nonce', 'exp', 'iat', 'return_to'],
        currentDate: now,
      })
      return { nonce: String(payload.nonce), returnTo: String(payload.return_to) }
    },
    signAnswer: (value, nonce, now) => sign(linkTokenTypes.answer, { nonce, identifier: identifier(value) }, now),
    signOffer: (value, now) => sign(linkTokenTypes.offer, { identifier: identifier(value) }, now),
  }
}
