import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { rightsOf, unite } from '../access/rights.ts'
import { auditPost } from '../evidence/audit-post.ts'
import { readEvents } from '../evidence/events.ts'
import { find } from '../mailbox/find.ts'
import { listInbox } from '../mailbox/list.ts'
import { listActions } from '../mailbox/list-actions.ts'
import { open } from '../mailbox/open.ts'
import { searchMailbox } from '../mailbox/search.ts'
import { parseQuery } from '../mailbox/search-query.ts'
import { takeLetters } from '../mailbox/take-letters.ts'
import { acceptOne } from './accept.ts'
import { recall } from './recall.ts'
import { releaseAll } from './release.ts'
import { findWithheld } from './withheld.ts'

const now = new Date('2026-11-23T10:00:00Z')
const reason = 'It was meant for somebody else'

describe('taking a letter back', () => {
  let database: TestDatabase
  let post: Post
  before(async () => {
    database = await createTestDatabase()
    post = await buildPost(database)
  })
  after(() => database.drop())

  const send = async (reference: string, more: object = {}) =>
    (await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), ...more }, now)).messageId
  const eventsOf = async (messageId: string) =>
    (await readEvents(post.db, [post.serviceId], '0', 1_000))
      .filter((event) => event.messageId === messageId)
      .map(({ type }) => type)

  test('leaves nothing of what it said in the mailbox, but that it was there and why it is gone', async () => {
    const messageId = await send('recall-1')
    await recall(post.db, post.council, { messageId, reason }, now)
    const [row] = await post.owner`select * from message where id = ${messageId}`
    assert.deepEqual([row!.subject, row!.content, row!.documents, row!.recallReason], ['', [], [], reason])
    assert.equal((await findWithheld(post.db, post.council, messageId)).subject, 'Your bill')
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.available', 'message.recalled'])
  })

  test('takes back what it asks to do', async () => {
    const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' }, until: '2026-12-01T10:00:00Z' }]
    const messageId = await send('recall-asks', { actions })
    const asked = async () => Object.values((await listActions(post.db, post.rosa, now)).waiting).flat().length
    assert.equal(await asked(), 1)
    await recall(post.db, post.council, { messageId, reason }, now)
    assert.equal(await asked(), 0)
    assert.deepEqual((await find(post.db, post.rosa, messageId)).actions, [])
    assert.deepEqual(await auditPost(post.owner, new Date(0)), [])
  })

  test('nobody finds it by what it said any more, and nothing of that stays in the index', async () => {
    const messageId = await send('recall-found', { subject: 'Zirconium' })
    const found = async () => {
      const input = { query: parseQuery('zirconium'), filters: {}, wanted: 9, mends: true, untilMs: performance.now() + 5_000 }
      return (await searchMailbox(post.db, post.rosa, input, now)).letters.map(({ id }) => id)
    }
    const words = () => post.owner`select word from search_word where word like '%zirconium%'`
    assert.deepEqual(await found(), [messageId])
    assert.notEqual((await words()).length, 0)
    await recall(post.db, post.council, { messageId, reason }, now)
    assert.deepEqual(await found(), [])
    assert.equal((await words()).length, 0)
  })

  test('leaves it unread in no count, and its words in no archive', async () => {
    const messageId = await send('recall-counted')
    const { unread } = await listInbox(post.db, post.rosa, 1)
    await recall(post.db, post.council, { messageId, reason }, now)
    assert.equal((await listInbox(post.db, post.rosa, 1)).unread, unread - 1)
    const [taken] = await takeLetters(post.db, post.rosa, { ids: [messageId] }, now)
    assert.deepEqual([taken!.subject, taken!.content, taken!.openedAt, taken!.recallReason], ['', [], null, reason])
  })

  test('comes too late once it has been opened', async () => {
    const messageId = await send('recall-2')
    await open(post.db, post.rosa, messageId, now)
    await assert.rejects(recall(post.db, post.council, { messageId, reason }, now), { code: 'recall-too-late' })
    assert.equal((await find(post.db, post.rosa, messageId)).subject, 'Your bill')
  })

  test('at the moment of opening, has one winner', async () => {
    for (let round = 0; round < 10; round += 1) {
      const messageId = await send(`recall-race-${round}`)
      await Promise.allSettled([
        recall(post.db, post.council, { messageId, reason }, now),
        open(post.db, post.rosa, messageId, now),
      ])
      const events = await eventsOf(messageId)
      assert.equal(events.filter((type) => type === 'message.opened' || type === 'message.recalled').length, 1, events.join())
    }
  })

  test('at the moment at which it becomes available, takes it all the same', async () => {
    const due = new Date(now.getTime() + 1_000)
    for (let round = 0; round < 30; round += 1) {
      const messageId = await send(`recall-due-${round}`, { availableFrom: due.toISOString() })
      await Promise.all([releaseAll(post.db, () => due), recall(post.db, post.council, { messageId, reason }, due)])
      assert.equal((await eventsOf(messageId)).at(-1), 'message.recalled')
    }
  })

  test('is harmless again', async () => {
    const messageId = await send('recall-3')
    const first = await recall(post.db, post.council, { messageId, reason }, now)
    const again = await recall(post.db, post.council, { messageId, reason: 'Other' }, new Date('2026-11-25'))
    assert.deepEqual(again, first)
    assert.equal((await eventsOf(messageId)).filter((type) => type === 'message.recalled').length, 1)
  })

  test('is for its own service only', async () => {
    const messageId = await send('recall-4')
    const other = { ...post.council, rights: post.clerk([post.parkingId]).rights }
    await assert.rejects(recall(post.db, other, { messageId, reason }, now), { code: 'not-found' })
    await assert.rejects(recall(post.db, post.rosa, { messageId, reason }, now), { code: 'not-found' })
  })

  test('is for whoever may send, and not for whoever may read what was sent', async () => {
    const messageId = await send('recall-reader')
    const rights = unite(rightsOf('post-reader', [post.serviceId]), rightsOf('post-writer', [post.parkingId]))
    const reader = { ...post.clerk([]), rights }
    await assert.rejects(recall(post.db, reader, { messageId, reason }, now), { code: 'not-found' })
  })

  test('of a correction leaves what it replaced as it was', async () => {
    const corrects = await send('recall-corrected')
    const messageId = await send('recall-correction', { corrects, recipient: undefined })
    await recall(post.db, post.council, { messageId, reason }, now)
    assert.equal((await find(post.db, post.rosa, corrects)).correctedById, null)
  })

  test('a correction goes to the same recipient, and is told beside what it replaces', async () => {
    const corrects = await send('recall-5')
    const messageId = await send('recall-6', { corrects, recipient: undefined })
    const [row] = await post.owner`select corrected_by_id from message where id = ${corrects}`
    assert.equal(row!.correctedById, messageId)
    assert.equal((await find(post.db, post.rosa, messageId)).threadId, (await find(post.db, post.rosa, corrects)).threadId)
  })

  test('a correction of another’s letter, or for somebody else, is refused', async () => {
    const corrects = await send('recall-7')
    await assert.rejects(send('recall-8', { corrects, recipient: { scheme: 'link', value: 'CT-2' } }), {
      code: 'corrected-not-found',
    })
    await assert.rejects(send('recall-9', { corrects: '01900000-0000-7000-8000-000000000000' }), { code: 'corrected-not-found' })
  })
})
