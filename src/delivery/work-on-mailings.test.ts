import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { billsFor, limits, makeMailing, stage } from '../../test/mailings.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { changeBatch } from './change-batch.ts'
import { findBatch } from './find-batches.ts'
import { findMailing, listRowErrors, listRows } from './find-mailings.ts'
import { findTemplate } from './find-templates.ts'
import { forgetRows } from './forget-rows.ts'
import { unsentAsCsv } from './mailing-csv.ts'
import { startMailing, takeMailingOver } from './start-mailing.ts'
import { type MailingLimits, workOnMailings } from './work-on-mailings.ts'

const now = new Date('2026-11-23T10:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000)

describe('a mailing', () => {
  let test_: TestDatabase
  let post: Post
  let mel: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    mel = await addClerk(post, 'Mel', [{ serviceId: post.serviceId, role: 'post-writer' }])
    for (let number = 3; number <= 60; number += 1) await post.addPerson(`CT-${number}`)
  })
  after(() => test_.drop())

  const work = (at = now, some: MailingLimits = limits) =>
    workOnMailings(post.db, post.keys, some, () => at, new AbortController().signal)
  const bills = (count: number, first = 1) =>
    billsFor(Array.from({ length: count }, (_, place) => `CT-${place + first},Person ${place + first},${place}`))
  const make = async (csv: string, by = mel) => {
    const id = await makeMailing(post, by, now)
    await stage(post, by, id, csv, now)
    return id
  }
  const find = (id: string) => findMailing(post.db, mel, id)
  const start = async (id: string, more: { hold?: boolean; availableFrom?: Date; letters?: number } = {}, by = mel) => {
    const { fileId, rows, unreachable } = await find(id)
    const seen = { fileId: fileId!, letters: rows! - unreachable, hold: false, availableFrom: undefined, ...more }
    await startMailing(post.db, by, id, seen, now)
  }
  /** Behind the program's back: each letter of the batch, in the ledger and in a mailbox or withheld. */
  const countLetters = async (id: string) => {
    const { batchId } = await find(id)
    const [counts] = await test_.owner<{ ledger: number; there: number; references: number }[]>`
      select count(*)::int as ledger, count(distinct reference)::int as references,
        count((select 1 from message where message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id))::int as there
      from ledger where batch_id = ${batchId}`
    return { ...counts! }
  }
  const each = (count: number) => ({ ledger: count, there: count, references: count })

  test('is ready when all who get it are known to be reachable, who see that somebody looked', async () => {
    const id = await make(bills(3))
    assert.equal((await find(id)).state, 'checking')
    await work()
    const mailing = await find(id)
    assert.deepEqual([mailing.state, mailing.lookedUp, mailing.unreachable], ['ready', 3, 0])
    const looks = await test_.owner`select by_name, what from look where party_id = ${post.rosa.partyId}`
    assert.deepEqual([...looks], [{ byName: 'Mel', what: 'looked-up' }])
  })

  test('says who cannot be reached, and goes to the others where that is said', async () => {
    await test_.owner`update mailbox set registration = 'exempt' where party_id = ${post.arthur.partyId}`
    const id = await make(billsFor(['CT-1,Rosa,1', 'CT-2,Arthur,2', 'CT-9999,Nobody,3']))
    await work()
    assert.equal((await find(id)).unreachable, 2)
    await assert.rejects(start(id, { letters: 3 }), { code: 'changed-meanwhile' })
    await start(id)
    await work()
    assert.deepEqual(await countLetters(id), each(1))
    const mailing = await find(id)
    const paper = await listRows(post.db, post.keys, mel, mailing, { after: 0, limit: 10, reachable: false })
    assert.deepEqual(
      paper.map(({ row, identifier, refusal }) => [row, identifier.value, refusal]),
      [
        [3, 'CT-2', 'recipient-exempt'],
        [4, 'CT-9999', 'recipient-not-found'],
      ],
    )
    await test_.owner`update mailbox set registration = 'registered' where party_id = ${post.arthur.partyId}`
  })

  test('is refused where a letter of the service has one of its references', async () => {
    const sent = await make('identifier,reference,first name,amount\nCT-1,ours-1,Rosa,1\n')
    await work()
    await start(sent)
    await work()
    const id = await make('identifier,reference,first name,amount\nCT-1,ours-2,Rosa,1\nCT-2,ours-1,Arthur,1\n')
    await work()
    const mailing = await find(id)
    assert.equal(mailing.state, 'refused')
    const errors = await listRowErrors(post.db, mel, mailing, { after: { row: 0, ordinal: 0 }, limit: 10 })
    assert.deepEqual(
      errors.map(({ row, columnName, fault }) => [row, columnName, fault]),
      [[3, 'reference', { code: 'reference-of-letter' }]],
    )
  })

  test('is sent as a batch, whose letters say what the template and their row say, and is over', async () => {
    const id = await make(billsFor(['CT-1,*Rosa*,1.50']))
    await work()
    await start(id)
    await start(id)
    await work()
    const mailing = await find(id)
    assert.deepEqual([mailing.state, mailing.accepted, mailing.endedAt?.getTime()], ['sent', 1, now.getTime()])
    const batch = await findBatch(post.db, mel, mailing.batchId!)
    assert.deepEqual([batch.name, batch.state, batch.lane, batch.accepted], ['Bills', 'closed', 'bulk', 1])
    const [letter] = await test_.owner<{ subject: string; content: { body: string }[]; door: string }[]>`
      select subject, content, door from message join ledger on ledger.message_id = message.id and ledger.mailbox_id = message.mailbox_id
      where ledger.batch_id = ${mailing.batchId}`
    assert.equal(letter!.subject, 'Your bill, *Rosa*')
    assert.equal(letter!.content[0]!.body, 'Dear \\*Rosa\\*,\n\nyou owe £1.50.')
    assert.equal(letter!.door, 'department-pages')
  })

  test('leaves no row of what was accepted, and who needs paper for two weeks', async () => {
    const rows = async () =>
      (await test_.owner`select from mailing_row where file_id = (select file_id from mailing where id = ${id})`).length
    const id = await make(billsFor(['CT-1,Rosa,1', 'CT-9999,Nobody,3']))
    await work()
    await start(id)
    await work()
    assert.equal(await rows(), 2)
    await forgetRows(post.db, later(60))
    assert.equal(await rows(), 1)
    await forgetRows(post.db, later(15 * 86_400))
    assert.equal(await rows(), 0)
    assert.equal((await find(id)).accepted, 1)
  })

  test('that two work on at once, and that is cut off after any letter, has each letter once', async () => {
    const id = await make(bills(60))
    await work()
    await start(id)
    // As if killed between the letters and the note of how far they went, each time: the lease runs out, and the next begins where it was.
    for (let tries = 0; tries < 3; tries += 1) {
      await Promise.all([work(later(tries * 100)), work(later(tries * 100))])
      await test_.owner`
        update mailing set sent_to = ${tries * 10}, state = 'sending', ended_at = null, leased_until = ${later(tries * 100 + 15)} where id = ${id}`
      await test_.owner`update batch set state = 'open' where id = (select batch_id from mailing where id = ${id})`
      await work(later(tries * 100 + 1))
      assert.equal((await find(id)).state, 'sending', 'another process has it')
    }
    await work(later(1_000))
    assert.equal((await find(id)).state, 'sent')
    assert.equal((await find(id)).accepted, 60)
    assert.deepEqual(await countLetters(id), each(60))
  })

  test('stands still while its batch is paused, goes on when that is resumed, and ends when it is stopped', async () => {
    const id = await make(bills(5))
    await work()
    await start(id)
    const { batchId } = await find(id)
    await changeBatch(post.db, mel, batchId!, 'pause', now)
    await work()
    assert.deepEqual(await countLetters(id), each(0))
    await changeBatch(post.db, mel, batchId!, 'resume', now)
    await work()
    assert.deepEqual(await countLetters(id), each(5))
    const stopped = await make(bills(5))
    await work()
    await start(stopped)
    await changeBatch(post.db, mel, (await find(stopped)).batchId!, 'stop', now)
    await work()
    assert.equal((await find(stopped)).state, 'stopped')
    assert.deepEqual(await countLetters(stopped), each(0))
  })

  test('that is stopped midway has a list of what was not sent, which can be sent as another', async () => {
    const rows = ['CT-11,Ann,+44 1', 'CT-12,Ben,-2', 'CT-9999,Nobody,3', 'CT-13,"Cy, ""C""",4', 'CT-14,@Di,5']
    const id = await make(billsFor(rows))
    await work()
    await start(id)
    await work(later(86_400 * 30), { ...limits, letters: { perSecond: 1_000, perDay: 2 } })
    // As if killed before it was noted how far they went.
    await test_.owner`update mailing set sent_to = 0 where id = ${id}`
    await changeBatch(post.db, mel, (await find(id)).batchId!, 'stop', now)
    await work(later(86_400 * 30))
    const mailing = await find(id)
    assert.deepEqual([mailing.state, mailing.accepted], ['stopped', 2])
    const read = () => text(Readable.from(unsentAsCsv(post.db, post.keys, mel, mailing, ['first name', 'amount'])))
    const unsent = ['link,CT-13,,"Cy, ""C""",4', "link,CT-14,,'@Di,5"]
    assert.equal(
      await read(),
      `\ufeff${['identifier scheme,identifier,reference,first name,amount', ...unsent, ''].join('\r\n')}`,
    )
    await forgetRows(post.db, later(86_400 * 30 + 60))
    const kept = await test_.owner<{ row: number }[]>`select row from mailing_row where file_id = ${mailing.fileId} order by row`
    assert.deepEqual(
      kept.map(({ row }) => row),
      [4, 5, 6],
      'nothing of what was accepted stays',
    )

    const other = await make(await read())
    await work()
    assert.equal((await find(other)).state, 'ready')
    await start(other)
    await work(later(86_400 * 31))
    const letters = await test_.owner<{ subject: string }[]>`
      select subject from message join ledger on ledger.message_id = message.id and ledger.mailbox_id = message.mailbox_id
      where batch_id in (select batch_id from mailing where id in (${id}, ${other}))`
    assert.deepEqual(
      letters.map(({ subject }) => subject).sort(),
      ['Ann', 'Ben', 'Cy, "C"', '@Di'].map((name) => `Your bill, ${name}`).sort(),
    )
    await forgetRows(post.db, later(86_400 * 46))
    assert.deepEqual([(await find(id)).fileId, await countLetters(id)], [null, each(2)])
  })

  test('can be held, and can be for a later time', async () => {
    const id = await make(bills(2))
    await work()
    await start(id, { hold: true, availableFrom: later(86_400) })
    await work()
    assert.deepEqual(await countLetters(id), { ...each(2), there: 0 })
    assert.equal((await find(id)).isHeld, true)
    const releases = await test_.owner<{ why: string; releaseAt: Date }[]>`
      select why, release_at from withheld_message where batch_id = (select batch_id from mailing where id = ${id})`
    assert.deepEqual(
      releases.map(({ why, releaseAt }) => [why, releaseAt.getTime()]),
      Array(2).fill(['held', later(86_400).getTime()]),
    )
    const other = await make(bills(2))
    await work()
    await assert.rejects(start(other, { availableFrom: later(400 * 86_400) }), { code: 'available-from-too-late' })
  })

  test('keeps to what its service may look up and send, and goes on later', async () => {
    const id = await make(bills(4))
    await work(now, { ...limits, lookups: { perMinute: 1_000, perDay: 1 } })
    assert.deepEqual([(await find(id)).state, (await find(id)).waitsBecause], ['checking', 'too-many-lookups'])
    await work()
    assert.equal((await find(id)).state, 'ready')
    await start(id)
    await work(later(86_400 * 5), { ...limits, letters: { perSecond: 1_000, perDay: 3 } })
    assert.deepEqual([(await find(id)).state, (await find(id)).waitsBecause], ['sending', 'letters-of-day-used'])
    await work(later(86_400 * 6))
    assert.equal((await find(id)).state, 'sent')
    assert.deepEqual(await countLetters(id), each(4))
  })

  test('of somebody who may not send any more waits for another who may', async () => {
    const leaver = await addClerk(post, 'Leaver', [{ serviceId: post.serviceId, role: 'post-writer' }])
    const id = await make(bills(3), leaver)
    await work()
    await start(id, {}, leaver)
    await test_.owner`update staff_member set is_active = false where id = ${leaver.by.id}`
    await work()
    assert.deepEqual([(await find(id)).state, (await find(id)).waitsBecause], ['sending', 'access-ended'])
    assert.deepEqual(await countLetters(id), each(0))
    await takeMailingOver(post.db, mel, id)
    await work()
    assert.equal((await find(id)).state, 'sent')
    assert.deepEqual(await countLetters(id), each(3))
  })

  test('is sent by who writes for its service, as it was seen, and by nobody else', async () => {
    const id = await make(bills(2))
    await work()
    const seen = { fileId: (await find(id)).fileId!, letters: 2, hold: false, availableFrom: undefined }
    const reader = await addClerk(post, 'Reader', [{ serviceId: post.serviceId, role: 'post-reader' }])
    const other = await addClerk(post, 'Other', [{ serviceId: post.parkingId, role: 'post-writer' }])
    await assert.rejects(startMailing(post.db, reader, id, seen, now), { code: 'scope-missing' })
    await assert.rejects(startMailing(post.db, other, id, seen, now), { code: 'not-found' })
    await stage(post, mel, id, bills(2, 5), now)
    await work()
    await assert.rejects(startMailing(post.db, mel, id, seen, now), { code: 'changed-meanwhile' })
    assert.equal((await findTemplate(post.db, reader, (await find(id)).templateId)).name, 'Bill')
  })
})
