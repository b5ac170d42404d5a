import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { acceptOne } from './accept.ts'
import { reconcile } from './reconcile.ts'
import { daysAsCsv, daysOf, lateAsCsv, refuseDays } from './reconciliation.ts'

describe('reconciliation', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const at = {
      first: '2026-10-24T22:59:59.999Z',
      // The day on which clocks go back has 25 hours in London.
      second: '2026-10-24T23:00:00Z',
      third: '2026-10-25T23:59:59.999Z',
      fourth: '2026-10-26T00:00:00Z',
      fifth: '2026-10-26T12:00:00Z',
      sixth: '2026-10-26T12:00:00Z',
      seventh: '2026-10-26T12:00:00Z',
    }
    for (const [reference, time] of Object.entries(at)) await send(reference, new Date(time))
    await update('fourth', { available_at: null })
    await update('fifth', { available_at: null })
    await update('sixth', { available_at: null, failed_at: now, failed_because: 'It could not be read.' })
    await update('seventh', { available_at: null, recalled_at: now })
    for (const reference of ['no', 'no'])
      await assert.rejects(
        acceptOne(
          post.db,
          post.keys,
          post.council,
          { ...post.letter(reference), recipient: { scheme: 'link', value: 'CT-9' } },
          new Date('2026-10-25T10:00:00Z'),
        ),
      )
  })
  after(() => test_.drop())

  const send = (reference: string, at: Date) => acceptOne(post.db, post.keys, post.council, post.letter(reference), at)
  const update = (reference: string, change: Record<string, unknown>) =>
    post.owner`update ledger set ${post.owner(change)} where reference = ${reference}`
  const ask = (from: string, to: string, actor: Actor = post.council, at = now) => reconcile(post.db, actor, { from, to }, 60, at)
  const numbers = ({ days }: Awaited<ReturnType<typeof ask>>) =>
    days.map(({ day, accepted, available, failed, recalled, pending, rejected }) => {
      return [day, accepted, available, failed, recalled, pending, rejected]
    })

  test('counts each letter on its day in London, and accepted is always available, failed, taken back and pending', async () => {
    const found = await ask('2026-10-23', '2026-10-26')
    assert.deepEqual(numbers(found), [
      ['2026-10-23', 0, 0, 0, 0, 0, 0],
      ['2026-10-24', 1, 1, 0, 0, 0, 0],
      ['2026-10-25', 2, 2, 0, 0, 0, 2],
      ['2026-10-26', 4, 0, 1, 1, 2, 0],
    ])
    for (const { accepted, available, failed, recalled, pending } of found.days)
      assert.equal(accepted, available + failed + recalled + pending)
    assert.deepEqual(numbers(await ask('2026-10-25', '2026-10-25')), [['2026-10-25', 2, 2, 0, 0, 0, 2]])
  })

  test('names letters that are pending for too long, since when and why, and no others', async () => {
    const { late } = await ask('2026-10-20', '2026-10-27')
    assert.deepEqual(
      late.map(({ reference, since, why }) => [reference, since.toISOString(), why]),
      [
        ['fourth', '2026-10-26T00:00:00.000Z', null],
        ['fifth', '2026-10-26T12:00:00.000Z', null],
      ],
    )
    assert.deepEqual((await ask('2026-10-26', '2026-10-26', post.council, new Date('2026-10-26T00:59:00Z'))).late, [])
    assert.equal((await ask('2026-10-26', '2026-10-26', post.council, new Date('2026-10-26T01:00:00Z'))).late.length, 1)
    assert.deepEqual((await ask('2026-10-24', '2026-10-25')).late, [])
  })

  test('names a letter for a later time once that has passed', async () => {
    const [sentAt, availableFrom] = ['2026-10-10T10:00:00Z', '2026-10-20T10:00:00Z']
    const later = { ...post.letter('for-later'), availableFrom }
    await acceptOne(post.db, post.keys, post.council, later, new Date(sentAt))
    const lateAt = async (time: string) =>
      (await ask('2026-10-10', '2026-10-10', post.council, new Date(time))).late.map(({ reference, why }) => [reference, why])
    assert.deepEqual(await lateAt('2026-10-20T10:59:59Z'), [])
    assert.deepEqual(await lateAt('2026-10-20T11:00:00Z'), [['for-later', 'scheduled']])
  })

  test('shows nothing of services that are not the actor’s, nor of letters that people write', async () => {
    const parking = post.clerk([post.parkingId])
    const { days, late } = await ask('2026-10-24', '2026-10-26', parking)
    assert.deepEqual([...new Set(days.map(({ serviceId }) => serviceId))], [post.parkingId])
    assert.ok(days.every(({ accepted, rejected }) => accepted + rejected === 0))
    assert.deepEqual(late, [])
    assert.deepEqual((await ask('2026-10-24', '2026-10-26', post.rosa)).days, [])
    await assert.rejects(ask('2026-10-24', '2026-10-26', { ...post.council, rights: new Map() }), { code: 'scope-missing' })
  })

  test('is written as CSV', async () => {
    const found = await ask('2026-10-25', '2026-10-26')
    const nameOf = () => 'council "tax", all'
    assert.equal(
      daysAsCsv(found, nameOf),
      'service,day,accepted,available,failed,recalled,pending,rejected\r\n"council ""tax"", all",2026-10-25,2,2,0,0,0,2\r\n"council ""tax"", all",2026-10-26,4,0,1,1,2,0\r\n',
    )
    const [head, first] = lateAsCsv(found, () => 'council-tax').split('\r\n')
    assert.equal(head, 'service,reference,message,since,why')
    assert.match(first!, /^council-tax,fourth,[0-9a-f-]{36},2026-10-26T00:00:00.000Z,It was accepted and has not/)
  })

  test('is asked for at most 92 days, in order', () => {
    assert.equal(refuseDays({ from: '2026-01-01', to: '2026-04-02' }), undefined)
    assert.equal(daysOf({ from: '2026-01-01', to: '2026-04-02' }).length, 92)
    assert.equal(refuseDays({ from: '2026-01-01', to: '2026-04-03' }), 'too-many')
    assert.equal(refuseDays({ from: '2026-01-02', to: '2026-01-01' }), 'wrong-order')
    assert.equal(refuseDays({ from: '2026-01-02', to: '2026-01-02' }), undefined)
  })
})
