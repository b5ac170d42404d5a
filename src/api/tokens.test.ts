import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exportJWK, SignJWT } from 'jose'
import { v4 as randomId } from 'uuid'
import { callApi } from '../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../test/server.ts'
import { scopes } from '../access/rights.ts'
import { buildApp } from '../app.ts'
import { readConfig } from '../config.ts'
import { makeKeysFile } from '../evidence/keys.ts'

describe('POST /oauth/token', () => {
  let server: TestServer
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  before(async () => {
    server = await startServer()
    const { owner } = server.test
    await owner`
      insert into client (id, organisation_id, name, service_ids, scopes)
      select 'with-a-key', organisation_id, 'With a key', service_ids, scopes from client where id = 'demo-sender'`
    await owner`
      insert into client_key (client_id, thumbprint, organisation_id, jwk, added_at, added_by_name)
      select id, 'x', organisation_id, ${owner.json((await exportJWK(publicKey)) as never)}, now(), 'The operator'
      from client where id = 'with-a-key'`
  })
  after(() => server.stop())

  const ask = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.baseUrl}/oauth/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }
  const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`demo-sender:${secret}`).toString('base64')}` })
  const assertion = async ({ audience = server.baseUrl, key = privateKey as KeyObject, id = randomId() } = {}) => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('with-a-key')
      .setSubject('with-a-key')
      .setAudience(audience)
      .setJti(id)
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(key),
  })

  test('gives a client all that it may have when it names no scope, and no more than it names', async () => {
    const all = await ask({}, basic('demo-sender-secret'))
    assert.deepEqual([all.status, all.body.token_type, all.body.scope], [200, 'Bearer', scopes.join(' ')])
    const one = await ask({ scope: 'events:read' }, basic('demo-sender-secret'))
    assert.equal(one.body.scope, 'events:read')
  })

  test('refuses a scope that nobody knows, a wrong secret and an unknown client', async () => {
    assert.deepEqual((await ask({ scope: 'everything' }, basic('demo-sender-secret'))).body.error, 'invalid_scope')
    assert.deepEqual((await ask({}, basic('wrong'))).status, 401)
    assert.equal((await ask({}, { authorization: `Basic ${Buffer.from('nobody:x').toString('base64')}` })).status, 401)
  })

  test('takes private_key_jwt, with the token endpoint or the issuer as its audience', async () => {
    for (const audience of [server.baseUrl, `${server.baseUrl}/oauth/token`]) {
      const { status, body } = await ask(await assertion({ audience }))
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal((await callApi(server, body.access_token, 'GET', '/v1/events')).status, 200)
    }
  })

  test('takes an assertion once, also of two that come at once', async () => {
    const once = await assertion()
    const statuses = await Promise.all([ask(once), ask(once), ask(once)]).then((answers) => answers.map(({ status }) => status))
    assert.deepEqual(statuses.sort(), [200, 401, 401])
  })

  test('refuses an assertion for somebody else, or by another key', async () => {
    assert.equal((await ask(await assertion({ audience: 'https://elsewhere.example' }))).status, 401)
    const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    assert.equal((await ask(await assertion({ key: stranger }))).status, 401)
  })

  test('a token ends by itself, and one of another installation is worth nothing', async () => {
    const token = await takeToken(server)
    const later = readConfig({ DEMO: 'true', BASE_URL: server.baseUrl, LOG_LEVEL: 'silent' })
    const inElevenMinutes = await buildApp(later, server.test.database, () => new Date(Date.now() + 11 * 60_000))
    const elsewhere = await buildApp({ ...later, secretKey: Buffer.alloc(32, 1) }, server.test.database)
    for (const app of [inElevenMinutes, elsewhere]) {
      const answer = await app.inject({ url: '/v1/events', headers: { authorization: `Bearer ${token}` } })
      assert.deepEqual([answer.statusCode, answer.json().code], [401, 'token-invalid'])
      await app.close()
    }
  })
})

describe('outside demo', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  test('there are no secrets and no stand-ins, in a database that was a demo’s', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const folder = mkdtempSync(path.join(tmpdir(), 'dp-'))
    const keysFile = path.join(folder, 'keys.json')
    writeFileSync(keysFile, JSON.stringify(makeKeysFile()))
    const config = readConfig({
      DEMO: 'false',
      BASE_URL: 'https://post.example',
      DATABASE_URL: server.test.url,
      SECRET_KEY: server.config.secretKey.toString('base64'),
      ONE_LOGIN_ISSUER: 'https://oidc.integration.account.gov.uk/',
      ONE_LOGIN_CLIENT_ID: 'x',
      ONE_LOGIN_PRIVATE_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      STAFF_ISSUER: 'https://staff.example/',
      STAFF_CLIENT_ID: 'x',
      STAFF_CLIENT_SECRET: 'x',
      EVIDENCE_KEYS_FILE: keysFile,
      LOG_LEVEL: 'silent',
    })
    rmSync(folder, { recursive: true })
    const app = await buildApp(config, server.test.database)
    const token = await app.inject({
      method: 'POST',
      url: '/oauth/token',
      headers: {
        authorization: `Basic ${Buffer.from('demo-sender:demo-sender-secret').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'grant_type=client_credentials',
    })
    assert.equal(token.statusCode, 401)
    for (const url of [
      '/one-login-stand-in/.well-known/openid-configuration',
      '/staff-stand-in/.well-known/openid-configuration',
    ]) {
      assert.equal((await app.inject({ url })).statusCode, 404)
    }
    for (const url of ['/demo/witness/add-checkpoint', '/demo/time-stamp']) {
      assert.equal((await app.inject({ method: 'POST', url })).statusCode, 404)
    }
    const { headers } = await app.inject({ url: '/' })
    assert.match(
      String(headers['content-security-policy']),
      /form-action 'self' https:\/\/oidc\.integration\.account\.gov\.uk https:\/\/staff\.example https:\/\/\*\.payments\.service\.gov\.uk;/,
    )
    assert.match(String(headers['strict-transport-security']), /max-age=\d+/)
    await app.close()
  })
})
