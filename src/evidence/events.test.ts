import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { acceptOne } from '../delivery/accept.ts'
import { open } from '../mailbox/open.ts'
import { type MessageEvent, readEvents } from './events.ts'

const now = new Date('2026-11-23T10:00:00Z')
/** Of a letter that is opened and answered. */
const types = ['message.accepted', 'message.available', 'message.opened', 'message.answered']

describe('the events of a sender', () => {
  let test_: TestDatabase
  let post: Post
  let feed: string[]
  before(async () => {
    test_ = await createTestDatabase(16)
    post = await buildPost(test_)
    feed = [post.serviceId]
  })
  after(() => test_.drop())

  const send = (db: Db, reference: string, link = 'CT-1') =>
    acceptOne(db, post.keys, post.council, { ...post.letter(reference), recipient: { scheme: 'link', value: link } }, now)

  /** Does the work, and keeps its transaction open until `release` is called. Resolves once the work is done. */
  async function hold(work: (db: Db) => Promise<unknown>): Promise<{ release: (error?: Error) => Promise<unknown> }> {
    const gate = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    const transaction = post.db.begin(async (sql) => {
      await work(sql)
      done.resolve()
      await gate.promise
    })
    transaction.catch(done.reject)
    await done.promise
    return {
      release: (error) => {
        if (error) gate.reject(error)
        else gate.resolve()
        return transaction.catch(() => undefined)
      },
    }
  }

  /** Where the feed ends, when nobody writes. */
  async function endOfFeed(): Promise<string> {
    return (await readEvents(post.db, feed, '0', 100_000)).at(-1)?.position ?? '0'
  }

  test('are never passed over, though they commit after later ones', async () => {
    const end = await endOfFeed()
    const slow = await hold((sql) => send(sql, 'slow', 'CT-1'))
    await send(post.db, 'quick', 'CT-2')
    let isRead = false
    const reading = readEvents(post.db, feed, end, 10).finally(() => {
      isRead = true
    })
    await sleep(100)
    assert.equal(isRead, false, 'the reader waits for what is on its way to a place before')
    await slow.release()
    assert.deepEqual(
      (await reading).map(({ reference }) => reference),
      ['slow', 'slow', 'quick', 'quick'],
    )
  })

  test('that were rolled back are never told', async () => {
    const end = await endOfFeed()
    const undone = await hold((sql) => send(sql, 'undone', 'CT-1'))
    await send(post.db, 'done', 'CT-2')
    const reading = readEvents(post.db, feed, end, 10)
    await undone.release(new Error('undone on purpose'))
    assert.deepEqual(
      (await reading).map(({ reference }) => reference),
      ['done', 'done'],
    )
  })

  test('keep nobody waiting where there is nothing new', async () => {
    const end = await endOfFeed()
    const slow = await hold((sql) => send(sql, 'nothing-new'))
    assert.deepEqual(await readEvents(post.db, feed, end, 10), [])
    await slow.release()
  })

  test('are the sender’s own, and come in pages', async () => {
    const end = await endOfFeed()
    await send(post.db, 'page')
    const letter = { ...post.letter('to-the-council'), recipient: undefined }
    await acceptOne(post.db, post.keys, post.rosa, letter, now)
    assert.deepEqual(await readEvents(post.db, [post.parkingId], '0', 10), [])
    const [first] = await readEvents(post.db, feed, end, 1)
    const rest = await readEvents(post.db, feed, first!.position, 10)
    assert.deepEqual(
      [first, ...rest].map((event) => [event?.type, event?.reference]),
      [
        ['message.accepted', 'page'],
        ['message.available', 'page'],
      ],
    )
  })

  test('reach every reader once and in order, while many write at once', async () => {
    const people = new Map<string, Actor>()
    for (let n = 0; n < 8; n += 1) people.set(`MANY-${n}`, await post.addPerson(`MANY-${n}`))
    const end = await endOfFeed()
    /** Leaves the positions that it drew uncommitted for a while, so that others overtake it. */
    const slowly = <T>(work: (sql: Db) => Promise<T>) =>
      post.db.begin(async (sql) => {
        const result = await work(sql)
        await sql`select pg_sleep(${Math.random() * 0.01})`
        return result
      }) as Promise<T>
    const write = async ([link, person]: [string, Actor]) => {
      for (let n = 0; n < 15; n += 1) {
        const letter = await slowly((sql) => send(sql, `${link} ${n}`, link))
        await slowly((sql) => open(sql, person, letter.messageId, now))
        const answer = { ...post.letter(`answer ${n}`), recipient: undefined, answersId: letter.messageId }
        await slowly((sql) => acceptOne(sql, post.keys, person, answer, now))
      }
    }
    let isWritten = false
    const follow = async (limit: number) => {
      const seen: MessageEvent[] = []
      for (;;) {
        const wasWritten = isWritten
        const events = await readEvents(post.db, feed, seen.at(-1)?.position ?? end, limit)
        if (events.length === 0 && wasWritten) return seen
        seen.push(...events)
      }
    }
    const readers = Promise.all([1, 3, 100].map(follow))
    await Promise.all([...people].map(write))
    isWritten = true

    const all = await post.owner<
      { id: string }[]
    >`select id from event where sender_id = any(${feed}::uuid[]) and position > ${end} order by position`
    assert.equal(all.length, 8 * 15 * types.length)
    for (const seen of await readers) {
      assert.deepEqual(
        seen.map(({ id }) => id),
        all.map(({ id }) => id),
      )
      for (const [reference, events] of Map.groupBy(seen, (event) => event.reference)) {
        assert.deepEqual(
          events.map(({ type }) => type),
          types,
          reference,
        )
      }
    }
  })
})
