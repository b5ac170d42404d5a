import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { DeclarationError, type DeclaredContacts } from './declaration.ts'
import { deriveIdentifierKeys } from './identifier.ts'
import { register } from './register.ts'

const keys = deriveIdentifierKeys(Buffer.alloc(32, 3))
const now = new Date('2026-11-23T10:00:00Z')

const fines = { slug: 'fines', service: 'parking', group: 'inner', name: { en: 'Fines' } }
const groups = [
  { slug: 'inner', group: 'outer', name: { en: 'Inner' } },
  { slug: 'outer', name: { en: 'Outer', cy: 'Allanol' } },
]

describe('registering contact points', () => {
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  const bring = (contacts?: unknown) => {
    const services = [
      { slug: 'parking', name: 'Parking', description: 'Permits and fines.' },
      { slug: 'libraries', name: 'Libraries' },
    ]
    const council = { slug: 'northfold-council', name: 'Northfold Council', services, ...(contacts ? { contacts } : {}) }
    return register(test_.owner, keys, { organisations: [council] }, { scopes: [], demo: false }, now)
  }
  const points = () => test_.owner`
    select point.slug, service.slug as service, contact_group.slug as in_group, point.name ->> 'en' as name, point.active, point.version
    from contact_point point join service on service.id = service_id left join contact_group on contact_group.id = group_id
    order by point.slug`
  const versions = () => test_.owner`
    select xmin::text, id from contact_point union all select xmin::text, id from contact_group order by id`

  test('gives every service a general point, by its own name', async () => {
    await bring()
    assert.deepEqual(
      [...(await points())],
      [
        { slug: 'libraries', service: 'libraries', inGroup: null, name: 'Libraries', active: true, version: 1 },
        { slug: 'parking', service: 'parking', inGroup: null, name: 'Parking', active: true, version: 1 },
      ],
    )
  })

  test('brings groups and points to what the declaration says, and again changes nothing', async () => {
    const contacts: DeclaredContacts = { groups, points: [{ ...fines, asks: [{ label: { en: 'Number' } }] }] }
    await bring(contacts)
    const [row] = (await points()).filter(({ slug }) => slug === 'fines')
    assert.deepEqual({ ...row }, { slug: 'fines', service: 'parking', inGroup: 'inner', name: 'Fines', active: true, version: 1 })
    const before = await versions()
    await bring(contacts)
    assert.deepEqual(await versions(), before)
  })

  test('changes what has changed, and leaves what is not named', async () => {
    await bring({ groups, points: [{ ...fines, group: 'outer', name: { en: 'Parking fines' }, active: false }] })
    const rows = await points()
    assert.equal(rows.length, 3)
    const [row] = rows.filter(({ slug }) => slug === 'fines')
    assert.deepEqual(
      { ...row },
      { slug: 'fines', service: 'parking', inGroup: 'outer', name: 'Parking fines', active: false, version: 2 },
    )
  })

  test('names every field that is wrong, and keeps nothing', async () => {
    const before = await versions()
    const fieldsOf = async (contacts: unknown) => {
      let fields: string[] = []
      await assert.rejects(bring(contacts), (error) => {
        assert.ok(error instanceof DeclarationError)
        fields = error.fields.map(({ field, message }) => `${field.replace('/organisations/0/contacts', '')} ${message}`)
        return true
      })
      assert.deepEqual(await versions(), before)
      return fields
    }
    assert.deepEqual(
      await fieldsOf({
        groups: [
          { slug: 'a', group: 'b', name: { en: 'A' } },
          { slug: 'b', group: 'a', name: { en: 'B' } },
          { slug: 'b', group: 'c', name: { en: 'B' } },
        ],
        points: [{ ...fines, group: 'd', service: 'bins' }, fines],
      }),
      [
        '/groups/2/slug is the same as that of another',
        '/points/1/slug is the same as that of another',
        '/groups/2/group is not the slug of a group of these contacts',
        '/points/0/group is not the slug of a group of these contacts',
        '/points/1/group is not the slug of a group of these contacts',
        '/points/0/service is not the slug of a service of this organisation',
      ],
    )
    assert.deepEqual(
      await fieldsOf({
        groups: [
          { slug: 'a', group: 'b', name: { en: 'A' } },
          { slug: 'b', group: 'a', name: { en: 'B' } },
        ],
      }),
      ['/groups/0/group puts the group into itself', '/groups/1/group puts the group into itself'],
    )
    assert.deepEqual(
      await fieldsOf({ points: [{ ...fines, group: undefined, name: { cy: 'Dirwyon' }, formUrl: 'http://x', audience: [] }] }),
      [
        '/points/0/name/en is missing',
        '/points/0/audience must not have fewer than 1 items',
        '/points/0/formUrl must match pattern "^https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][!-~]*)?$"',
      ],
    )
    const closed = [
      ['parking', 'parking'],
      ['fines', 'parking'],
      ['libraries', 'libraries'],
    ].map(([slug, service]) => ({ ...fines, slug, service, group: undefined, visible: false }))
    assert.deepEqual(await fieldsOf({ points: closed }), ['/points leaves no active, visible point to write to'])
  })
})
