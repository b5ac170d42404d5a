import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { fetchUserInfo, PrivateKeyJwt } from 'openid-client'
import type { Config } from '../config.ts'
import type { Attempt } from './attempt.ts'
import { type CachedDocument, cacheDocument } from './cached-document.ts'
import { type CoreIdentity, readCoreIdentity } from './core-identity.ts'
import { finishCodeFlow, openProvider, type Provider, startCodeFlow } from './provider.ts'

export const coreIdentityClaim = 'https://vocab.account.gov.uk/v1/coreIdentityJWT'
const hourInSeconds = 3_600

/** GOV.UK One Login, or in demo the stand-in for it, as we who rely on it see it. */
export type OneLogin = {
  provider: Provider
  /** Our public key, for One Login to fetch. */
  publicKeys: { keys: JWK[] }
  identity: { keyDocument: CachedDocument; issuer: string }
}

/** Where One Login is, and where its identity keys are. */
export function oneLoginAddresses(config: Config): { issuer: string; didUrl: string } {
  const issuer = config.oneLogin.issuer ?? `${config.baseUrl}/one-login-stand-in/`
  return { issuer, didUrl: config.oneLogin.didUrl ?? `${issuer}.well-known/did.json` }
}

export async function openOneLogin(config: Config): Promise<OneLogin> {
  const { privateKey, clientId } = config.oneLogin
  const { issuer, didUrl } = oneLoginAddresses(config)
  const { kty, n, e } = createPublicKey(privateKey).export({ format: 'jwk' })
  // The same for every process that has the key, and another as soon as the key is another.
  const kid = await calculateJwkThumbprint({ kty: kty!, n: n!, e: e! })
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const provider = openProvider(config, {
    issuer,
    clientId,
    redirectUri: `${config.baseUrl}/sign-in/callback`,
    authentication: PrivateKeyJwt({ key: privateKey.toCryptoKey(algorithm, false, ['sign']), kid }),
    metadata: { id_token_signed_response_alg: 'ES256' },
  })
  return {
    provider,
    publicKeys: { keys: [{ kty: kty!, n: n!, e: e!, kid, use: 'sig', alg: 'RS256' }] },
    identity: { keyDocument: cacheDocument(provider.call, didUrl, hourInSeconds), issuer: `${new URL(didUrl).origin}/` },
  }
}

/** In which One Login speaks to somebody. */
type Language = 'en' | 'cy'

/** The first request: who is this? */
export function startSignIn({ provider }: OneLogin, to: string, now: Date, language: Language) {
  return startCodeFlow(provider, { purpose: 'sign-in', to }, { vtr: '["Cl.Cm"]', ui_locales: language }, now)
}

type Proving = 'prove-identity' | 'join-mailboxes'

/** The second, with proof of identity: for somebody who is not known here yet, or has two mailboxes. */
export function startIdentityProof(
  { provider }: OneLogin,
  to: string,
  now: Date,
  language: Language,
  purpose: Proving = 'prove-identity',
) {
  const claims = JSON.stringify({ userinfo: { [coreIdentityClaim]: null } })
  return startCodeFlow(provider, { purpose, to }, { vtr: '["Cl.Cm.P2"]', claims, ui_locales: language }, now)
}

export type Arrival = {
  subject: string
  idToken: string
  /** Undefined when it was not asked for, or not proven. */
  identity: CoreIdentity | undefined
}

/** Who has come back from One Login. Throws when anything about the answer is not as it must be. */
export async function finishSignIn(
  { provider, identity }: OneLogin,
  attempt: Attempt,
  answer: URLSearchParams,
  now: Date,
): Promise<Arrival> {
  const { subject, claims, idToken, accessToken } = await finishCodeFlow(provider, attempt, answer, now)
  // Also after a request for P2: what was proven stands in the coreIdentityJWT only.
  if (claims.vot !== 'Cl.Cm') throw new Error('the level of confidence is not the one asked for')
  if (attempt.purpose === 'sign-in') return { subject, idToken, identity: undefined }
  const userInfo = await fetchUserInfo(await provider.configuration(now), accessToken, subject)
  const jwt = userInfo[coreIdentityClaim]
  if (typeof jwt !== 'string') return { subject, idToken, identity: undefined }
  return { subject, idToken, identity: await readCoreIdentity(jwt, { ...identity, clientId: provider.clientId, subject }, now) }
}
