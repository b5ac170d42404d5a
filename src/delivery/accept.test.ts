import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { readEvents } from '../evidence/events.ts'
import { findThread } from '../mailbox/find.ts'
import { listInbox } from '../mailbox/list.ts'
import { open } from '../mailbox/open.ts'
import { Problem } from '../problems.ts'
import { accept, acceptOne } from './accept.ts'
import { findSent } from './sent.ts'

const pdf = Buffer.from('%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF').toString('base64')

describe('accepting a message', () => {
  let test_: TestDatabase
  let post: Post
  const now = new Date('2026-11-23T10:00:00Z')
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_.database)
  })
  after(() => test_.drop())

  test('puts it into the mailbox, the ledger and the events at once', async () => {
    const accepted = await acceptOne(post.db, post.keys, post.council, post.letter('whole'), now)
    assert.equal(accepted.isNew, true)
    const inbox = await listInbox(post.db, post.rosa, 1)
    assert.deepEqual(
      inbox.letters.map(({ subject, otherName, serviceName, openedAt }) => ({ subject, otherName, serviceName, openedAt })),
      [{ subject: 'Your bill', otherName: 'Northfold Council', serviceName: 'Council tax', openedAt: null }],
    )
    const [sent] = await findSent(post.db, post.council, { reference: 'whole' })
    assert.equal(sent?.messageId, accepted.messageId)
    const events = await readEvents(post.db, [post.serviceId], '0', 10)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['message.accepted', 'message.available'],
    )
  })

  test('gives the same answer to the same message again, and keeps one', async () => {
    const letter = {
      ...post.letter('twice'),
      documents: [{ role: 'main' as const, files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf }] }],
    }
    const first = await acceptOne(post.db, post.keys, post.council, letter, now)
    const second = await acceptOne(post.db, post.keys, post.council, letter, new Date(now.getTime() + 60_000))
    assert.deepEqual(second, { ...first, isNew: false })
    const [counted] = await post.db`select count(*)::int as files from file where message_id = ${first.messageId}`
    assert.equal(counted?.files, 1)
  })

  test('refuses another message under the same reference', async () => {
    await acceptOne(post.db, post.keys, post.council, post.letter('changed'), now)
    await assert.rejects(acceptOne(post.db, post.keys, post.council, { ...post.letter('changed'), subject: 'Another' }, now), {
      code: 'reference-used',
    })
  })

  test('makes one of twenty that arrive at once under one reference', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => acceptOne(post.db, post.keys, post.council, post.letter('race'), now)),
    )
    assert.equal(new Set(outcomes.map(({ messageId }) => messageId)).size, 1)
    assert.equal(outcomes.filter(({ isNew }) => isNew).length, 1)
  })

  test('answers for each of many, in order, and a bad one harms no neighbour', async () => {
    const outcomes = await accept(
      post.db,
      post.keys,
      post.council,
      [
        post.letter('many-1'),
        { ...post.letter('many-2'), recipient: { scheme: 'link', value: 'CT-9999' } },
        post.letter('many-1'),
        { ...post.letter('many-3'), serviceId: newId() },
        post.letter('many-4'),
      ],
      now,
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome instanceof Problem ? outcome.code : outcome.isNew)),
      [true, 'recipient-not-found', false, 'service-not-found', true],
    )
  })

  test('keeps nothing of a refused message', async () => {
    const count = async () =>
      (
        await post.db`select (select count(*) from message) + (select count(*) from ledger) + (select count(*) from event) + (select count(*) from file) as n`
      )[0]!.n
    const before = await count()
    await assert.rejects(
      acceptOne(
        post.db,
        post.keys,
        post.council,
        { ...post.letter('refused'), recipient: { scheme: 'link', value: 'CT-9999' } },
        now,
      ),
    )
    assert.equal(await count(), before)
  })

  test('is the same in the other direction: a person answers, and is answered, in one thread', async () => {
    const letter = await acceptOne(post.db, post.keys, post.council, post.letter('thread'), now)
    await open(post.db, post.rosa, letter.messageId, now)
    const [later, latest] = [new Date(now.getTime() + 1_000), new Date(now.getTime() + 2_000)]
    const answer = await acceptOne(
      post.db,
      post.keys,
      post.rosa,
      { ...post.letter('answer'), recipient: undefined, answersId: letter.messageId },
      later,
    )
    const answered = await acceptOne(
      post.db,
      post.keys,
      post.council,
      { ...post.letter('back'), recipient: undefined, answersId: answer.messageId },
      latest,
    )
    for (const actor of [post.rosa, post.council]) {
      const thread = await findThread(post.db, actor, letter.threadId)
      assert.deepEqual(
        thread.map(({ id }) => id),
        [letter.messageId, answer.messageId, answered.messageId],
      )
    }
    const [sent] = await findSent(post.db, post.council, { reference: 'thread' })
    assert.deepEqual([sent?.openedAt, sent?.answeredAt], [now, later])
  })

  test('takes no answer that the sender did not ask for, or that comes too late', async () => {
    const closed = await acceptOne(post.db, post.keys, post.council, { ...post.letter('closed'), reply: { allowed: false } }, now)
    const late = await acceptOne(
      post.db,
      post.keys,
      post.council,
      { ...post.letter('late'), reply: { allowed: true, by: '2026-11-24T00:00:00Z' } },
      now,
    )
    const answer = (answersId: string, at: Date) =>
      acceptOne(post.db, post.keys, post.rosa, { ...post.letter(newId()), recipient: undefined, answersId }, at)
    await assert.rejects(answer(closed.messageId, now), { code: 'reply-not-allowed' })
    await assert.rejects(answer(late.messageId, new Date('2026-11-24T00:00:01Z')), { code: 'reply-too-late' })
    await answer(late.messageId, now)
  })

  test('lets nobody answer a letter in another’s mailbox', async () => {
    const letter = await acceptOne(post.db, post.keys, post.council, post.letter('hers'), now)
    await assert.rejects(
      acceptOne(
        post.db,
        post.keys,
        post.arthur,
        { ...post.letter('his'), recipient: undefined, answersId: letter.messageId },
        now,
      ),
      { code: 'answered-not-found' },
    )
    await assert.rejects(open(post.db, post.arthur, letter.messageId, now), { code: 'not-found' })
  })
})
