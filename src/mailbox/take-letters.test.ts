import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { acceptOne } from '../delivery/accept.ts'
import { listParts } from './list-parts.ts'
import { readTaken, takeLetters } from './take-letters.ts'

const first = '00000000-0000-0000-0000-000000000000'
const last = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

describe('taking letters away', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  let testDatabase: TestDatabase
  let post: Post
  before(async () => {
    testDatabase = await createTestDatabase()
    post = await buildPost(testDatabase)
  })
  after(() => testDatabase.drop())

  const send = async (reference: string, texts: string[] = []) => {
    const files = texts.map((text, at) => ({ filename: `${at}.txt`, mediaType: 'text/plain', content: btoa(text) }))
    const documents = texts.length > 0 ? [{ role: 'main' as const, files }] : []
    return (await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), documents }, now)).messageId
  }
  const write = async (actor: Actor) => {
    const content = [{ language: 'en', body: 'I have moved.' }]
    const reference = crypto.randomUUID()
    const written = { reference, serviceId: post.serviceId, subject: 'Moved', content, documents: [], reply: { allowed: true } }
    return (await acceptOne(post.db, post.keys, actor, written, now)).messageId
  }
  const eventsOf = async (id: string) =>
    (await post.owner<{ type: string }[]>`select type from event where message_id = ${id} order by position`).map(
      ({ type }) => type,
    )

  test('opens them and records each file, once, before the bytes are there', async () => {
    const [one, two] = [await send('one', ['a', 'b']), await send('two')]
    const letters = await takeLetters(post.db, post.rosa, { ids: [two, one] }, now)
    assert.deepEqual(
      letters.map(({ id, openedAt }) => [id, openedAt]),
      [
        [one, now],
        [two, now],
      ],
    )
    const delivered = ['message.accepted', 'message.available']
    assert.deepEqual(await eventsOf(one), [...delivered, 'message.opened', 'message.handed-over', 'message.handed-over'])
    assert.deepEqual(await eventsOf(two), [...delivered, 'message.opened'])
    await takeLetters(post.db, post.rosa, { ids: [one, two] }, now)
    assert.equal((await eventsOf(one)).length, 5, 'again is not recorded again')
    const [file] = letters[0]!.documents[0]!.files
    assert.equal(await text(await readTaken(post.db, post.rosa, letters[0]!, file!)), 'a')
    await post.owner`update message set note = 'Ask Jo' where id = ${two}`
    assert.equal((await takeLetters(post.db, post.rosa, { ids: [two] }, now))[0]!.note, 'Ask Jo')
    const [sent] = await post.owner`select opened_at from ledger where message_id = ${two}`
    assert.deepEqual(sent!.openedAt, now)
  })

  test('two at once record once, and neither fails', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, at) => send(`race ${at}`, ['x'])))
    const backwards = ids.toReversed()
    await Promise.all([ids, backwards, ids, backwards].map((each) => takeLetters(post.db, post.rosa, { ids: each }, now)))
    for (const id of ids) assert.equal((await eventsOf(id)).length, 4)
  })

  test('takes what was written too, and opens nothing at the other side', async () => {
    const id = await write(post.rosa)
    const [letter] = await takeLetters(post.db, post.rosa, { ids: [id] }, now)
    assert.equal(letter!.isSent, true)
    await post.owner`update message set note = 'theirs' where id = ${id}`
    assert.equal((await takeLetters(post.db, post.rosa, { ids: [id] }, now))[0]!.note, null, 'a note of the other side')
    assert.deepEqual(await eventsOf(id), ['message.accepted', 'message.available'])
  })

  test('another’s letter is not there, nor is anything then opened or recorded', async () => {
    const id = await send('not theirs', ['a'])
    const other = await write(post.arthur)
    await assert.rejects(takeLetters(post.db, post.arthur, { ids: [id, other] }, now), { code: 'not-found' })
    assert.deepEqual(await eventsOf(id), ['message.accepted', 'message.available'])
  })

  test('a helper leaves a look at each', async () => {
    const ids = [await send('looked at one'), await send('looked at two')]
    const by = { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } as const
    await takeLetters(post.db, { ...post.rosa, by, rights: rightsOf('reader') }, { ids }, now)
    const looks = await post.owner`select what from look where message_id = any(${ids}::uuid[]) order by message_id, what`
    assert.deepEqual(
      looks.map(({ what }) => what),
      ['downloaded', 'opened', 'downloaded', 'opened'],
    )
  })

  test('all, some at a time, without those that nobody has opened', async () => {
    const person = await post.addPerson('CT-9')
    const to = (reference: string) => ({ ...post.letter(reference), recipient: { scheme: 'link', value: 'CT-9' } })
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.push((await acceptOne(post.db, post.keys, post.council, to(`all ${at}`), now)).messageId)
    }
    await takeLetters(post.db, person, { ids: [ids[1]!, ids[4]!] }, now)
    const wanted = { after: first, until: last, limit: 2, withUnopened: false }
    const some = await takeLetters(post.db, person, wanted, now)
    assert.deepEqual(
      some.map(({ id }) => id),
      [ids[1], ids[4]],
    )
    const [part] = await listParts(post.db, person)
    assert.deepEqual([part!.letters, part!.unopened, part!.after, part!.until], [5, 3, first, ids[4]])
    const rest = await takeLetters(post.db, person, { ...wanted, after: ids[2]!, withUnopened: true }, now)
    assert.deepEqual(
      rest.map(({ id }) => id),
      [ids[3], ids[4]],
    )
  })

  test('parts hold no more than they should, one after another, and only the owner gets them', async () => {
    const person = await post.addPerson('CT-10')
    const to = (reference: string) => ({ ...post.letter(reference), recipient: { scheme: 'link', value: 'CT-10' } })
    for (let at = 0; at < 7; at++) await acceptOne(post.db, post.keys, post.council, to(`part ${at}`), now)
    await write(person)
    const parts = await listParts(post.db, person, { letters: 3, files: 1_000, bytes: 1_000_000 })
    assert.equal(
      parts.reduce((sum, { letters }) => sum + letters, 0),
      8,
    )
    assert.ok(parts.length >= 3 && parts.every(({ letters }) => letters <= 3))
    parts.forEach((part, at) => {
      assert.equal(part.after, parts[at - 1]?.until ?? first)
    })
    await assert.rejects(listParts(post.db, { ...person, rights: rightsOf('writer') }), { code: 'scope-missing' })
  })
})
