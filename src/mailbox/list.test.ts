import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { acceptOne } from '../delivery/accept.ts'
import { lettersPerPage, listFolder, listInbox, listSent } from './list.ts'
import { open } from './open.ts'

const noon = Date.parse('2026-11-23T12:00:00Z')
/** So many seconds after noon. */
const at = (seconds: number) => new Date(noon + seconds * 1000)

describe('listing letters', () => {
  let test_: TestDatabase
  let post: Post
  const ids: string[] = []
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    for (let n = 0; n < 45; n += 1) {
      const letter = { ...post.letter(`letter-${n}`), subject: `Letter ${n}` }
      const documents =
        n === 44 ? [{ role: 'main' as const, files: [{ filename: 'a.txt', mediaType: 'text/plain', content: 'YQ==' }] }] : []
      ids.push((await acceptOne(post.db, post.keys, post.council, { ...letter, documents }, at(n))).messageId)
    }
    await open(post.db, post.rosa, ids[44]!, at(100))
    // What others have is in no list of hers.
    const his = { ...post.letter('his'), recipient: { scheme: 'link', value: 'CT-2' } }
    await acceptOne(post.db, post.keys, post.council, his, at(200))
  })
  after(() => test_.drop())

  const write = (actor: Actor, serviceId: string, reference: string, seconds: number) =>
    acceptOne(
      post.db,
      post.keys,
      actor,
      { ...post.letter(reference), serviceId, recipient: undefined, subject: reference },
      at(seconds),
    )
  const subjects = ({ letters }: { letters: { subject: string }[] }) => letters.map(({ subject }) => subject)

  test('shows twenty on a page, the newest first, and counts all and the unread', async () => {
    const newestFirst = Array.from({ length: 45 }, (_, n) => `Letter ${44 - n}`)
    assert.equal(lettersPerPage, 20)
    for (const page of [1, 2, 3]) {
      const found = await listInbox(post.db, post.rosa, page)
      assert.deepEqual(subjects(found), newestFirst.slice(20 * (page - 1), 20 * page))
      assert.deepEqual([found.page, found.pages, found.total, found.unread], [page, 3, 45, 44])
    }
  })

  test('says who sent it, when, whether it is opened and has documents', async () => {
    const {
      letters: [newest, next],
    } = await listInbox(post.db, post.rosa, 1)
    assert.deepEqual(
      [newest?.id, newest?.otherName, newest?.serviceName, newest?.availableAt, newest?.openedAt, newest?.hasDocuments],
      [ids[44], 'Northfold Council', 'Council tax', at(44), at(100), true],
    )
    assert.deepEqual([next?.openedAt, next?.hasDocuments], [null, false])
  })

  test('of an empty mailbox, or past the end, is an empty page', async () => {
    const past = await listInbox(post.db, post.rosa, 4)
    assert.deepEqual([past.letters, past.pages, past.total], [[], 3, 45])
    const nobody = await post.addPerson('CT-3')
    for (const empty of [await listInbox(post.db, nobody, 1), await listSent(post.db, nobody, 1)]) {
      assert.deepEqual(empty, { letters: [], page: 1, pages: 1, total: 0, unread: 0 })
    }
  })

  test('shows what one has written, the newest first, and when it was opened over there', async () => {
    const first = await write(post.rosa, post.serviceId, 'first', 300)
    await write(post.rosa, post.parkingId, 'second', 301)
    await write(post.arthur, post.serviceId, 'of another', 302)
    await open(post.db, post.council, first.messageId, at(310))
    const sent = await listSent(post.db, post.rosa, 1)
    assert.deepEqual(
      sent.letters.map(({ subject, openedAt }) => [subject, openedAt]),
      [
        ['second', null],
        ['first', at(310)],
      ],
    )
    assert.equal((await listSent(post.db, post.council, 1)).total, 46)
  })

  test('shows a member of staff the post of their own services only', async () => {
    const [tax, parking] = [post.clerk([post.serviceId]), post.clerk([post.parkingId])]
    assert.deepEqual(subjects(await listInbox(post.db, tax, 1)), ['of another', 'first'])
    assert.deepEqual(subjects(await listInbox(post.db, parking, 1)), ['second'])
    const both = await listInbox(post.db, post.clerk([post.serviceId, post.parkingId]), 1)
    assert.deepEqual([both.total, both.unread], [3, 2])
    assert.deepEqual([(await listSent(post.db, parking, 1)).total, (await listInbox(post.db, post.clerk([]), 1)).total], [0, 0])
  })

  test('calls a letter by its subject in the reader’s language, where it is written in that', async () => {
    const carys = await post.addPerson('CT-4')
    const content = [
      { language: 'en', subject: 'Your bill', body: 'Dear resident' },
      { language: 'cy', subject: 'Eich bil', body: 'Annwyl breswylydd' },
    ]
    const recipient = { scheme: 'link', value: 'CT-4' }
    await acceptOne(post.db, post.keys, post.council, { ...post.letter('both'), recipient, subject: 'Your bill', content }, at(1))
    await acceptOne(post.db, post.keys, post.council, { ...post.letter('english'), recipient, subject: 'Your bin' }, at(2))
    const called = async (language: string) => subjects(await listFolder(post.db, carys, { folder: 'inbox', language }))
    assert.deepEqual(await called('cy'), ['Your bin', 'Eich bil'])
    assert.deepEqual(await called('en'), ['Your bin', 'Your bill'])
  })
})
