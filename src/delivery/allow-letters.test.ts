import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { until } from '../../test/until.ts'
import { type Allowed, type LetterKind, secondsOfDayLeft, takeLetters, tellLetters } from './allow-letters.ts'

describe('how many letters a service may send', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const limits = { perSecond: 10, perDay: 25 }
  const begin = Date.parse('2026-11-23T10:00:00Z')
  const at = (seconds: number) => new Date(begin + seconds * 1_000)
  const take = (count: number, seconds: number, kind: LetterKind = 'single', serviceId = post.serviceId) =>
    takeLetters(post.db, serviceId, count, kind, limits, at(seconds))
  const inShort = ({ newMax, waitMs }: Allowed) => ({ newMax, waitMs })
  /** How many single letters it may send at once, one after the other. */
  const takeSingles = async (seconds: number, serviceId: string) => {
    let taken = 0
    while ((await take(1, seconds, 'single', serviceId)).newMax > 0) taken += 1
    return taken
  }

  test('a rate, of which a second’s worth may be taken at once; a day, whatever its rate; and no other service’s', async () => {
    assert.equal((await take(9, 0, 'bulk')).newMax, 9)
    assert.deepEqual(inShort(await take(1, 0, 'bulk')), { newMax: 0, waitMs: 112 })
    assert.equal((await take(1, 0, 'bulk', post.parkingId)).newMax, 1)
    assert.equal((await take(9, 1, 'bulk')).newMax, 9)
    // More than bulk may still send in the day: of those, some.
    const last = await take(9, 2, 'bulk')
    assert.equal(last.newMax, 5)
    assert.deepEqual((await take(1, 5, 'bulk')).newMax, 0)
    // Those that were not new are given back.
    last.settle(2)
    assert.equal((await take(9, 8, 'bulk')).newMax, 3)
    // A tenth of the day is left to single letters.
    assert.equal((await take(1, 8)).newMax, 1)
    assert.equal((await take(1, 9)).newMax, 1)
    assert.deepEqual(inShort(await take(1, 10)), { newMax: 0, waitMs: 0 })
    assert.equal((await take(9, 86_400, 'bulk')).newMax, 9)
  })

  test('single letters however much is sent in bulk, and both together no more than the rate', async () => {
    const serviceId = newId()
    await test_.owner`
      insert into service (id, slug, organisation_id, name, letters_per_second, letters_per_day)
      values (${serviceId}, 'busy', ${post.council.partyId}, 'Busy', 20, 100000)`
    // A part of a stream, which is paid off for half a minute.
    assert.equal((await take(500, 0, 'bulk', serviceId)).newMax, 500)
    assert.equal(await takeSingles(0, serviceId), 2)
    let [singles, bulk] = [0, 0]
    for (let seconds = 1; seconds <= 60; seconds += 1) {
      bulk += (await take(50, seconds, 'bulk', serviceId)).newMax
      singles += await takeSingles(seconds, serviceId)
    }
    assert.equal(singles, 120)
    assert.ok(bulk > 500 && bulk <= 60 * 18 - 482 + 50, `${bulk} in bulk`)
  })

  test('the whole rate for single letters where nothing is sent in bulk', async () => {
    assert.equal(await takeSingles(100_000, post.parkingId), 10)
    const { waitMs } = await take(1, 100_000, 'single', post.parkingId)
    assert.equal(waitMs, 112, 'until the first of the two buckets has one')
  })

  test('what one process has accepted counts in the others, and what the declaration says goes before the settings', async () => {
    await tellLetters(post.db)
    const allowed = await take(4, 200_000, 'bulk')
    allowed.settle(4)
    await tellLetters(post.db)
    const [row] = await test_.owner<{ letters: string }[]>`select letters from sent_count order by day desc limit 1`
    assert.equal(Number(row!.letters), 4)
    // As a process that has just started sees it.
    await test_.owner`update service set letters_per_second = 100, letters_per_day = 30 where id = ${post.serviceId}`
    assert.equal((await take(50, 200_001)).newMax, 26)
    assert.equal((await take(50, 200_002, 'bulk')).newMax, 0)
  })

  test('what is urgent does not wait for the rate, where the service may send such letters', async () => {
    const urgent = (seconds: number) => take(1, seconds, 'urgent', post.parkingId)
    await take(10, 300_000, 'bulk', post.parkingId)
    await assert.rejects(urgent(300_000), { code: 'urgent-not-allowed' })
    await test_.owner`update service set sends_urgent = true where id = ${post.parkingId}`
    // What is known of a service is a second old at most, or two: who asks next has it read.
    await until(() =>
      urgent(300_002).then(
        () => true,
        () => false,
      ),
    )
    await take(9, 300_002, 'bulk', post.parkingId)
    await takeSingles(300_002, post.parkingId)
    assert.equal((await urgent(300_002)).newMax, 1)
  })

  test('a clock that is set back makes nobody wait for the time that it came from', async () => {
    const serviceId = newId()
    await test_.owner`
      insert into service (id, slug, organisation_id, name, letters_per_second, letters_per_day)
      values (${serviceId}, 'set-back', ${post.council.partyId}, 'Set back', 10, 100000)`
    assert.equal(await takeSingles(400_000, serviceId), 10)
    assert.equal(await takeSingles(396_400, serviceId), 0)
    assert.equal(await takeSingles(396_401, serviceId), 10)
    // Requests that overtake each other by some milliseconds have no second of it twice.
    assert.equal(await takeSingles(396_400.9, serviceId), 0)
    assert.equal(await takeSingles(396_401, serviceId), 0)
    // The limits are read again too.
    await test_.owner`update service set letters_per_second = 20 where id = ${serviceId}`
    await takeSingles(395_000, serviceId)
    await until(async () => (await take(1, 395_000, 'single', serviceId)).waitMs === 56)
    assert.equal(await takeSingles(395_001, serviceId), 20)
  })

  test('a day ends at midnight, by UTC', () => {
    assert.equal(secondsOfDayLeft(new Date('2026-11-23T23:59:30Z')), 30)
  })
})
