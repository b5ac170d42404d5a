import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { narrowTo } from '../access/actor.ts'
import { Problem } from '../problems.ts'
import { takeLookups } from './allow-lookups.ts'
import { hashIdentifier, sealIdentifier } from './identifier.ts'
import { lookUpRecipients } from './look-up.ts'
import { daysAfter } from './registration.ts'
import { installationNamespace } from './scheme.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('looking up recipients', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const lookUp = (values: string[], scheme = 'link', serviceId = post.serviceId) =>
    lookUpRecipients(
      test_.database,
      post.keys,
      post.council,
      { serviceId, identifiers: values.map((value) => ({ scheme, value })) },
      now,
    )
  const set = (partyId: string, columns: Record<string, unknown>) =>
    test_.owner`update mailbox set ${test_.owner(columns as never)} where party_id = ${partyId}`

  test('says of each, in order, how it can be reached and why not', async () => {
    const people = await Promise.all(['CT-20', 'CT-21', 'CT-22', 'CT-23', 'CT-24'].map((link) => post.addPerson(link)))
    const [exempt, closed, young, byConsent, withoutConsent] = people.map(({ partyId }) => partyId) as [
      string,
      string,
      string,
      string,
      string,
    ]
    await set(exempt, { registration: 'exempt' })
    await set(closed, { registration: 'closed' })
    await set(young, { reachable_from: daysAfter(now, 2) })
    await set(byConsent, { by_consent: true })
    await set(withoutConsent, { by_consent: true })
    await test_.owner`
      insert into consent (party_id, id, category, given_at, wording, language)
      values (${byConsent}, gen_random_uuid(), 'general', ${now}, 'x', 'en')`
    const values = ['CT-22', 'CT-20', 'CT-1', 'CT-404', 'CT-21', 'CT-23', 'CT-24', 'CT-1']
    assert.deepEqual(
      (await lookUp(values)).map(({ status, refusal, categories }) => [status, refusal, categories]),
      [
        ['not-yet', 'recipient-not-yet', null],
        ['exempt', 'recipient-exempt', null],
        ['registered', undefined, null],
        ['unknown', 'recipient-not-found', null],
        ['closed', 'recipient-closed', null],
        ['registered', undefined, ['general']],
        ['registered', 'consent-missing', []],
        ['registered', undefined, null],
      ],
    )
    assert.deepEqual((await lookUp(['CT-22']))[0]!.reachableFrom, daysAfter(now, 2))
  })

  test('leaves a look for each who was found, once, and one line in the log', async () => {
    await test_.owner`delete from look`
    await test_.owner`delete from lookup_log`
    await lookUp(['CT-1', 'CT-1', 'CT-2', 'CT-404'])
    const looks = await test_.owner`select party_id, by_kind, by_id, what, service_id, at from look order by party_id`
    const look = { byKind: 'system', byId: 'billing', what: 'looked-up', serviceId: post.serviceId, at: now }
    assert.deepEqual(
      [...looks],
      [post.rosa, post.arthur].map(({ partyId }) => ({ partyId, ...look })).sort((a, b) => (a.partyId < b.partyId ? -1 : 1)),
    )
    const log = await test_.owner`select service_id, client_id, count, found from lookup_log`
    assert.deepEqual([...log], [{ serviceId: post.serviceId, clientId: 'billing', count: 4, found: 3 }])
  })

  test('finds by a scheme of the whole installation only where the service may use it, and otherwise nobody, the same', async () => {
    const nino = { scheme: 'nino', value: 'AB123456C' }
    await test_.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${installationNamespace}, 'nino', ${hashIdentifier(post.keys, post.serviceId, nino)},
              ${sealIdentifier(post.keys, post.serviceId, nino.value, 'nino')}, ${post.rosa.partyId})`
    await test_.owner`delete from look`
    const [notAllowed, unknown] = await lookUp(['ab 12 34 56 c', 'AB123457C'], 'nino')
    assert.deepEqual(notAllowed, unknown)
    assert.equal(unknown!.status, 'unknown')
    assert.equal((await test_.owner`select from look`).length, 0)
    await test_.owner`insert into service_scheme (service_id, scheme) values (${post.serviceId}, 'nino')`
    const [allowed] = await lookUp(['ab 12 34 56 c'], 'nino')
    assert.equal(allowed!.status, 'registered')
    const [otherScheme] = await lookUp(['AB123456C'], 'link')
    assert.equal(otherScheme!.status, 'unknown')
  })

  test('names an identifier that cannot be one, and goes on with the others', async () => {
    const [wrong] = await lookUp(['AB123456'], 'nino')
    assert.deepEqual([wrong!.status, wrong!.refusal], ['unknown', 'identifier-invalid'])
  })

  test('is for the services of the system only', async () => {
    const notFound = (error: unknown) => error instanceof Problem && error.code === 'service-not-found'
    await assert.rejects(lookUp(['CT-1'], 'link', post.parkingId), notFound)
    const none = narrowTo(post.council, [])
    const input = { serviceId: post.serviceId, identifiers: [{ scheme: 'link', value: 'CT-1' }] }
    await assert.rejects(lookUpRecipients(test_.database, post.keys, none, input, now), Problem)
  })

  test('takes ten thousand at once', async () => {
    const began = performance.now()
    const values = Array.from({ length: 10_000 }, (_, index) => `CT-${index}`)
    const found = await lookUp(values)
    assert.equal(found.length, 10_000)
    assert.deepEqual([found[1]!.status, found[9_999]!.status], ['registered', 'unknown'])
    assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
  })
})

describe('the allowance of look-ups', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const secondsAfter = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  const take = (count: number, seconds: number, limits = { perMinute: 60, perDay: 1_000_000 }, serviceId = post.serviceId) =>
    takeLookups(test_.database, serviceId, count, limits, secondsAfter(seconds))

  test('is a minute’s worth, which comes back with time, for each service by itself', async () => {
    assert.equal(await take(60, 0), undefined)
    assert.equal(await take(10, 0), 10, 'one comes back each second')
    assert.equal(await take(10, 0, undefined, post.parkingId), undefined, 'another service has its own')
    assert.equal(await take(10, 9), 1)
    assert.equal(await take(10, 10), undefined)
    assert.equal(await take(61, 10), 60, 'more than a minute’s worth waits for a full bucket')
    assert.equal(await take(120, 70), undefined)
    assert.equal(await take(1, 70), 61, 'and is paid off afterwards')
    assert.equal(await take(60, 3_600), undefined, 'no more than a minute’s worth is saved up')
    assert.equal(await take(1, 3_600), 1)
  })

  test('of a day ends with the day', async () => {
    const limits = { perMinute: 1_000, perDay: 100 }
    const other = await createTestDatabase(2)
    const { serviceId } = await buildPost(other)
    const take = (count: number, at: Date) => takeLookups(other.database, serviceId, count, limits, at)
    assert.equal(await take(90, now), undefined)
    assert.equal(await take(11, now), 14 * 3_600, 'until midnight')
    assert.equal(await take(10, now), undefined)
    assert.equal(await take(11, new Date('2026-11-24T00:00:00Z')), undefined)
    await other.drop()
  })

  test('does not wait for the time that a clock has been set back from', async () => {
    const limits = { perMinute: 60, perDay: 100 }
    const other = await createTestDatabase(2)
    const { serviceId } = await buildPost(other)
    const take = (count: number, seconds: number) => takeLookups(other.database, serviceId, count, limits, secondsAfter(seconds))
    const nextYear = 365 * 86_400
    assert.equal(await take(60, nextYear), undefined)
    assert.equal(await take(60, 0), 60)
    assert.equal(await take(60, 60), undefined)
    assert.equal(await take(41, 120), 14 * 3_600 - 120, 'what was taken on the day counts')
    assert.equal(await take(40, 120), undefined)
    await other.drop()
  })

  test('is not overdrawn by requests that come together', async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => take(20, 100_000)))
    assert.equal(outcomes.filter((wait) => wait === undefined).length, 3)
  })
})
