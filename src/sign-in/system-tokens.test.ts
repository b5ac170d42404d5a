import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { exportJWK, SignJWT } from 'jose'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { until } from '../../test/until.ts'
import type { Actor } from '../access/actor.ts'
import { scopeOf } from '../access/scope-of.ts'
import { buildApp } from '../app.ts'
import { type Config, readConfig } from '../config.ts'
import { connect, type Database } from '../database/connect.ts'
import { addressFor, deriveLogins } from '../database/roles.ts'
import { within } from '../database/scope.ts'
import type { Effect } from '../registry/approval.ts'
import { addKey, addSystem } from '../registry/client-add.ts'
import type { NewSystem, NewSystemKey } from '../registry/client-ask.ts'
import { endClientKey } from '../registry/client-end-key.ts'
import { type PublicKey, readPublicKey, thumbprintOf } from '../registry/client-key.ts'
import { findSystem } from '../registry/client-list.ts'
import { switchClient } from '../registry/client-switch.ts'

describe('access tokens of a system', () => {
  const started = Date.now()
  let test_: TestDatabase
  let config: Config
  let post: Post
  let manager: Actor
  let otherPool: Database
  let apps: FastifyInstance[]
  let clientId: string
  let keyPairs: ReturnType<typeof newKeyPair>[]
  const newKeyPair = () => generateKeyPairSync('ed25519')
  /** Ahead of the real time, as tests want. */
  let aheadMs = 0
  const now = () => new Date(Date.now() + aheadMs)

  before(async () => {
    // Processes ask by themselves only when a test says so: what comes otherwise was heard.
    mock.timers.enable({ apis: ['setInterval'] })
    test_ = await createTestDatabase()
    config = readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' })
    post = await buildPost(test_, config.secretKey)
    manager = await addClerk(post, 'Manager', [{ serviceId: post.serviceId, role: 'systems-manager' }])
    otherPool = connect(addressFor(test_.url, deriveLogins(config.secretKey).program), 3)
    apps = await Promise.all([test_.database, otherPool].map((pool) => buildApp(config, pool, now)))
    await Promise.all(apps.map((app) => app.listen({ host: '127.0.0.1', port: 0 })))
  })
  after(async () => {
    await Promise.all(apps.map((app) => app.close()))
    await otherPool.end({ timeout: 2 })
    await test_.drop()
    mock.timers.reset()
  })
  beforeEach(async () => {
    aheadMs = 0
    keyPairs = [newKeyPair(), newKeyPair()]
    const [first, second] = await Promise.all(keyPairs.map(asKey))
    const what: NewSystem = { name: `System ${randomUUID()}`, scopes: ['events:read'], ...first! }
    await approve(addSystem, what)
    clientId = (await test_.owner<{ id: string }[]>`select id from client where name = ${what.name}`)[0]!.id
    await approve(addKey, { clientId, name: what.name, ...second! } satisfies NewSystemKey)
  })

  const asKey = async ({ publicKey }: ReturnType<typeof newKeyPair>) => {
    const key = readPublicKey(await exportJWK(publicKey)) as PublicKey
    return { key, thumbprint: await thumbprintOf(key) }
  }
  const approve = (effect: Effect, what: object) =>
    within(post.db, scopeOf(manager), (sql) => {
      const asked = {
        id: randomUUID(),
        organisationId: manager.partyId,
        serviceIds: [post.serviceId],
        what,
        kind: 'client',
      } as never
      return effect(sql, { ...(asked as object), askedBy: manager.by } as never, { id: manager.by.id, name: 'Approver' }, now())
    })

  const ask = async (keyPair = keyPairs[0]!, app = apps[0]!) => {
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(config.baseUrl)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(keyPair.privateKey)
    const { port } = app.server.address() as { port: number }
    const response = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    })
    const body = (await response.json()) as { access_token: string; error?: string }
    return { status: response.status, ...body }
  }
  const statuses = (token: string) =>
    Promise.all(
      apps.map(async (app) => {
        const answer = await app.inject({ url: '/v1/events', headers: { authorization: `Bearer ${token}` } })
        return answer.statusCode === 200 ? 200 : `${answer.statusCode} ${answer.json().code}`
      }),
    )
  const become = async (token: string, wanted: unknown[]) => {
    await until(async () => isDeepStrictEqual(await statuses(token), wanted), `${wanted.join(' and ')} for the token`)
  }
  const invalid = '401 token-invalid'

  test('end at once in every process when it is switched off, and are worth nothing when it is on again', async () => {
    const { access_token: token } = await ask()
    assert.deepEqual(await statuses(token), [200, 200])
    await switchClient(post.db, manager, { clientId, isActive: false }, now())
    await become(token, [invalid, invalid])
    const refused = await ask(keyPairs[0], apps[1])
    assert.deepEqual([refused.status, refused.error], [401, 'invalid_client'])
    await switchClient(post.db, manager, { clientId, isActive: true }, now())
    assert.deepEqual(await statuses(token), [invalid, invalid])
    await become((await ask()).access_token, [200, 200])
    assert.deepEqual(await statuses(token), [invalid, invalid])
  })

  test('of another system go on', async () => {
    const { access_token: token } = await ask()
    const before = clientId
    await approve(addSystem, { name: 'Another', scopes: ['events:read'], ...(await asKey(newKeyPair())) })
    const [other] = await test_.owner<{ id: string }[]>`select id from client where name = 'Another'`
    await switchClient(post.db, manager, { clientId: other!.id, isActive: false }, now())
    clientId = before
    await sleep(100)
    assert.deepEqual(await statuses(token), [200, 200])
  })

  test('end when a key of it is removed; with its other key it gets new ones', async () => {
    const { access_token: token } = await ask()
    assert.deepEqual(await statuses(token), [200, 200])
    await endClientKey(post.db, manager, { clientId, ...(await asKey(keyPairs[0]!)) }, now())
    await become(token, [invalid, invalid])
    assert.equal((await ask(keyPairs[0])).status, 401)
    await become((await ask(keyPairs[1])).access_token, [200, 200])
  })

  test('are got with a key until the day that was set for it, which only comes nearer', async () => {
    const { thumbprint } = await asKey(keyPairs[0]!)
    const inHours = (hours: number) => new Date(started + hours * 3_600_000)
    await endClientKey(post.db, manager, { clientId, thumbprint, at: inHours(2) }, now())
    await endClientKey(post.db, manager, { clientId, thumbprint, at: inHours(5) }, now())
    assert.equal((await ask(keyPairs[0])).status, 200)
    aheadMs = 3 * 3_600_000
    assert.equal((await ask(keyPairs[0])).status, 401)
    assert.equal((await ask(keyPairs[1])).status, 200)
  })

  test('end also where nothing was heard of the change', async () => {
    const { access_token: token } = await ask()
    assert.deepEqual(await statuses(token), [200, 200])
    await test_.owner`update client set version = version + 1, changed_at = ${now()} where id = ${clientId}`
    assert.deepEqual(await statuses(token), [200, 200])
    mock.timers.tick(5_000)
    await become(token, [invalid, invalid])
  })

  test('end at once also after the listeners’ connections were cut', async () => {
    const { access_token: token } = await ask()
    assert.deepEqual(await statuses(token), [200, 200])
    const listeners = async () =>
      (
        await test_.owner<{ pid: number }[]>`
          select pid from pg_stat_activity where datname = current_database() and query ilike 'listen%' and state = 'idle'`
      ).map(({ pid }) => pid)
    const cut = await listeners()
    assert.equal(cut.length, 2)
    await test_.owner`select pg_terminate_backend(pid) from unnest(${cut}::int[]) as pid`
    await until(async () => {
      const there = await listeners()
      return there.length === 2 && !there.some((pid) => cut.includes(pid))
    }, 'listeners again')
    await switchClient(post.db, manager, { clientId, isActive: false }, now())
    await become(token, [invalid, invalid])
  })

  test('leave the time when one was got, at most once a minute', async () => {
    const lastUsed = async () => (await findSystem(post.db, manager, clientId, now())).lastUsedAt
    assert.equal(await lastUsed(), null)
    await ask()
    const first = await lastUsed()
    assert.ok(first !== null)
    aheadMs = 30_000
    await ask()
    assert.deepEqual(await lastUsed(), first)
    aheadMs = 61_000
    await ask()
    assert.ok((await lastUsed())! > first)
  })
})
