import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { acceptOne } from '../delivery/accept.ts'
import { findSent } from '../delivery/sent.ts'
import { Problem } from '../problems.ts'
import { find, findFile, findThread, readThread } from './find.ts'
import { open } from './open.ts'
import { takeOver } from './take-over.ts'

const now = new Date('2026-11-23T12:00:00Z')
const documents = [{ role: 'main' as const, files: [{ filename: 'bill.txt', mediaType: 'text/plain', content: 'YSBiaWxs' }] }]

type Known = { messageId: string; threadId: string; fileId: string }

describe('finding a letter', () => {
  let test_: TestDatabase
  let post: Post
  /** From the council to Rosa, and from Rosa to the council: each with a file. */
  let received: Known
  let written: Known
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const send = async (actor: Actor, change: object): Promise<Known> => {
      const { messageId, threadId } = await acceptOne(
        post.db,
        post.keys,
        actor,
        { ...post.letter('one'), documents, ...change },
        now,
      )
      const {
        documents: [document],
      } = await find(post.db, actor, messageId)
      return { messageId, threadId, fileId: document!.files[0]!.id }
    }
    received = await send(post.council, {})
    written = await send(post.rosa, { recipient: undefined })
  })
  after(() => test_.drop())

  test('gives both sides the letter, its thread and the bytes of its files', async () => {
    for (const actor of [post.rosa, post.council]) {
      for (const { messageId, threadId, fileId } of [received, written]) {
        assert.equal((await find(post.db, actor, messageId)).id, messageId)
        assert.deepEqual(
          (await findThread(post.db, actor, threadId)).map(({ id }) => id),
          [messageId],
        )
        const { file, bytes } = await findFile(post.db, actor, messageId, fileId, now)
        assert.deepEqual([file.filename, file.size, await text(bytes)], ['bill.txt', 6, 'a bill'])
      }
    }
    assert.deepEqual(
      [(await find(post.db, post.rosa, written.messageId)).isSent, (await find(post.db, post.council, written.messageId)).isSent],
      [true, false],
    )
  })

  test('is for nobody else, and tells them what it tells of a letter that is not there', async () => {
    const strangers = {
      arthur: post.arthur,
      'the clerk of another service': post.clerk([post.parkingId]),
      'a clerk of none': post.clerk([]),
    }
    const touched = () => post.owner`select id, opened_at, taken_over_at from message order by id`
    const before = await touched()
    const missing: Known = { messageId: newId(), threadId: newId(), fileId: newId() }
    /** What a stranger gets from each way to a letter. */
    const attempts = (actor: Actor, { messageId, threadId, fileId }: Known) =>
      Promise.all(
        [
          find(post.db, actor, messageId),
          open(post.db, actor, messageId, now),
          findFile(post.db, actor, messageId, fileId, now),
          takeOver(post.db, actor, messageId, now),
          findThread(post.db, actor, threadId),
          findSent(post.db, actor, { messageId }),
          findSent(post.db, actor, { reference: 'one' }),
        ].map((attempt: Promise<unknown>) =>
          attempt.then(
            (found) => (Array.isArray(found) ? [...found] : found),
            (error: unknown) => (error instanceof Problem ? error.toJSON() : error),
          ),
        ),
      )
    for (const [who, stranger] of Object.entries(strangers)) {
      const nothing = await attempts(stranger, missing)
      assert.deepEqual(
        nothing.slice(0, 4).map((problem) => (problem as { code: string }).code),
        Array(4).fill('not-found'),
      )
      assert.deepEqual(nothing.slice(4), [[], [], []])
      for (const letter of [received, written]) assert.deepEqual(await attempts(stranger, letter), nothing, who)
    }
    assert.deepEqual(await touched(), before)
  })

  test('gives a file with the letter that it belongs to only', async () => {
    const hers = await acceptOne(
      post.db,
      post.keys,
      post.council,
      { ...post.letter('his'), recipient: { scheme: 'link', value: 'CT-2' } },
      now,
    )
    for (const [actor, messageId] of [
      [post.arthur, hers.messageId],
      [post.rosa, written.messageId],
    ] as const) {
      await assert.rejects(findFile(post.db, actor, messageId, received.fileId, now), { code: 'not-found' })
    }
  })

  test('needs the right to read', async () => {
    const powerless = { ...post.rosa, rights: new Map() }
    for (const attempt of [
      find(post.db, powerless, received.messageId),
      findThread(post.db, powerless, received.threadId),
      findFile(post.db, powerless, received.messageId, received.fileId, now),
    ]) {
      await assert.rejects(attempt, { code: 'scope-missing' })
    }
  })

  test('leaves a look at every message of a conversation that somebody else is shown, and none that the owner is', async () => {
    const first = await acceptOne(post.db, post.keys, post.council, post.letter('looked at'), now)
    await open(post.db, post.rosa, first.messageId, now)
    const answer = { ...post.letter('looked at too'), recipient: undefined, answersId: first.messageId }
    const second = await acceptOne(post.db, post.keys, post.rosa, answer, now)
    const looksAt = async () =>
      (
        await post.owner`select message_id, by_name from look where what = 'read' and message_id in ${post.owner([first.messageId, second.messageId])} order by message_id`
      ).map(({ messageId, byName }) => [messageId, byName])
    await readThread(post.db, post.rosa, first.threadId, now)
    assert.deepEqual(await looksAt(), [])
    const helper: Actor = { ...post.rosa, by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } }
    await readThread(post.db, helper, first.threadId, now)
    assert.deepEqual(await looksAt(), [
      [first.messageId, 'Arthur Sample'],
      [second.messageId, 'Arthur Sample'],
    ])
  })
})
