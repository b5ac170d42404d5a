import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addressedTo } from '../../test/post.ts'
import { within } from '../database/scope.ts'
import { createParty } from './create-party.ts'
import { DeclarationError } from './declaration.ts'
import { findClient } from './find-client.ts'
import { findRecipients } from './find-recipients.ts'
import { deriveIdentifierKeys } from './identifier.ts'
import { register } from './register.ts'
import { listServices } from './services.ts'

const now = new Date('2026-11-23T10:00:00Z')
const keys = deriveIdentifierKeys(Buffer.alloc(32, 3))
const options = { scopes: ['messages:write', 'messages:read'], demo: false }
const newKey = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kty: 'EC' as const,
  kid,
})
const jwks = { keys: [newKey('1')] }

function council() {
  return {
    slug: 'northfold-council',
    name: 'Northfold Council',
    services: [
      { slug: 'council-tax', name: 'Council tax', description: 'Bills and discounts.' },
      { slug: 'parking', name: 'Parking' },
    ],
    clients: [{ id: 'billing', name: 'Billing', services: ['council-tax'], scopes: ['messages:write'], jwks }],
    staff: [{ subject: 'staff-1', name: 'Sam Placeholder', services: ['council-tax', 'parking'] }],
    links: [] as { service: string; identifier: { scheme: string; value: string }; party: string }[],
  }
}

