import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { rightsOf } from '../access/rights.ts'
import { acceptOne } from '../delivery/accept.ts'
import { find } from './find.ts'
import { listWritten, takeOver } from './take-over.ts'

const now = new Date('2026-11-23T12:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)

describe('taking over what was written to a service', () => {
  let test_: TestDatabase
  let post: Post
  const ids: string[] = []
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    for (let n = 0; n < 5; n += 1) {
      const letter = { ...post.letter(`question-${n}`), recipient: undefined }
      ids.push((await acceptOne(post.db, post.keys, n % 2 ? post.arthur : post.rosa, letter, later(n))).messageId)
    }
    await acceptOne(
      post.db,
      post.keys,
      post.rosa,
      { ...post.letter('parking'), serviceId: post.parkingId, recipient: undefined },
      later(9),
    )
  })
  after(() => test_.drop())

  const list = async (after: string | undefined, limit: number, waiting: boolean) =>
    (await listWritten(post.db, post.council, { after, limit, waiting })).map(({ id }) => id)

  test('begins with a list of it, the oldest first, in pages, of one’s own services', async () => {
    assert.deepEqual(await list(undefined, 3, true), ids.slice(0, 3))
    assert.deepEqual(await list(ids[2], 3, true), ids.slice(3))
    assert.deepEqual(await list(ids[4], 3, true), [])
    const [parking] = await listWritten(post.db, post.clerk([post.parkingId]), { after: undefined, limit: 9, waiting: true })
    assert.equal(parking?.serviceName, 'Parking')
  })

  test('opens it, and takes it off what is waiting', async () => {
    assert.deepEqual(await takeOver(post.db, post.council, ids[1]!, later(20)), { takenOverAt: later(20) })
    const { openedAt, takenOverAt } = await find(post.db, post.council, ids[1]!)
    assert.deepEqual([openedAt, takenOverAt], [later(20), later(20)])
    assert.deepEqual(
      await list(undefined, 9, true),
      ids.filter((id) => id !== ids[1]),
    )
    assert.deepEqual(await list(undefined, 9, false), ids)
  })

  test('again is harmless: the first time stands, for two at once too', async () => {
    assert.deepEqual(await takeOver(post.db, post.council, ids[1]!, later(30)), { takenOverAt: later(20) })
    const taken = await Promise.all([1, 2, 3, 4].map((n) => takeOver(post.db, post.council, ids[2]!, later(40 + n))))
    const { takenOverAt } = await find(post.db, post.council, ids[2]!)
    for (const each of taken) assert.deepEqual(each, { takenOverAt })
  })

  test('is for the service’s own systems, with the right to write', async () => {
    const readers = { ...post.council, rights: rightsOf('post-reader', [post.serviceId]) }
    await assert.rejects(takeOver(post.db, readers, ids[0]!, now), { code: 'scope-missing' })
    assert.equal((await find(post.db, post.council, ids[0]!)).openedAt, null)
    for (const [actor, id] of [
      [post.clerk([post.parkingId]), ids[0]],
      [post.rosa, ids[0]],
      [post.council, newId()],
    ] as const) {
      await assert.rejects(takeOver(post.db, actor, id!, now), { code: 'not-found' })
    }
  })
})
