import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type PublicKey, thumbprintOf } from './client-key.ts'
import { findClient } from './find-client.ts'
import { deriveIdentifierKeys } from './identifier.ts'
import { register } from './register.ts'

const now = new Date('2026-11-23T10:00:00Z')
const newKey = () =>
  ({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kty: 'EC' }) as PublicKey & {
    kty: 'EC'
  }

describe('systems in a declaration', () => {
  const [first, second] = [newKey(), newKey()]
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
    await declare([first])
  })
  after(() => test_.drop())

  const declare = (keys: ReturnType<typeof newKey>[], scopes = ['messages:write']) => {
    const client = { id: 'billing', name: 'Billing', services: ['council-tax'], scopes, jwks: { keys } }
    const services = [{ slug: 'council-tax', name: 'Council tax' }]
    const organisations = [{ slug: 'northfold-council', name: 'Northfold Council', services, clients: [client] }]
    const options = { scopes: ['messages:write', 'messages:read'], demo: false }
    return register(test_.database, deriveIdentifierKeys(Buffer.alloc(32, 3)), { organisations }, options, now)
  }
  const keysTaken = async () => (await findClient(test_.database, 'billing', now))?.keys.map((key) => (key as { x: string }).x)
  const version = async () => (await test_.owner`select version from client`)[0]!.version as number
  const newest = async () =>
    (await test_.owner`select what, by_name, approved_by_name from client_change order by id desc limit 1`)[0]

  test('have their keys approved by the operator, without a second person', async () => {
    assert.deepEqual(await keysTaken(), [first.x])
    assert.deepEqual(await newest(), { what: 'key-added', byName: 'The operator', approvedByName: null })
  })

  test('lose a key that is declared no more, and with it the tokens that are out', async () => {
    const before = await version()
    await declare([second])
    assert.deepEqual(await keysTaken(), [second.x])
    assert.ok((await version()) > before)
    assert.equal((await newest())!.what, 'key-removed')
  })

  test('whose scopes change have their tokens end', async () => {
    const before = await version()
    await declare([second], ['messages:read'])
    assert.ok((await version()) > before)
    await declare([second])
  })

  test('do not get a key back that staff have removed, keep one that staff have added, and stay off', async () => {
    const added = newKey()
    await test_.owner`update client_key set removed_at = ${now} where thumbprint = ${await thumbprintOf(second)}`
    await test_.owner`
      insert into staff_member (id, organisation_id, subject, name)
      select '019a0000-0000-7000-8000-000000000001', organisation_id, 'pat', 'Pat' from client`
    await test_.owner`
      insert into client_key (client_id, thumbprint, organisation_id, jwk, added_at, added_by_id, added_by_name)
      select id, ${await thumbprintOf(added)}, organisation_id, ${test_.owner.json(added)}, ${now}, '019a0000-0000-7000-8000-000000000001', 'Pat'
      from client`
    await declare([second])
    assert.deepEqual(await keysTaken(), [added.x])
    await test_.owner`update client set is_active = false`
    await declare([second])
    assert.equal(await findClient(test_.database, 'billing', now), undefined)
  })
})