describe('registering public bodies', () => {
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  const person = (name: string) =>
    within(test_.database, { purpose: 'registry' }, (sql) => createParty(sql, { kind: 'person', name }, now))

  /** All rows with the transaction that wrote them: a row that is written again shows. */
  const rows = async () => {
    const tables = [
      ...['party', 'mailbox', 'organisation', 'service', 'client', 'client_key', 'client_change'],
      ...['staff_member', 'staff_role', 'staff_change', 'link'],
    ]
    return Promise.all(
      tables.map((table) => test_.owner.unsafe(`select xmin::text, t.*::text as row from ${table} t order by 2`).values()),
    )
  }

  const fieldsOf = async (declaration: unknown) => {
    const before = await rows()
    let fields: unknown
    await assert.rejects(register(test_.database, keys, declaration, options, now), (error) => {
      assert.ok(error instanceof DeclarationError)
      fields = error.fields.map(({ field, message }) => `${field} ${message}`)
      for (const line of fields as string[]) assert.ok(error.message.includes(line))
      return true
    })
    assert.deepEqual(await rows(), before, 'nothing of a refused declaration is kept')
    return fields
  }

  test('brings services, systems, staff and links to what the declaration says, and again changes nothing', async () => {
    const rosa = await person('Rosa Example')
    const declaration = {
      organisations: [
        { ...council(), links: [{ service: 'council-tax', identifier: { scheme: 'link', value: 'CT-1' }, party: rosa.partyId }] },
      ],
    }
    await register(test_.database, keys, declaration, options, now)
    const services = await listServices(test_.database)
    assert.deepEqual(
      services.map(({ slug, organisationName }) => [slug, organisationName]),
      [
        ['council-tax', 'Northfold Council'],
        ['parking', 'Northfold Council'],
      ],
    )
    const identifier = { scheme: 'link', value: 'CT-1' }
    assert.deepEqual(await findRecipients(test_.database, [addressedTo(keys, services[0]!.id, identifier)]), [rosa])
    assert.deepEqual(
      [...(await test_.owner`select id, service_ids, scopes, demo_secret from client`)],
      [{ id: 'billing', serviceIds: [services[0]!.id], scopes: ['messages:write'], demoSecret: null }],
    )
    assert.deepEqual((await findClient(test_.database, 'billing', now))?.keys, jwks.keys)
    const before = await rows()
    await register(test_.database, keys, declaration, options, new Date(now.getTime() + 1000))
    assert.deepEqual(await rows(), before)
  })

  test('changes what has changed, and keeps the ids', async () => {
    const changed = council()
    changed.name = 'Northfold and Eastfold Council'
    changed.services[1] = { slug: 'parking', name: 'Parking and permits' }
    changed.clients[0]!.services = ['council-tax', 'parking']
    const before = await listServices(test_.database)
    await register(test_.database, keys, { organisations: [changed] }, options, now)
    const services = await listServices(test_.database)
    assert.deepEqual(
      services.map(({ id, name, organisationName }) => [id, name, organisationName]),
      [
        [before[0]!.id, 'Council tax', 'Northfold and Eastfold Council'],
        [before[1]!.id, 'Parking and permits', 'Northfold and Eastfold Council'],
      ],
    )
    const [client] = await test_.owner`select service_ids from client`
    assert.deepEqual(client!.serviceIds, [before[0]!.id, before[1]!.id])
  })

  test('works once when two do it at the same time', async () => {
    const parish = {
      ...council(),
      slug: 'eastfold-parish',
      services: [{ slug: 'allotments', name: 'Allotments' }],
      clients: [],
      staff: [],
    }
    await Promise.all([1, 2, 3].map(() => register(test_.database, keys, { organisations: [parish] }, options, now)))
    assert.equal((await listServices(test_.database, { organisationSlug: 'eastfold-parish' })).length, 1)
    const [{ parties }] = (await test_.owner`
      select count(*)::int as parties from party where name = ${parish.name}`) as unknown as [{ parties: number }]
    assert.equal(parties, 1)
  })

  test('names every field that does not fit', async () => {
    const wrong = {
      organisations: [
        { ...council(), slug: 'Northfold Council', colour: 'red', services: [{ name: '' }] },
        { ...council(), clients: [{ ...council().clients[0], jwks: { keys: [{ kty: 'oct' }] } }] },
      ],
    }
    assert.deepEqual(await fieldsOf(wrong), [
      '/organisations/0/colour is not a field of a declaration',
      '/organisations/0/slug must match pattern "^[a-z0-9][a-z0-9-]{0,62}$"',
      '/organisations/0/services/0/slug is missing',
      '/organisations/0/services/0/name must not have fewer than 1 characters',
      '/organisations/1/clients/0/jwks/keys/0/kty must be one of RSA, EC, OKP',
    ])
    assert.deepEqual(await fieldsOf(null), [' must be object'])
  })

  test('names what is repeated, unknown, secret, or for a demo only', async () => {
    const wrong = council()
    const client = wrong.clients[0]!
    const declaration = {
      organisations: [
        {
          ...wrong,
          services: [...wrong.services, { slug: 'parking', name: 'Again' }],
          clients: [
            { ...client, services: ['libraries'], scopes: ['messages:burn'] },
            { ...client, id: 'b', jwks: { keys: [{ ...jwks.keys[0], d: 'private' }] } },
            { ...client, id: 'c', jwks: undefined },
            { ...client, id: 'd', jwks: undefined, demoSecret: 'known-to-all' },
          ],
        },
      ],
    }
    assert.deepEqual(await fieldsOf(JSON.parse(JSON.stringify(declaration))), [
      '/organisations/0/services/2/slug is the same as that of another',
      '/organisations/0/clients/0/services/0 is not the slug of a service of this organisation',
      '/organisations/0/clients/0/scopes/0 must be one of messages:write, messages:read',
      '/organisations/0/clients/1/jwks/keys/0/d is the private part of a key: give the public key only',
      '/organisations/0/clients/2/jwks is missing',
      '/organisations/0/clients/3/demoSecret works in a demo only: give jwks',
    ])
  })

  test('takes nothing from another organisation, and turns no link to another party', async () => {
    const other = await person('Arthur Sample')
    const stranger = { ...council(), slug: 'southfold-council', name: 'Southfold Council' }
    assert.deepEqual(await fieldsOf({ organisations: [stranger] }), [
      '/organisations/0/services/0/slug belongs to another organisation',
      '/organisations/0/services/1/slug belongs to another organisation',
      '/organisations/0/clients/0/id belongs to another organisation',
      '/organisations/0/staff/0/subject belongs to another organisation',
    ])
    const identifier = { scheme: 'link', value: 'CT-1' }
    const links = [
      { service: 'council-tax', identifier, party: other.partyId },
      { service: 'council-tax', identifier, party: '00000000-0000-7000-8000-000000000000' },
    ]
    assert.deepEqual(await fieldsOf({ organisations: [{ ...council(), links }] }), [
      '/organisations/0/links/0/identifier already means another party',
      '/organisations/0/links/1/party is the id of no party',
    ])
  })

  test('says which services hold their batches, and which want two people to release one, and which send urgent letters', async () => {
    const declare = async (more: object) => {
      const services = [{ slug: 'ports', name: 'Ports', ...more }]
      const declaration = { organisations: [{ slug: 'harbour', name: 'Harbour', services }] }
      await register(test_.database, keys, declaration, options, now)
      const [row] = await test_.owner`select hold_batches, release_by_two, sends_urgent from service where slug = 'ports'`
      return { ...row }
    }
    const all = await declare({ holdBatches: true, releaseByTwo: true, urgent: true })
    assert.deepEqual(all, { holdBatches: true, releaseByTwo: true, sendsUrgent: true })
    assert.deepEqual(await declare({}), { holdBatches: false, releaseByTwo: false, sendsUrgent: false })
  })

  test('brings registrars, switches one off, and refuses two of one subject', async () => {
    const bring = (registrars: object[]) =>
      register(test_.database, keys, { organisations: [council()], registrars }, options, now)
    const known = async () => [...(await test_.owner`select subject, name, is_active from registrar order by subject`.values())]
    const [bo, cy] = [
      { subject: 'registrar-1', name: 'Bo Dummyname' },
      { subject: 'registrar-2', name: 'Cy Dummyname' },
    ]
    await bring([bo, cy])
    await bring([{ ...bo, name: 'Bo Other', active: false }])
    assert.deepEqual(await known(), [
      ['registrar-1', 'Bo Other', false],
      ['registrar-2', 'Cy Dummyname', true],
    ])
    await assert.rejects(bring([bo, { ...cy, subject: bo.subject }]), (error) => {
      assert.ok(error instanceof DeclarationError)
      assert.deepEqual(error.fields, [{ field: '/registrars/1/subject', message: 'is the same as that of another' }])
      return true
    })
  })
})
