import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { DeclarationError } from './declaration.ts'
import { findRegistration } from './find-registration.ts'
import { register } from './register.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('what a register says', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const bring = (declaration: object, at = now) =>
    register(test_.database, post.keys, { organisations: [], ...declaration }, { scopes: [], demo: false }, at)
  const notice = (value: string, event = 'death', scheme = 'nino') => ({
    notices: [{ register: 'Register of deaths', identifier: { scheme, value }, event }],
  })
  const council = (links: { value: string; party: string }[], schemes?: string[]) => ({
    organisations: [
      {
        slug: 'northfold-council',
        name: 'Northfold Council',
        services: [{ slug: 'council-tax', name: 'Council tax', ...(schemes ? { schemes } : {}) }],
        links: links.map(({ value, party }) => ({ service: 'council-tax', identifier: { scheme: 'nino', value }, party })),
      },
    ],
  })
  const refusal = (declaration: object) =>
    bring(declaration).then(
      () => assert.fail('taken'),
      (error) => {
        assert.ok(error instanceof DeclarationError, String(error))
        return error.fields.map(({ field, message }) => `${field} ${message}`)
      },
    )

  test('reaches nobody by a scheme that the service was not allowed', async () => {
    const links = [{ value: 'AB123456C', party: post.rosa.partyId }]
    assert.deepEqual(await refusal(council(links)), [
      '/organisations/0/links/0/identifier/scheme is not among the schemes of the service',
    ])
    assert.deepEqual(await refusal(council(links, ['passport'])), [
      '/organisations/0/services/0/schemes/0 must be one of nino, nhs-number, utr, company-number, vat',
      '/organisations/0/links/0/identifier/scheme is not among the schemes of the service',
    ])
    await bring(council(links, ['nino']))
    await bring(council(links))
    const allowed = await test_.owner`select scheme from service_scheme`
    assert.equal(allowed.length, 1, 'what the declaration does not name stays as it is')
  })

  test('is refused where a link has a wrong form, or already means somebody else', async () => {
    assert.deepEqual(await refusal(council([{ value: 'AB12', party: post.rosa.partyId }])), [
      '/organisations/0/links/0/identifier/value This does not have the form of a National Insurance number.',
    ])
    assert.deepEqual(await refusal(council([{ value: 'ab 12 34 56 c', party: post.arthur.partyId }])), [
      '/organisations/0/links/0/identifier already means another party',
    ])
  })

  test('closes the mailbox of somebody who has died, tells them who said so, and again changes nothing', async () => {
    await bring(notice('AB 12 34 56 C'))
    await bring(notice('AB123456C'), new Date(now.getTime() + 1000))
    const { registration, keptUntil, history } = await findRegistration(test_.database, post.rosa)
    assert.deepEqual([registration, keptUntil, history.length], ['closed', '2031-11-23', 1])
    const looks = await test_.owner`select by_name, reason from look where party_id = ${post.rosa.partyId}`
    assert.deepEqual([...looks], [{ byName: 'Register of deaths', reason: 'death' }])
  })

  test('passes over whom nobody knows here, and names what cannot be', async () => {
    await bring(notice('AB999999C'))
    assert.deepEqual(await refusal(notice('AB12')), [
      '/notices/0/identifier This does not have the form of a National Insurance number.',
    ])
    assert.deepEqual(await refusal(notice('CT-1', 'death', 'link')), [
      '/notices/0/identifier is of no scheme of this installation',
    ])
    await bring(council([{ value: 'AB777777C', party: post.arthur.partyId }]))
    assert.deepEqual(await refusal(notice('AB777777C', 'dissolved')), ['/notices/0/event cannot be said of this kind of party'])
  })

  test('brings categories of post with the words to consent to', async () => {
    const health = { slug: 'health', name: { en: 'Health' }, wording: { en: 'I agree to get letters about my health here.' } }
    await bring({ categories: [health] })
    await bring({ categories: [{ ...health, name: { en: 'Health letters' } }] })
    const [row] = await test_.owner`select name, wording from category where slug = 'health'`
    assert.deepEqual(row, { name: { en: 'Health letters' }, wording: health.wording })
    assert.deepEqual(await refusal({ categories: [health, health] }), ['/categories/1/slug is the same as that of another'])
  })
})
