import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  type ClientMetadata,
  Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type ServerMetadata,
} from 'openid-client'
import packageJson from '../../package.json' with { type: 'json' }
import type { Config } from '../config.ts'
import type { Attempt, Purpose } from './attempt.ts'
import { type CachedDocument, cacheDocument, directCalls, type Fetch, Unreachable } from './cached-document.ts'

const dayInSeconds = 86_400

/** An OpenID provider, as we who rely on it see it. Nothing is fetched before the first sign-in. */
export type Provider = {
  issuer: string
  clientId: string
  redirectUri: string
  call: Fetch
  /** The endpoints, with our way to authenticate. */
  configuration: (now: Date) => Promise<Configuration>
  /** The keys that the provider signs its tokens with. */
  keys: (now: Date) => JWTVerifyGetKey
}

export type ProviderSettings = {
  issuer: string
  clientId: string
  redirectUri: string
  authentication: ClientAuth
  metadata?: Partial<ClientMetadata>
}

export function openProvider(config: Config, settings: ProviderSettings): Provider {
  const { issuer, clientId, redirectUri, authentication, metadata } = settings
  const call = directCalls(`digital-post/${packageJson.version} (${config.baseUrl})`)
  const discovery = cacheDocument(call, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, dayInSeconds)
  let keySet: { url: string; document: CachedDocument } | undefined
  let known: { server: unknown; configuration: Configuration } | undefined

  async function server(now: Date): Promise<ServerMetadata> {
    const document = (await discovery.read(now)) as ServerMetadata
    // Compared to the letter: One Login's has a slash at its end, and its tokens name it so.
    if (document?.issuer !== issuer) throw new Unreachable('the discovery document is another issuer’s')
    return document
  }

  return {
    issuer,
    clientId,
    redirectUri,
    call,
    async configuration(now) {
      const document = await server(now)
      if (known?.server !== document) {
        const configuration = new Configuration(document, clientId, metadata, authentication)
        configuration[customFetch] = (url, options) => call(url, options as RequestInit)
        if (config.demo && issuer.startsWith('http:')) allowInsecureRequests(configuration)
        known = { server: document, configuration }
      }
      return known.configuration
    },
    keys: (now) => async (header, token) => {
      const url = (await server(now)).jwks_uri ?? ''
      if (keySet?.url !== url) keySet = { url, document: cacheDocument(call, url, dayInSeconds) }
      const find = async (again: boolean) =>
        createLocalJWKSet((await keySet!.document.read(now, again)) as JSONWebKeySet)(header, token)
      return find(false).catch((error) => {
        if (error instanceof errors.JWKSNoMatchingKey) return find(true)
        throw error
      })
    },
  }
}

/** Where to send the browser, and what to remember until it comes back. */
export async function startCodeFlow(
  provider: Provider,
  { purpose, to }: { purpose: Purpose; to: string },
  parameters: Record<string, string>,
  now: Date,
): Promise<{ url: URL; attempt: Attempt }> {
  const attempt = { purpose, to, state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() }
  const url = buildAuthorizationUrl(await provider.configuration(now), {
    redirect_uri: provider.redirectUri,
    scope: 'openid',
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  return { url, attempt }
}

export type Tokens = { subject: string; claims: JWTPayload; idToken: string; accessToken: string }

/** Turns what the browser brought back into checked tokens. Throws when anything is not as it must be. */
export async function finishCodeFlow(provider: Provider, attempt: Attempt, answer: URLSearchParams, now: Date): Promise<Tokens> {
  const url = new URL(provider.redirectUri)
  url.search = answer.toString()
  const tokens = await authorizationCodeGrant(await provider.configuration(now), url, {
    expectedState: attempt.state,
    expectedNonce: attempt.nonce,
    pkceCodeVerifier: attempt.verifier,
    idTokenExpected: true,
  })
  const idToken = tokens.id_token!
  // openid-client has checked the claims, and that the algorithm is the one agreed; the signature too is checked here.
  await compactVerify(idToken, provider.keys(now), { algorithms: ['ES256', 'RS256', 'PS256'] })
  const claims = tokens.claims()!
  return { subject: claims.sub, claims, idToken, accessToken: tokens.access_token }
}

/** Where a browser is sent to be signed out at the provider too; undefined where the provider offers no such thing. */
export async function signOutUrl(provider: Provider, idToken: string, returnTo: string, now: Date): Promise<URL | undefined> {
  const configuration = await provider.configuration(now)
  if (!configuration.serverMetadata().end_session_endpoint) return undefined
  return buildEndSessionUrl(configuration, {
    id_token_hint: idToken,
    post_logout_redirect_uri: returnTo,
    state: randomState(),
  })
}

export const failures = ['temporarily-unavailable', 'refused', 'sign-in-again', 'failed'] as const
export type Failure = (typeof failures)[number]

/** What a failure of a sign-in means for the person. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AuthorizationResponseError) {
    if (error.error === 'temporarily_unavailable') return 'temporarily-unavailable'
    if (error.error === 'access_denied') return 'refused'
    if (error.error === 'login_required') return 'sign-in-again'
  }
  const unreachable = error instanceof Unreachable || (error instanceof Error && error.cause instanceof Unreachable)
  return unreachable ? 'temporarily-unavailable' : 'failed'
}
