import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance } from 'fastify'
import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose'
import { type Config, readConfig } from '../config.ts'
import { openOneLogin } from '../sign-in/one-login.ts'
import { oneLoginSubject } from '../sign-in/stand-in.ts'
import { registerStandIns } from './stand-in.ts'

const people = [{ id: 'ann', givenNames: ['Ann', 'Bea'], familyName: 'Tester', birthDate: '1980-02-29', note: 'Made up.' }]
const coreIdentity = 'https://vocab.account.gov.uk/v1/coreIdentityJWT'
const verifier = 'v'.repeat(43)

let app: FastifyInstance
let config: Config
let issuer: string

before(async () => {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  config = readConfig({ DEMO: 'true', BASE_URL: `http://localhost:${port}` })
  issuer = `${config.baseUrl}/one-login-stand-in/`
  app = fastify({ forceCloseConnections: true })
  await app.register(formbody)
  registerStandIns(app, { config, people, staff: [] })
  const { publicKeys } = await openOneLogin(config)
  app.get('/one-login/jwks.json', () => publicKeys)
  await app.listen({ host: 'localhost', port })
})

after(() => app.close())

const withoutRedirect = { redirect: 'manual' } as const

function authorizeUrl(change: Record<string, string | undefined> = {}): URL {
  const url = new URL(`${issuer}authorize`)
  const parameters = {
    response_type: 'code',
    scope: 'openid',
    client_id: config.oneLogin.clientId,
    state: 'a-state',
    nonce: 'a-nonce',
    redirect_uri: `${config.baseUrl}/sign-in/callback`,
    vtr: '["Cl.Cm"]',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...change,
  }
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}

/** Signs Ann in; answers what our callback would be called with. */
async function authorize(change: Record<string, string | undefined> = {}): Promise<URLSearchParams> {
  const cookies = new Map<string, string>()
  let url = authorizeUrl(change)
  for (;;) {
    const isPage = url.pathname.includes('/interaction/')
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    const page = isPage ? await (await fetch(url, { headers })).text() : ''
    const choice = page.includes('Prove your identity') ? 'outcome=continue' : 'account=ann'
    const form = isPage ? { method: 'POST', body: new URLSearchParams(choice) } : {}
    const response = await fetch(url, { ...withoutRedirect, headers, ...form })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      cookies.set(name!, value!)
    }
    url = new URL(response.headers.get('location')!, config.baseUrl)
    if (url.pathname === '/sign-in/callback') return url.searchParams
  }
}

async function assertion(algorithm = 'RS256', key: Parameters<SignJWT['sign']>[0] = config.oneLogin.privateKey): Promise<string> {
  const { kid } = (await openOneLogin(config)).publicKeys.keys[0]!
  return new SignJWT({ jti: String(Math.random()) })
    .setProtectedHeader({ alg: algorithm, kid })
    .setIssuer(config.oneLogin.clientId)
    .setSubject(config.oneLogin.clientId)
    .setAudience(`${issuer}token`)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key)
}

async function takeTokens(code: string | null, change: Record<string, string> = {}, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: `${config.baseUrl}/sign-in/callback`,
    code_verifier: verifier,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: change.client_assertion ?? (await assertion()),
    ...change,
  })
  const response = await fetch(`${issuer}token`, { method: 'POST', body, headers: { 'user-agent': 'test', ...headers } })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

