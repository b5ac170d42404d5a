import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { checkDeclaration, DeclarationError } from './declaration.ts'
import { deriveIdentifierKeys } from './identifier.ts'
import { findLinkingService } from './link-services.ts'
import { register } from './register.ts'

const linking = {
  address: 'https://account.example/link',
  issuer: 'https://account.example',
  jwksUrl: 'https://account.example/jwks.json',
}
const declare = (of: object | undefined) => ({
  organisations: [
    {
      slug: 'northfold-council',
      name: 'Northfold Council',
      services: [{ slug: 'council-tax', name: 'Council tax', ...(of && { linking: of }) }],
    },
  ],
})

describe('declaring how a service is linked', () => {
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  const bring = (of: object | undefined) =>
    register(
      test_.database,
      deriveIdentifierKeys(Buffer.alloc(32, 3)),
      declare(of),
      { scopes: [], demo: false },
      new Date('2026-11-23T10:00:00Z'),
    )

  test('lets people link it, until it is declared no more', async () => {
    await bring(linking)
    const service = await findLinkingService(test_.database, 'council-tax')
    assert.deepEqual([service!.issuer, service!.siteName], [linking.issuer, 'Northfold Council'])
    await bring({ ...linking, name: 'Your account' })
    assert.equal((await findLinkingService(test_.database, 'council-tax'))!.siteName, 'Your account')
    await bring(undefined)
    assert.equal(await findLinkingService(test_.database, 'council-tax'), undefined)
  })

  test('takes https only, but for this machine itself in a demo', () => {
    const fields = (of: object, demo: boolean) => {
      try {
        checkDeclaration(declare(of), { scopes: [], demo })
        return []
      } catch (error) {
        assert.ok(error instanceof DeclarationError)
        return error.fields.map(({ field }) => field.replace('/organisations/0/services/0/linking', ''))
      }
    }
    const here = { ...linking, address: 'http://localhost:3000/link', jwksUrl: 'http://127.0.0.1:3000/jwks.json' }
    assert.deepEqual(fields(linking, false), [])
    assert.deepEqual(fields(here, true), [])
    assert.deepEqual(fields(here, false), ['/address', '/jwksUrl'])
    assert.deepEqual(fields({ ...linking, address: 'http://account.example/link' }, true), ['/address'])
    assert.deepEqual(fields({ ...linking, jwksUrl: 'https://user:secret@account.example/' }, true), ['/jwksUrl'])
    assert.deepEqual(fields({ ...linking, address: 'javascript:alert(1)' }, true), ['/address'])
    assert.deepEqual(fields({ address: linking.address, issuer: linking.issuer }, false), ['/jwksUrl'])
  })
})
