import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptOne } from '../delivery/accept.ts'
import { findSent } from '../delivery/sent.ts'
import { readEvents } from '../evidence/events.ts'
import { find } from './find.ts'
import { open } from './open.ts'

const now = new Date('2026-11-23T12:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)

describe('opening a letter', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase(10)
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const send = async (reference: string) =>
    (await acceptOne(post.db, post.keys, post.council, post.letter(reference), now)).messageId
  const openedEvents = async (messageId: string) =>
    (await readEvents(post.db, [post.serviceId], '0', 1_000)).filter(
      (event) => event.messageId === messageId && event.type === 'message.opened',
    )
  const modseq = async (id: string) =>
    BigInt((await post.owner<{ modseq: string }[]>`select modseq from message where id = ${id}`)[0]!.modseq)

  test('shows it whole', async () => {
    const letter = await open(post.db, post.rosa, await send('whole'), now)
    assert.deepEqual(
      [letter.subject, letter.content, letter.senderName, letter.isSent, letter.isFromParty, letter.replyAllowed],
      [
        'Your bill',
        [{ language: 'en', subject: 'Your bill', body: 'You have a bill.' }],
        'Northfold Council',
        false,
        false,
        true,
      ],
    )
  })

  test('is recorded the first time, for the reader and the sender alike, and told once', async () => {
    const id = await send('once')
    assert.equal((await find(post.db, post.rosa, id)).openedAt, null, 'finding is not opening')
    const before = await modseq(id)
    assert.deepEqual((await open(post.db, post.rosa, id, later(1))).openedAt, later(1))
    assert.deepEqual((await open(post.db, post.rosa, id, later(2))).openedAt, later(1))
    assert.deepEqual((await find(post.db, post.rosa, id)).openedAt, later(1))
    assert.deepEqual((await findSent(post.db, post.council, { messageId: id }))[0]?.openedAt, later(1))
    assert.deepEqual(
      (await openedEvents(id)).map(({ at, reference }) => [at, reference]),
      [[later(1), 'once']],
    )
    assert.ok((await modseq(id)) > before, 'a client that asks what has changed is told')
  })

  test('is recorded once where two open it at once, and both are told the same time', async () => {
    const id = await send('at-once')
    const [opened, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const first = post.db.begin(async (sql) => {
      const letter = await open(sql, post.rosa, id, later(1))
      opened.resolve()
      await gate.promise
      return letter
    })
    await opened.promise
    const second = open(post.db, post.rosa, id, later(2))
    await sleep(100)
    gate.resolve()
    assert.deepEqual([(await first).openedAt, (await second).openedAt], [later(1), later(1)])
    assert.deepEqual(
      (await openedEvents(id)).map(({ at }) => at),
      [later(1)],
    )
  })

  test('by the sender is no opening', async () => {
    const id = await send('own')
    await assert.rejects(open(post.db, post.council, id, now), { code: 'not-found' })
    assert.deepEqual(await openedEvents(id), [])
  })

  test('needs the right to read', async () => {
    const id = await send('right')
    await assert.rejects(open(post.db, { ...post.rosa, rights: new Map() }, id, now), { code: 'scope-missing' })
  })
})
