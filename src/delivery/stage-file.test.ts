import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { billsFor, makeMailing, stage } from '../../test/mailings.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { until } from '../../test/until.ts'
import type { Actor } from '../access/actor.ts'
import { findMailing, listRowErrors, listRows } from './find-mailings.ts'
import { forgetRows } from './forget-rows.ts'
import { stageFile } from './stage-file.ts'

const now = new Date('2026-11-23T10:00:00Z')
const later = (days: number) => new Date(now.getTime() + days * 86_400_000)

describe('the file of a mailing', () => {
  let test_: TestDatabase
  let post: Post
  let mel: Actor
  let id: string
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    mel = await addClerk(post, 'Mel', [{ serviceId: post.serviceId, role: 'post-writer' }])
    id = await makeMailing(post, mel, now)
  })
  after(() => test_.drop())

  const errors = async () => {
    const mailing = await findMailing(post.db, mel, id)
    const found = await listRowErrors(post.db, mel, mailing, { after: { row: 0, ordinal: 0 }, limit: 100 })
    return found.map(({ row, columnName, fault }) => [row, columnName, fault])
  }
  const countOf = async (table: string) => {
    const [counted] = await test_.owner<{ count: number }[]>`select count(*)::int as count from ${test_.owner(table)}`
    return counted!.count
  }

  test('is read into rows, whose identifiers are sealed', async () => {
    await stage(post, mel, id, billsFor(['CT-1,Rosa,1', '', 'CT-2,Arthur,2']), now)
    const mailing = await findMailing(post.db, mel, id)
    assert.deepEqual([mailing.state, mailing.rows, mailing.stagedByName], ['checking', 2, 'Mel'])
    const rows = await listRows(post.db, post.keys, mel, mailing, { after: 0, limit: 10 })
    assert.deepEqual(
      rows.map(({ row, identifier, cells }) => [row, identifier.value, cells]),
      [
        [2, 'CT-1', ['Rosa', '1']],
        [4, 'CT-2', ['Arthur', '2']],
      ],
    )
    const [kept] = await test_.owner<{ text: string }[]>`select string_agg(mailing_row::text, ' ') as text from mailing_row`
    assert.ok(!kept!.text.includes('CT-1') && !kept!.text.includes(Buffer.from('CT-1').toString('hex')))
  })

  test('has each of its errors named, also those between rows, and is refused', async () => {
    const csv =
      'identifier,reference,first name,amount\nCT-1,a,Rosa,1\nCT-2,a,,2\nCT-3,a,Zoë,3\nCT-1,b,Rosa,4\nCT-4,a,Una,5,6\nCT-2,c,Una,7\n'
    await stage(post, mel, id, csv, now)
    assert.equal((await findMailing(post.db, mel, id)).state, 'refused')
    assert.deepEqual(await errors(), [
      [3, 'first name', { code: 'empty' }],
      [3, 'reference', { code: 'reference-repeated', row: 2 }],
      [4, 'reference', { code: 'reference-repeated', row: 3 }],
      [5, 'identifier', { code: 'recipient-repeated', row: 2 }],
      [6, null, { code: 'cell-count', cells: 5, columns: 4 }],
      [7, 'identifier', { code: 'recipient-repeated', row: 3 }],
    ])
  })

  test('may have a recipient twice where that is said', async () => {
    await stage(post, mel, id, billsFor(['CT-1,Rosa,1', 'CT-1,Rosa,2']), now, true)
    assert.equal((await findMailing(post.db, mel, id)).state, 'checking')
  })

  test('that cannot be taken, or is cut off, leaves the one before in its place', async () => {
    await stage(post, mel, id, billsFor(['CT-1,Rosa,1']), now)
    const before = await findMailing(post.db, mel, id)
    await assert.rejects(stage(post, mel, id, 'identifier,amount\nCT-1,1\n', now), {
      faults: [{ code: 'column-missing', name: 'first name' }],
    })
    await assert.rejects(stage(post, mel, id, billsFor([]), now), { faults: [{ code: 'no-rows' }] })
    async function* cut() {
      yield Buffer.from(billsFor(Array.from({ length: 3_000 }, (_, place) => `CT-${place + 10},Somebody,1`)))
      await until(async () => (await countOf('mailing_row')) > 1_000)
      throw new Error('cut off')
    }
    const file = { scheme: 'link', severalAllowed: false, bytes: cut() }
    await assert.rejects(stageFile(post.db, post.keys, mel, id, file, now), /cut off/)
    assert.deepEqual(await findMailing(post.db, mel, id), before)
  })

  test('is deleted with its rows when another has replaced it, when it was cut off, and when nobody has used it for long', async () => {
    assert.ok((await countOf('mailing_row')) > 1_000)
    await forgetRows(post.db, now)
    assert.ok((await countOf('mailing_row')) > 1_000, 'what may be coming in now stays')
    await forgetRows(post.db, later(2))
    assert.deepEqual([await countOf('mailing_file'), await countOf('mailing_row'), await countOf('mailing_error')], [1, 1, 0])
    await forgetRows(post.db, later(15))
    assert.deepEqual([await countOf('mailing_file'), await countOf('mailing_row')], [0, 0])
    assert.equal((await findMailing(post.db, mel, id)).state, 'new')
  })

  test('is not there for another service', async () => {
    const other = await addClerk(post, 'Other', [{ serviceId: post.parkingId, role: 'post-writer' }])
    await assert.rejects(stage(post, other, id, billsFor(['CT-1,Rosa,1']), now), { code: 'not-found' })
    await assert.rejects(findMailing(post.db, other, id), { code: 'not-found' })
    const reader = await addClerk(post, 'Reader', [{ serviceId: post.serviceId, role: 'post-reader' }])
    await assert.rejects(stage(post, reader, id, billsFor(['CT-1,Rosa,1']), now), { code: 'scope-missing' })
  })
})
