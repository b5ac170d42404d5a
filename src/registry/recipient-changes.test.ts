import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { type Actor, narrowTo } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { within } from '../database/scope.ts'
import { changeRegistration } from './change-registration.ts'
import { digestOf } from './consent.ts'
import { endGracePeriod } from './end-grace-period.ts'
import { listCategories } from './find-categories.ts'
import { listConsents } from './find-registration.ts'
import { giveConsent } from './give-consent.ts'
import { hashIdentifier, sealIdentifier } from './identifier.ts'
import { lookUpRecipients } from './look-up.ts'
import { noteRecipientChange, readRecipientChanges } from './recipient-changes.ts'
import { daysAfter } from './registration.ts'
import { installationNamespace } from './scheme.ts'
import { withdrawConsent } from './withdraw-consent.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('the feed of changes to recipients', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase(10)
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const read = (after = '0', limit = 500, actor = post.council) =>
    readRecipientChanges(test_.database, post.keys, actor, { after, limit })
  const latest = async () => (await read()).at(-1)?.position ?? '0'
  const change = (person: Actor, to: 'exempt' | 'registered') =>
    changeRegistration(test_.database, person, { partyId: person.partyId, to, reason: '' }, now)

  test('tells a service of those whom it knows, by its own identifier, and no other service', async () => {
    const before = await latest()
    await change(post.rosa, 'exempt')
    await change(post.rosa, 'registered')
    const told = await read(before)
    assert.deepEqual(
      told.map(({ serviceId, identifier, status, categories, reachableFrom, at }) => ({
        serviceId,
        identifier,
        status,
        categories,
        reachableFrom,
        at,
      })),
      ['exempt', 'registered'].map((status) => ({
        serviceId: post.serviceId,
        identifier: { scheme: 'link', value: 'CT-1' },
        status,
        categories: null,
        reachableFrom: null,
        at: now,
      })),
    )
    const parking = { ...post.council, rights: rightsOf('system', [post.parkingId]) }
    assert.deepEqual(await read('0', 500, parking), [])
    assert.deepEqual(await read('0', 500, narrowTo(post.council, [post.parkingId])).catch((error) => error.code), 'scope-missing')
  })

  test('tells of a link that ends, to its service only', async () => {
    const before = await latest()
    const person = await post.addPerson('CT-30')
    const valueSealed = sealIdentifier(post.keys, post.serviceId, 'CT-30')
    const endedLink = { scheme: 'link', valueSealed }
    await noteRecipientChange(test_.database, { partyId: person.partyId, serviceId: post.serviceId }, now)
    await noteRecipientChange(test_.database, { partyId: person.partyId, serviceId: post.parkingId }, now)
    await noteRecipientChange(test_.database, { partyId: person.partyId, serviceId: post.serviceId, endedLink }, now)
    assert.deepEqual(
      (await read(before)).map(({ identifier, status }) => [identifier.value, status]),
      [
        ['CT-30', 'registered'],
        ['CT-30', 'unknown'],
      ],
    )
  })

  test('tells by an identifier of the whole installation only who has looked it up', async () => {
    const person = await post.addPerson('CT-31')
    const nino = { scheme: 'nino', value: 'AB123456C' }
    await test_.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${installationNamespace}, 'nino', ${hashIdentifier(post.keys, post.serviceId, nino)},
              ${sealIdentifier(post.keys, post.serviceId, nino.value, 'nino')}, ${person.partyId})`
    await test_.owner`insert into service_scheme (service_id, scheme) values (${post.serviceId}, 'nino'), (${post.parkingId}, 'nino')`
    const before = await latest()
    await change(person, 'exempt')
    await lookUpRecipients(test_.database, post.keys, post.council, { serviceId: post.serviceId, identifiers: [nino] }, now)
    await change(person, 'registered')
    const told = await read(before)
    assert.deepEqual(told.map(({ identifier, status }) => `${identifier.scheme} ${identifier.value} ${status}`).sort(), [
      'link CT-31 exempt',
      'link CT-31 registered',
      'nino AB123456C registered',
    ])
    const parking = { ...post.council, rights: rightsOf('system', [post.parkingId]) }
    assert.deepEqual(await read('0', 500, parking), [])
  })

  test('says what is consented to, and from when a new business can be reached', async () => {
    const before = await latest()
    const person = await post.addPerson('CT-32')
    await test_.owner`update mailbox set by_consent = true where party_id = ${person.partyId}`
    const [general] = await listCategories(test_.database)
    const given = { category: 'general', language: 'cy', wordingDigest: digestOf(general!.wording.cy!) }
    await giveConsent(test_.database, person, given, now)
    await giveConsent(test_.database, person, given, daysAfter(now, 1))
    await withdrawConsent(test_.database, person, { category: 'general' }, daysAfter(now, 2))
    await withdrawConsent(test_.database, person, { category: 'general' }, daysAfter(now, 3))
    await test_.owner`update mailbox set by_consent = false, reachable_from = ${daysAfter(now, 12)} where party_id = ${person.partyId}`
    await noteRecipientChange(test_.database, { partyId: person.partyId }, now)
    await endGracePeriod(test_.database, { partyId: person.partyId }, now)
    await endGracePeriod(test_.database, { partyId: person.partyId }, now)
    assert.deepEqual(
      (await read(before)).map(({ status, categories, reachableFrom }) => [status, categories, reachableFrom]),
      [
        ['registered', ['general'], null],
        ['registered', [], null],
        ['not-yet', null, daysAfter(now, 12)],
        ['registered', null, null],
      ],
    )
    assert.deepEqual(await listConsents(test_.database, person), [
      { category: 'general', givenAt: now, withdrawnAt: daysAfter(now, 2), wording: general!.wording.cy, language: 'cy' },
    ])
  })

  test('takes no consent to words that were not the ones shown', async () => {
    const wrong = { category: 'general', language: 'en', wordingDigest: digestOf('Something else') }
    await assert.rejects(giveConsent(test_.database, post.rosa, wrong, now), { code: 'form-expired' })
    await assert.rejects(giveConsent(test_.database, post.rosa, { ...wrong, category: 'gossip' }, now), { code: 'not-found' })
    assert.deepEqual(await listConsents(test_.database, post.rosa), [])
  })

  test('misses nothing and repeats nothing while others write', async () => {
    const before = await latest()
    const people = await Promise.all(Array.from({ length: 8 }, (_, index) => post.addPerson(`CT-4${index}`)))
    let done = false
    const seen: string[] = []
    const reader = (async () => {
      let position = before
      for (;;) {
        const wasDone = done
        const page = await read(position, 5)
        seen.push(...page.map(({ identifier, status }) => `${identifier.value} ${status}`))
        position = page.at(-1)?.position ?? position
        if (wasDone && page.length === 0) return
      }
    })()
    await Promise.all(
      people.map(async (person) => {
        for (let round = 0; round < 5; round++) {
          await change(person, 'exempt')
          await change(person, 'registered')
        }
      }),
    )
    done = true
    await reader
    assert.equal(seen.length, 80)
    const ofFirst = seen.filter((line) => line.startsWith('CT-40')).map((line) => line.split(' ')[1])
    assert.deepEqual(
      ofFirst,
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'exempt' : 'registered')),
    )
  })

  test('waits for a change that is still being written before a later one', async () => {
    const before = await latest()
    const [first, second] = await Promise.all([post.addPerson('CT-50'), post.addPerson('CT-51')])
    let commit = () => {}
    const held = new Promise<void>((resolve) => {
      commit = resolve
    })
    let written = () => {}
    const isWritten = new Promise<void>((resolve) => {
      written = resolve
    })
    const slow = within(test_.database, { purpose: 'registry' }, async (sql) => {
      await noteRecipientChange(sql, { partyId: first.partyId }, now)
      written()
      await held
    })
    await isWritten
    await noteRecipientChange(test_.database, { partyId: second.partyId }, now)
    const reading = read(before)
    const early = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 150, 'waits'))])
    assert.equal(early, 'waits')
    commit()
    await slow
    assert.deepEqual(
      (await reading).map(({ identifier }) => identifier.value),
      ['CT-50', 'CT-51'],
    )
  })
})
