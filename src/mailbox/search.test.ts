import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import PDFDocument from 'pdfkit'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { acceptOne } from '../delivery/accept.ts'
import { appendToUpload } from '../delivery/append-upload.ts'
import { createUpload } from '../delivery/create-upload.ts'
import type { Submission } from '../delivery/message.ts'
import { indexNextMailbox } from './index-documents.ts'
import { open } from './open.ts'
import { searchMailbox } from './search.ts'
import { parseQuery, type SearchFilters } from './search-query.ts'
import { runsOf } from './search-words.ts'

const now = new Date('2026-11-23T10:00:00Z')

/** A document that the council uploads, by its id. */
async function uploadFor({ db, council, serviceId }: Post, mediaType: string, bytes: Buffer): Promise<string> {
  const limits = { bytes: bytes.length, days: 1 }
  const { upload } = await createUpload(db, council, { serviceId, mediaType, size: bytes.length }, limits, now)
  await appendToUpload(db, council, { id: upload.id, offset: 0, length: undefined, bytes: Readable.from([bytes]) })
  return upload.id
}

describe('searching a mailbox', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  let letters = 0
  const send = async (change: Partial<Submission> & { body?: string }, sender: Actor = post.council, at = now) => {
    letters += 1
    const { body = 'Nothing.', ...rest } = change
    const { messageId } = await acceptOne(
      post.db,
      post.keys,
      sender,
      { ...post.letter(`search-${letters}`), content: [{ language: 'en', body }], ...rest },
      at,
    )
    return messageId
  }
  const searchFor = (typed: string, filters: SearchFilters = {}, actor = post.rosa) =>
    searchMailbox(
      post.db,
      actor,
      { query: parseQuery(typed), filters, wanted: 50, mends: true, untilMs: performance.now() + 5_000 },
      now,
    )
  const finds = async (typed: string, filters?: SearchFilters, actor?: Actor) =>
    (await searchFor(typed, filters, actor)).letters.map(({ id }) => id)

  test('finds words, the beginning and the middle of words, whatever their case and accents, in subject, sender and every language', async () => {
    const id = await send({
      subject: 'The Llŷn ferry timetable',
      content: [
        { language: 'en', body: 'The **refurbishment** of O’Brien’s quay, reference QX-7741, for QQ 12 34 56 C.' },
        { language: 'cy', subject: 'Amserlen', body: 'Adnewyddu’r **cei**' },
      ],
    })
    const found = [
      'refurbishment',
      'REFURB',
      'furbish',
      'llyn',
      'Llŷn ferry',
      'adnewyddu',
      'amserlen',
      'northfold quay',
      'obrien',
      "O'Brien",
      'QX7741',
      'QX-7741',
      'qx 7741',
      'QQ123456C',
      'QQ 12 34 56 C',
      'ferries',
      '"ferry timetable"',
      'quays',
    ]
    for (const typed of found) assert.deepEqual(await finds(typed), [id], typed)
    for (const typed of ['zeppelin', 'ferry zeppelin', '"refurb"', '!!!', '%', "'; drop table message; --"]) {
      const { letters } = await searchFor(typed)
      if (parseQuery(typed).terms.length > 0) assert.deepEqual(letters, [], typed)
    }
  })

  test('mends a name that is written wrongly, and says so', async () => {
    const id = await send({ subject: 'From Dr Wojciechowska', body: 'About your tonsils.' })
    for (const typed of ['Wojcechowska', 'wojciehcowska', 'Woiciechowska']) {
      const { letters, mended } = await searchFor(typed)
      assert.deepEqual(
        letters.map((letter) => letter.id),
        [id],
        typed,
      )
      assert.deepEqual(mended, [{ typed: typed.toLowerCase(), found: ['wojciechowska'] }])
    }
    assert.deepEqual((await searchFor('tonsils')).mended, [])
  })

  test('finds a letter by every word of it', async () => {
    const word = fc.stringMatching(/^[\p{L}\p{N}'’./&@-]{1,12}$/u)
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 12 }), async (words) => {
        const body = words.join(' ')
        const id = await send({ body: `${body}.` })
        for (const { parts } of runsOf(body)) for (const part of parts) assert.ok((await finds(part)).includes(id), part)
        for (const typed of words) if (parseQuery(typed).terms.length > 0) assert.ok((await finds(typed)).includes(id), typed)
      }),
      { numRuns: 12 },
    )
  })

  test('never fails, whatever is typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (typed) => {
        await searchFor(typed)
      }),
      { numRuns: 60 },
    )
    const { isCut } = parseQuery('council '.repeat(1_250))
    assert.ok(isCut)
  })

  test('keeps to what is asked for beside the words', async () => {
    const old = await send({ body: 'A heliotrope.' })
    const files = [{ filename: 'a.txt', mediaType: 'text/plain', content: btoa('text') }]
    const withFile = await send({ body: 'Heliotropes.', documents: [{ role: 'main', files }] })
    await test_.owner`update message set available_at = '2026-02-03T10:00:00Z' where id = ${old}`
    assert.deepEqual(await finds('heliotrope'), [withFile, old])
    assert.deepEqual(await finds('heliotrope', { until: new Date('2026-02-04T00:00:00Z') }), [old])
    assert.deepEqual(await finds('heliotrope', { from: new Date('2026-02-04T00:00:00Z') }), [withFile])
    assert.deepEqual(await finds('heliotrope', { hasDocument: true }), [withFile])
    assert.deepEqual(await finds('', { hasDocument: true }), [withFile])
    assert.deepEqual(await finds('heliotrope', { serviceId: post.serviceId }), [withFile, old])
    assert.deepEqual(await finds('heliotrope', { serviceId: post.parkingId }), [])
    await open(post.db, post.rosa, old, now)
    assert.deepEqual(await finds('heliotrope', { isUnread: true }), [withFile])
    assert.deepEqual(await finds('heliotrope', { hasToDo: true }), [])
    const until = new Date('2026-12-01T00:00:00Z')
    await test_.owner`
      insert into action (mailbox_id, id, message_id, ordinal, sender_id, service_id, category, recipient_only, kind, said, ends_at, state_at)
      select mailbox_id, id, id, 0, sender_id, service_id, category, recipient_only, 'confirm', '{}', ${until}, ${now} from message where id = ${old}`
    assert.deepEqual(await finds('heliotrope', { hasToDo: true }), [old])
    await test_.owner`update action set state = 'done'`
    assert.deepEqual(await finds('heliotrope', { hasToDo: true }), [])
    await test_.owner`update message set folder = 'bin' where id = ${withFile}`
    assert.deepEqual(await finds('heliotrope'), [old])
    assert.deepEqual(await finds('heliotrope', { folder: 'bin' }), [withFile])
  })

  test('finds words in a private note, as it is now', async () => {
    const id = await send({})
    await test_.owner`update message set note = 'Ask Gwendolyn' where id = ${id}`
    assert.deepEqual(await finds('gwendolyn'), [id])
    assert.deepEqual(await finds('gwendo council'), [id])
    await test_.owner`update message set note = 'Done' where id = ${id}`
    assert.deepEqual(await finds('gwendolyn'), [])
  })

  test('finds words inside documents once the job has read them, and that is not opening the letter', async () => {
    const pdf = await makePdf('The zanzibarite boiler')
    const documents = [
      { role: 'main' as const, files: [{ filename: 'b.pdf', mediaType: 'application/pdf', content: pdf.toString('base64') }] },
      {
        role: 'technical' as const,
        files: [{ filename: 'data.json', mediaType: 'application/json', content: btoa('{"a":"machineword"}') }],
      },
      {
        role: 'additional' as const,
        files: [{ filename: 'x.pdf', mediaType: 'application/pdf', content: btoa('%PDF-1.7\nbroken') }],
      },
    ]
    const id = await send({ body: 'See the document.', documents })
    const first = await searchFor('zanzibarite')
    assert.deepEqual([first.letters.length, first.documentsLeft > 0], [0, true])
    const events = await test_.owner`select from event`
    while (await indexNextMailbox(post.db, now)) {
      // Until nothing waits.
    }
    const then = await searchFor('zanzibarite')
    assert.deepEqual([then.letters.map((letter) => letter.id), then.documentsLeft], [[id], 0])
    assert.equal(then.letters[0]!.openedAt, null)
    assert.equal((await test_.owner`select from event`).length, events.length)
    assert.deepEqual(await finds('machineword'), [])
    const states = await test_.owner<{ state: string; reason: string | null }[]>`
      select state, reason from document_text where message_id = ${id} order by file_id`
    assert.deepEqual(
      states.map(({ state, reason }) => [state, reason]),
      [
        ['read', null],
        ['failed', 'damaged'],
      ],
    )
  })

  test('reads a document that was uploaded, of several pieces', async () => {
    const text = `${'turnip '.repeat(200_000)} rutabaga`
    const upload = await uploadFor(post, 'text/plain', Buffer.from(text))
    const id = await send({ documents: [{ role: 'main', files: [{ filename: 'roots.txt', upload }] }] })
    await searchFor('rutabaga')
    while (await indexNextMailbox(post.db, now)) {
      // Until nothing waits.
    }
    assert.deepEqual(await finds('rutabaga'), [id])
  })

  test('reads the documents of many letters, some at a time, until none waits', async () => {
    const files = (n: number) => [{ filename: `${n}.txt`, mediaType: 'text/plain', content: btoa(`parsnip ${n}`) }]
    for (let n = 0; n < 21; n += 1) await send({ documents: [{ role: 'main', files: files(n) }] })
    await searchFor('parsnip')
    // One whom a kill has stopped twice is given up.
    await test_.owner`
      update document_text set tries = 2 where file_id = (select max(file_id::text)::uuid from document_text where state = 'waiting')`
    while (await indexNextMailbox(post.db, now)) {
      // Until nothing waits.
    }
    assert.equal((await finds('parsnip')).length, 20)
    assert.equal((await searchFor('parsnip')).documentsLeft, 0)
    assert.equal((await test_.owner`select from document_text where reason = 'gave-up'`).length, 1)
  })

  test('forgets a letter that was erased, with its words and the text of its documents', async () => {
    const files = [{ filename: 'a.txt', mediaType: 'text/plain', content: btoa('quintessential') }]
    const id = await send({ body: 'An aubergine.', documents: [{ role: 'main', files }] })
    await searchFor('aubergine')
    while (await indexNextMailbox(post.db, now)) {
      // Until nothing waits.
    }
    assert.deepEqual(await finds('aubergine quintessential'), [id])
    await test_.owner`update message set erased_at = ${now} where id = ${id}`
    assert.equal(await indexNextMailbox(post.db, now), true)
    assert.deepEqual(await finds('aubergine'), [])
    const left = await test_.owner`
      select from search_word where word in ('aubergine', 'quintessential')
      union all select from document_text where message_id = ${id} union all select from search_letter where message_id = ${id}`
    assert.equal(left.length, 0)
  })

  test('finds nothing of another, and for a helper only what their grant lets them see, not a mended word of the rest either', async () => {
    const id = await send({ body: 'A periwinkle.' })
    assert.deepEqual(await finds('periwinkle', {}, post.arthur), [])
    const helper = (change: Partial<Actor>): Actor => ({
      ...post.rosa,
      rights: rightsOf('reader'),
      by: { kind: 'helper', id: post.arthur.by.id, name: 'Arthur Sample' },
      ...change,
    })
    assert.deepEqual(await finds('periwinkle', {}, helper({})), [id])
    assert.deepEqual(await finds('periwinkle', {}, helper({ rights: rightsOf('reader', [post.serviceId]) })), [id])
    const elsewhere = helper({ rights: rightsOf('reader', [post.parkingId]) })
    assert.deepEqual(await finds('periwinkle', {}, elsewhere), [])
    assert.deepEqual((await searchFor('periwinkel', {}, elsewhere)).mended, [])
    assert.deepEqual((await searchFor('periwinkel', {}, helper({}))).mended, [{ typed: 'periwinkel', found: ['periwinkle'] }])
    assert.deepEqual(await finds('periwinkle', {}, helper({ categories: ['other'] })), [])
    await test_.owner`update message set recipient_only = true where id = ${id}`
    assert.deepEqual(await finds('periwinkle', {}, helper({})), [])
    assert.deepEqual(await finds('periwinkle'), [id])
    await assert.rejects(searchFor('a', {}, helper({ rights: new Map() })), /scope|right|may/i)
  })
})

function makePdf(text: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const document = new PDFDocument()
    const parts: Buffer[] = []
    document.on('data', (part: Buffer) => parts.push(part))
    document.on('end', () => resolve(Buffer.concat(parts)))
    document.text(text)
    document.end()
  })
}
