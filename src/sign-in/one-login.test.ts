import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type JWTPayload, SignJWT } from 'jose'
import packageJson from '../../package.json' with { type: 'json' }
import { readConfig } from '../config.ts'
import type { Attempt } from './attempt.ts'
import { coreIdentityClaim, finishSignIn, type OneLogin, openOneLogin, startIdentityProof } from './one-login.ts'
import { failureOf } from './provider.ts'

// A One Login that lies: what ours refuses here, the stand-in would never say.

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const subject = 'urn:fdc:gov.uk:2022:person'

let server: Server
let origin: string
let oneLogin: OneLogin
let calls: { path: string; userAgent: string | undefined }[] = []
let lies: Lies = {}
type Lies = {
  idToken?: object
  header?: object
  key?: KeyObject
  userInfo?: object
  issuer?: string
  status?: Record<string, number>
}

before(async () => {
  server = createServer(answer).listen(0, 'localhost')
  await once(server, 'listening')
  origin = `http://localhost:${(server.address() as { port: number }).port}`
})

after(() => {
  server.close()
  server.closeAllConnections()
})

beforeEach(async () => {
  lies = {}
  calls = []
  oneLogin = await openOneLogin(
    readConfig({
      DEMO: 'true',
      ONE_LOGIN_ISSUER: `${origin}/`,
      ONE_LOGIN_CLIENT_ID: 'client',
      ONE_LOGIN_DID_URL: `${origin}/did.json`,
      BASE_URL: 'http://localhost:1',
    }),
  )
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url!
  calls.push({ path, userAgent: request.headers['user-agent'] })
  const answers: Record<string, () => Promise<unknown>> = {
    '/.well-known/openid-configuration': async () => ({
      issuer: lies.issuer ?? `${origin}/`,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      userinfo_endpoint: `${origin}/userinfo`,
      jwks_uri: `${origin}/jwks.json`,
    }),
    '/jwks.json': async () => ({ keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] }),
    '/token': async () => ({ access_token: 'at', token_type: 'Bearer', expires_in: 180, id_token: await idToken() }),
    '/userinfo': async () => ({ sub: subject, ...lies.userInfo }),
  }
  const body = await answers[path]?.()
  response.writeHead(lies.status?.[path] ?? (body ? 200 : 404), { 'content-type': 'application/json' })
  response.end(JSON.stringify(body ?? {}))
}

let attempt: Attempt

async function idToken(): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: `${origin}/`, aud: 'client', sub: subject, iat: now, exp: now + 120, nonce: attempt.nonce, vot: 'Cl.Cm' }
  return new SignJWT({ ...claims, ...lies.idToken } as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...lies.header })
    .sign(lies.key ?? key.privateKey)
}

async function signIn(answer: Record<string, string> = { code: 'abc' }) {
  attempt = (await startIdentityProof(oneLogin, '/inbox', new Date(), 'en')).attempt
  return finishSignIn(oneLogin, attempt, new URLSearchParams({ state: attempt.state, ...answer }), new Date())
}

describe('The answer of One Login', () => {
  it('without proof of identity is an arrival without an identity', async () => {
    const { idToken, ...arrival } = await signIn()
    assert.deepEqual(arrival, { subject, identity: undefined })
    assert.equal(idToken.split('.').length, 3)
  })

  it('is fetched by calls that all say who calls', async () => {
    await signIn()
    assert.deepEqual(calls.map(({ path }) => path).sort(), [
      '/.well-known/openid-configuration',
      '/jwks.json',
      '/token',
      '/userinfo',
    ])
    for (const { userAgent } of calls) assert.equal(userAgent, `digital-post/${packageJson.version} (http://localhost:1)`)
    await signIn()
    assert.equal(calls.length, 6, 'discovery and keys are kept')
  })

  const past = Math.floor(Date.now() / 1000) - 3_600
  const refused: [string, Lies][] = [
    ['of another issuer', { idToken: { iss: 'https://evil.example/' } }],
    ['for another client', { idToken: { aud: 'other' } }],
    ['with another nonce', { idToken: { nonce: 'other' } }],
    ['without a nonce', { idToken: { nonce: undefined } }],
    ['that has expired', { idToken: { iat: past, exp: past + 120 } }],
    ['of a lower level of confidence', { idToken: { vot: 'Cl' } }],
    ['without a level of confidence', { idToken: { vot: undefined } }],
    ['without a subject', { idToken: { sub: undefined } }],
    ['signed by somebody else', { key: otherKey.privateKey }],
    ['by a key that is not known', { header: { kid: 'k2' } }],
    ['with user info of another person', { userInfo: { sub: 'urn:fdc:gov.uk:2022:other' } }],
    ['with a proof of identity that is none', { userInfo: { [coreIdentityClaim]: 'nonsense' } }],
  ]
  for (const [name, said] of refused) {
    it(`${name} is refused`, async () => {
      lies = said
      await assert.rejects(signIn(), (error) => failureOf(error) === 'failed')
    })
  }

  it('with another state is refused', async () => {
    await assert.rejects(signIn({ code: 'abc', state: 'other' }), (error) => failureOf(error) === 'failed')
  })

  it('is told apart by its error', async () => {
    for (const [error, failure] of [
      ['temporarily_unavailable', 'temporarily-unavailable'],
      ['access_denied', 'refused'],
      ['login_required', 'sign-in-again'],
      ['server_error', 'failed'],
    ]) {
      await assert.rejects(signIn({ error: error! }), (thrown) => failureOf(thrown) === failure)
    }
  })

  it('that does not come means that it is unavailable', async () => {
    for (const path of ['/.well-known/openid-configuration', '/jwks.json', '/token', '/userinfo']) {
      lies = { status: { [path]: 503 } }
      oneLogin = await openOneLogin(
        readConfig({
          DEMO: 'true',
          ONE_LOGIN_ISSUER: `${origin}/`,
          ONE_LOGIN_CLIENT_ID: 'client',
          ONE_LOGIN_DID_URL: `${origin}/did.json`,
        }),
      )
      await assert.rejects(signIn(), (error) => failureOf(error) === 'temporarily-unavailable', path)
    }
  })

  it('is not asked for where the discovery document names the issuer without its slash', async () => {
    lies = { issuer: origin }
    await assert.rejects(signIn())
    assert.deepEqual(
      calls.map(({ path }) => path),
      ['/.well-known/openid-configuration'],
    )
  })
})