describe('The stand-in for One Login', () => {
  it('cannot be built outside demo', () => {
    assert.throws(() => registerStandIns(fastify(), { config: { ...config, demo: false }, people, staff: [] }), /demo only/)
  })

  it('names its issuer with a slash at the end', async () => {
    const discovery = await takeJson(`${issuer}.well-known/openid-configuration`)
    assert.equal(discovery.issuer, issuer)
    assert.equal(discovery.token_endpoint, `${issuer}token`)
    assert.deepEqual(discovery.token_endpoint_auth_methods_supported, ['private_key_jwt'])
  })

  const refused: [string, Record<string, string | undefined>, string, string][] = [
    ['P2 without Cl.Cm', { vtr: '["P2"]' }, 'invalid_request', 'Request vtr not valid'],
    ['P2 with Cl only', { vtr: '["Cl.P2"]' }, 'invalid_request', 'Request vtr not valid'],
    ['a vtr that is no JSON', { vtr: 'Cl.Cm' }, 'invalid_request', 'Request vtr not valid'],
    ['no nonce', { nonce: undefined }, 'invalid_request', 'Request is missing nonce parameter'],
    ['no state', { state: undefined }, 'invalid_request', 'Request is missing state parameter'],
    ['an unknown scope', { scope: 'openid profile' }, 'invalid_scope', 'Invalid, unknown or malformed scope'],
    [
      'claims in the ID token',
      { claims: `{"id_token":{"${coreIdentity}":null}}` },
      'invalid_request',
      'Request contains invalid claims',
    ],
  ]
  for (const [name, change, error, description] of refused) {
    it(`refuses ${name}`, async () => {
      const response = await fetch(authorizeUrl(change), withoutRedirect)
      const location = new URL(response.headers.get('location')!)
      assert.deepEqual([location.searchParams.get('error'), location.searchParams.get('error_description')], [error, description])
    })
  }

  it('refuses an address to come back to that is not registered, without going there', async () => {
    const response = await fetch(authorizeUrl({ redirect_uri: 'https://evil.example/' }), withoutRedirect)
    assert.deepEqual([response.status, response.headers.get('location')], [400, null])
  })

  it('refuses direct calls that do not say who calls', async () => {
    for (const [method, path] of [
      ['POST', 'token'],
      ['GET', 'userinfo'],
      ['GET', '.well-known/jwks.json'],
      ['GET', '.well-known/did.json'],
    ]) {
      const response = await fetch(issuer + path, { method, headers: { 'user-agent': '' } })
      assert.equal(response.status, 403, path)
    }
  })

  it('gives tokens only for an assertion signed with our RSA key', async () => {
    const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const unsigned = new UnsecuredJWT({ jti: '1', iss: config.oneLogin.clientId, sub: config.oneLogin.clientId })
    const code = (await authorize()).get('code')
    const wrong = [
      await assertion('ES256', ecKey),
      await assertion('RS256', otherKey),
      unsigned.setAudience(`${issuer}token`).setExpirationTime('5m').encode(),
    ]
    for (const client_assertion of wrong) {
      const { status, body } = await takeTokens(code, { client_assertion })
      assert.deepEqual([status, body.error, body.id_token], [401, 'invalid_client', undefined])
    }
    const { status, body } = await takeTokens(code)
    assert.deepEqual([status, body.expires_in, body.refresh_token], [200, 180, undefined])
  })

  it('refuses an assertion that was used before', async () => {
    const client_assertion = await assertion()
    assert.equal((await takeTokens((await authorize()).get('code'), { client_assertion })).status, 200)
    assert.equal((await takeTokens((await authorize()).get('code'), { client_assertion })).status, 401)
  })

  it('says Cl.Cm in the ID token even when P2 was asked for, and proves P2 in the coreIdentityJWT', async () => {
    const claims = JSON.stringify({ userinfo: { [coreIdentity]: null } })
    const { body } = await takeTokens((await authorize({ vtr: '["Cl.Cm.P2"]', claims })).get('code'))
    const idToken = decodeJwt(body.id_token!)
    assert.equal(decodeProtectedHeader(body.id_token!).alg, 'ES256')
    assert.deepEqual(
      [idToken.iss, idToken.sub, idToken.vot, idToken.exp! - idToken.iat!, idToken.nonce, typeof idToken.vtm, typeof idToken.sid],
      [issuer, oneLoginSubject('ann'), 'Cl.Cm', 120, 'a-nonce', 'string', 'string'],
    )
    const userInfo = await takeUserInfo(body.access_token!)
    assert.deepEqual(Object.keys(userInfo).sort(), [coreIdentity, 'sub'])
    const proof = decodeJwt(userInfo[coreIdentity]!)
    assert.deepEqual([proof.iss, proof.aud, proof.sub, proof.vot], [`${config.baseUrl}/`, 'digital-post', idToken.sub, 'P2'])
    const { assertionMethod } = await takeJson(`${issuer}.well-known/did.json`)
    assert.equal((assertionMethod as { id: string }[])[0]!.id, decodeProtectedHeader(userInfo[coreIdentity]!).kid)
  })

  it('proves nothing where only Cl.Cm was asked for', async () => {
    const claims = JSON.stringify({ userinfo: { [coreIdentity]: null } })
    const { body } = await takeTokens((await authorize({ claims })).get('code'))
    assert.deepEqual(await takeUserInfo(body.access_token!), { sub: oneLoginSubject('ann') })
  })

  it('gives nothing about a person for a token that is not one', async () => {
    const response = await fetch(`${issuer}userinfo`, { headers: { authorization: 'Bearer nonsense' } })
    assert.equal(response.status, 401)
    assert.match(response.headers.get('www-authenticate')!, /invalid_token/)
  })

  it('knows a person by the same subject wherever the demo runs', () => {
    assert.equal(oneLoginSubject('ann'), 'urn:fdc:gov.uk:2022:Pa5CgOfFKLSJXF7ZHvZBe_JGQnB2W5ZWedacP3YjS_8=')
  })
})

async function takeJson(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>
}

async function takeUserInfo(accessToken: string): Promise<Record<string, string>> {
  const response = await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
  return (await response.json()) as Record<string, string>
}
