import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { secondsOfDayLeft, takeLetters, tellLetters } from './allow-letters.ts'

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
  const take = (count: number, seconds: number, serviceId = post.serviceId) =>
    takeLetters(post.db, serviceId, count, limits, at(seconds))

  test('a rate, of which a second’s worth may be taken at once; a day, whatever its rate; and no other service’s', async () => {
    assert.equal((await take(10, 0)).newMax, 10)
    assert.deepEqual((({ newMax, waitMs }) => ({ newMax, waitMs }))(await take(1, 0)), { newMax: 0, waitMs: 100 })
    assert.equal((await take(1, 0, post.parkingId)).newMax, 1)
    assert.equal((await take(10, 1)).newMax, 10)
    // More than is left of the day: of those, some.
    const last = await take(10, 2)
    assert.equal(last.newMax, 5)
    assert.deepEqual((await take(1, 5)).newMax, 0)
    // Those that were not new are given back.
    last.settle(2)
    assert.equal((await take(10, 8)).newMax, 3)
    assert.equal((await take(10, 86_400)).newMax, 10)
  })

  test('what one process has accepted counts in the others, and what the declaration says goes before the settings', async () => {
    await tellLetters(post.db)
    const allowed = await take(4, 200_000)
    allowed.settle(4)
    await tellLetters(post.db)
    const [row] = await test_.owner<{ letters: string }[]>`select letters from sent_count order by day desc limit 1`
    assert.equal(Number(row!.letters), 4)
    // As a process that has just started sees it.
    await test_.owner`update service set letters_per_second = 100, letters_per_day = 30 where id = ${post.serviceId}`
    assert.equal((await take(50, 200_001)).newMax, 26)
  })

  test('what is urgent does not wait for the rate, where the service may send such letters', async () => {
    const urgent = (seconds: number) => takeLetters(post.db, post.parkingId, 1, limits, at(seconds), { isUrgent: true })
    await take(10, 300_000, post.parkingId)
    await assert.rejects(urgent(300_000), { code: 'urgent-not-allowed' })
    await test_.owner`update service set sends_urgent = true where id = ${post.parkingId}`
    // What is known of a service is a second old at most, or two.
    await take(1, 300_002, post.parkingId)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await take(9, 300_002, post.parkingId)
    assert.equal((await take(1, 300_002, post.parkingId)).newMax, 0)
    assert.equal((await urgent(300_002)).newMax, 1)
  })

  test('a day ends at midnight, by UTC', () => {
    assert.equal(secondsOfDayLeft(new Date('2026-11-23T23:59:30Z')), 30)
  })
})
