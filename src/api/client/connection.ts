import { importJWK, type JWK, SignJWT } from 'jose'
import { ApiError } from './send-lines.ts'

/** How a system proves who it is: its private key, or in a demo its secret. */
export type Credentials = { clientId: string } & ({ key: JWK } | { secret: string })

export type Connection = {
  url: string
  /** An access token that is good for some minutes more. */
  token: () => Promise<string>
  /** Asks the API in JSON; throws an ApiError for what is no success. */
  ask: <Answer>(method: string, address: string, body?: object) => Promise<Answer>
}

/** A token is renewed when it has so long left. */
const renewBeforeMs = 240_000

export function connectTo(url: string, credentials: Credentials, clock: () => Date): Connection {
  let held: { token: string; until: number } | undefined
  const token = async () => {
    if (held && held.until - clock().getTime() > renewBeforeMs) return held.token
    const answer = await takeToken(url, credentials, clock())
    held = { token: answer.access_token, until: clock().getTime() + answer.expires_in * 1_000 }
    return held.token
  }
  return {
    url,
    token,
    async ask<Answer>(method: string, address: string, body?: object): Promise<Answer> {
      const headers = { authorization: `Bearer ${await token()}`, ...(body ? { 'content-type': 'application/json' } : {}) }
      const response = await fetch(`${url}${address}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
      const answer = await response.json().catch(() => ({}))
      if (!response.ok) throw new ApiError(response.status, answer as object, response.headers.get('retry-after') ?? undefined)
      return answer as Answer
    },
  }
}

async function takeToken(
  url: string,
  credentials: Credentials,
  now: Date,
): Promise<{ access_token: string; expires_in: number }> {
  const { clientId } = credentials
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const headers: Record<string, string> = {}
  if ('secret' in credentials) {
    headers.authorization = `Basic ${Buffer.from(`${clientId}:${credentials.secret}`).toString('base64')}`
  } else {
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', await signAssertion(url, clientId, credentials.key, now))
  }
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', headers, body: form })
  const answer = (await response.json().catch(() => ({}))) as {
    access_token?: string
    expires_in?: number
    error_description?: string
  }
  if (!response.ok || answer.access_token === undefined) {
    const title = `No access token: ${answer.error_description ?? `the API answered ${response.status}`}.`
    throw new ApiError(response.status, { code: 'token-invalid', title })
  }
  return { access_token: answer.access_token, expires_in: answer.expires_in ?? 600 }
}

async function signAssertion(url: string, clientId: string, jwk: JWK, now: Date): Promise<string> {
  const alg = jwk.alg ?? ({ RSA: 'PS256', EC: 'ES256', OKP: 'EdDSA' } as Record<string, string>)[jwk.kty ?? ''] ?? 'PS256'
  const seconds = Math.floor(now.getTime() / 1_000)
  return new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg, ...(jwk.kid ? { kid: jwk.kid } : {}) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(url)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(await importJWK(jwk, alg))
}
