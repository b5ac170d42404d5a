import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import PDFDocument from 'pdfkit'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { acceptOne } from '../delivery/accept.ts'
import { appendToUpload } from '../delivery/append-upload.ts'
import { createUpload } from '../delivery/create-upload.ts'
import type { Submission } from '../delivery/message.ts'
import { sendDraft } from '../delivery/send-draft.ts'
import { deleteDraft } from './delete-draft.ts'
import type { DraftAim } from './draft.ts'
import { addDraftFile } from './draft-files.ts'
import { indexNextMailbox } from './index-documents.ts'
import { open } from './open.ts'
import { saveDraft } from './save-draft.ts'
import { searchMailbox } from './search.ts'
import { searchMailboxes } from './search-mailboxes.ts'
import { type Place, parseQuery, type SearchFilters } from './search-query.ts'
import { runsOf, wordsVersion } from './search-words.ts'

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

  test('looks in all mailboxes for what the first have in place of a misspelt word', async () => {
    const mine = await send({ body: 'A huckleberry.' })
    const recipient = { scheme: 'link', value: 'CT-2' }
    const theirs = await send({ body: 'A huckleberry too.', recipient })
    await send({ body: 'A hucklebury.', recipient })
    const searchAll = async (typed: string, actors: Actor[]) => {
      const asked = { query: parseQuery(typed), filters: {}, page: 1 }
      const { letters, mended } = await searchMailboxes(
        post.db,
        actors.map((actor) => ({ actor })),
        asked,
        now,
      )
      return { found: letters.map(({ id }) => id), mended }
    }
    // One may read a mailbox by several grants: it is searched as often, and its letters are shown once.
    const { found, mended } = await searchAll('huckelberry', [...Array(4).fill(post.rosa), post.arthur])
    assert.deepEqual(found.sort(), [mine, theirs].sort())
    assert.deepEqual(mended, [{ typed: 'huckelberry', found: ['huckleberry'] }])
    // What the first do not have is looked for in the others.
    assert.deepEqual((await searchAll('huckelbury', [...Array(4).fill(post.rosa), post.arthur])).mended[0]?.found, ['hucklebury'])
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

describe('searching what one has sent and what one is writing', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const receive = async (body: string, change: Partial<Submission> = {}) => {
    const submission = { ...post.letter(newId()), content: [{ language: 'en', body }], ...change }
    return (await acceptOne(post.db, post.keys, post.council, submission, now)).messageId
  }
  const write = async (
    body: string,
    change: Partial<DraftAim> & { subject?: string; answers?: string[] } = {},
    actor = post.rosa,
  ) => {
    const { subject = '', answers = [], ...aim } = change
    const [point] = await test_.owner<{ id: string }[]>`select id from contact_point where service_id = ${post.serviceId}`
    const whole: DraftAim = {
      kind: 'new',
      messageId: null,
      contactPointId: aim.messageId || aim.toPartyId ? null : point!.id,
      toPartyId: null,
      toName: 'Northfold Council',
      serviceId: post.serviceId,
      category: 'general',
      recipientOnly: false,
      ...aim,
    }
    const id = newId()
    await saveDraft(post.db, actor, { id, version: 0, aim: whole, subject, body, answers }, now)
    return id
  }
  const send = async (draftId: string, actor = post.rosa) =>
    (await sendDraft(post.db, post.keys, actor, { id: draftId, version: undefined }, now)).messageId
  const addFile = (draftId: string, filename: string, text: string) => {
    const file = { filename, mediaType: 'text/plain', bytes: Buffer.from(text) }
    return addDraftFile(post.db, post.rosa, draftId, file, { files: 9, bytes: 10_000 })
  }
  const searchFor = (typed: string, filters: SearchFilters = {}, actor = post.rosa) =>
    searchMailboxes(post.db, [{ actor }], { query: parseQuery(typed), filters, page: 1 }, now)
  /** Where each is, and its id, in order. */
  const finds = async (typed: string, filters?: SearchFilters, actor?: Actor) =>
    (await searchFor(typed, filters, actor)).letters.map(({ place, id }) => [place, id])
  const readAllDocuments = async () => {
    while (await indexNextMailbox(post.db, now)) {
      // Until nothing waits.
    }
  }
  const helper = (change: Partial<Actor> = {}): Actor => ({
    ...post.rosa,
    rights: rightsOf('writer'),
    by: { kind: 'helper', id: post.arthur.by.id, name: 'Arthur Sample' },
    ...change,
  })

  test('finds it among what came, the newest first, or alone, and says where it is, to whom it went and where the words stand', async () => {
    const first = await receive('A kumquat.')
    const sent = await send(await write('My *kumquat* is ripe.', { messageId: first, kind: 'answer' }))
    const last = await receive('Kumquats.')
    const draft = await write('One more kumquat')
    const all = [
      ['received', last],
      ['sent', sent],
      ['received', first],
    ]
    const drafted = ['drafts', draft]
    // Its time is that of the test's clock, which stands; letters have ids of the real time.
    assert.deepEqual((await finds('kumquat')).toSorted(), [...all, drafted].toSorted())
    assert.deepEqual(
      (await finds('kumquat')).filter(([place]) => place !== 'drafts'),
      all,
    )
    assert.deepEqual(await finds('kumquat', { place: 'received' }), [all[0], all[2]])
    assert.deepEqual(await finds('kumquat', { place: 'sent' }), [all[1]])
    assert.deepEqual(await finds('kumquat', { place: 'drafts' }), [drafted])
    const { letters, count } = await searchFor('kumquat', { place: 'sent' })
    assert.deepEqual([count, letters[0]!.otherName, letters[0]!.snippet?.where], [1, 'Northfold Council', 'text'])
    assert.deepEqual(letters[0]!.snippet?.pieces, [
      { text: 'My ', isFound: false },
      { text: 'kumquat', isFound: true },
      { text: ' is ripe.', isFound: false },
    ])
    assert.deepEqual(await finds('kumquat northfold', { place: 'sent' }), [all[1]], 'by whom it went to')
    assert.deepEqual(await finds('kumquat rosa', { place: 'sent' }), [], 'and not by who wrote it')
    assert.deepEqual(await finds('kumqaut', { place: 'sent' }), [all[1]], 'misspelt')
    const appeal = await send(await write('Please.', { subject: 'Appeal' }))
    const contact = { pointId: newId(), pointName: 'Fines', fields: [{ label: 'Notice', value: 'NF-77123' }] }
    await test_.owner`update message set contact = ${test_.owner.json(contact)} where id = ${appeal}`
    assert.deepEqual(await finds('NF77123'), [['sent', appeal]], 'by what was asked at the place that it went to')
    assert.deepEqual(await finds('kumquat', {}, post.arthur), [])
  })

  test('keeps to what is asked for beside the words, of which some can be so of what was received only', async () => {
    const received = await receive('A persimmon.')
    const sent = await send(await write('Persimmons.', { subject: 'Fruit' }))
    const draft = await write('Persimmon', { subject: 'Fruit' })
    await addFile(draft, 'a.txt', 'a')
    const day = { from: now, until: now }
    assert.equal((await finds('persimmon', day)).length, 3)
    assert.deepEqual(await finds('persimmon', { until: new Date(now.getTime() - 1) }), [])
    assert.equal((await finds('persimmon', { serviceId: post.serviceId })).length, 3)
    assert.deepEqual(await finds('persimmon', { serviceId: post.parkingId }), [])
    assert.deepEqual(await finds('persimmon', { hasDocument: true }), [['drafts', draft]])
    assert.deepEqual(await finds('persimmon', { isUnread: true }), [['received', received]])
    assert.deepEqual(await finds('persimmon', { folder: 'inbox' }), [['received', received]])
    assert.deepEqual(await finds('persimmon', { place: 'sent', isUnread: true }), [])
    const ofAll = await finds('', { place: 'sent', from: now })
    assert.deepEqual(ofAll[0], ['sent', sent])
    assert.ok(ofAll.every(([place]) => place === 'sent'))
    assert.ok((await finds('', { place: 'drafts', from: now })).some(([, id]) => id === draft))
  })

  test('finds a draft as it is now, by every word of it and the names of its files, misspelt too, until it is deleted or sent', async () => {
    const id = await write('A medlar', { subject: 'About trees', answers: ['AB-1234'] })
    await addFile(id, 'rowan.txt', 'hawthorn')
    for (const typed of ['medlar', 'medlars trees', 'AB1234', 'rowan', 'edla', 'meldar', '"about trees"'])
      assert.deepEqual(await finds(typed, { place: 'drafts' }), [['drafts', id]], typed)
    for (const typed of ['hawthorn', 'medlar oak', '"medla"']) assert.deepEqual(await finds(typed), [], typed)
    assert.deepEqual((await searchFor('meldar')).mended, [{ typed: 'meldar', found: ['medlar'] }])
    const edit = { id, version: 1, aim: {} as DraftAim, subject: 'About trees', body: 'A quince', answers: [] }
    await saveDraft(post.db, post.rosa, edit, now)
    assert.deepEqual([await finds('medlar'), (await finds('quince')).length], [[], 1])
    await deleteDraft(post.db, post.rosa, id)
    assert.deepEqual(await finds('quince'), [])
    const other = await write('A greengage', { subject: 'Plums' })
    assert.deepEqual(await finds('greengage'), [['drafts', other]])
    const sent = await send(other)
    assert.deepEqual(await finds('greengage'), [['sent', sent]])
  })

  test('finds words inside documents that one has sent, once the job has read them', async () => {
    const id = await write('See the file.', { subject: 'Proof' })
    await addFile(id, 'proof.txt', 'The word inside is tamarillo.')
    const sent = await send(id)
    assert.deepEqual([await finds('tamarillo'), (await searchFor('tamarillo')).documentsLeft], [[], 1])
    await readAllDocuments()
    const { letters, documentsLeft } = await searchFor('tamarillo')
    assert.deepEqual([letters.map((letter) => letter.id), documentsLeft], [[sent], 0])
    assert.deepEqual([letters[0]!.snippet?.where, letters[0]!.snippet?.filename], ['document', 'proof.txt'])
  })

  test('goes on finding what was sent when whom it went to has erased it, and they find it no more', async () => {
    const original = await receive('A bill.')
    const sent = await send(await write('A loganberry', { kind: 'forward', messageId: original, toPartyId: post.arthur.partyId }))
    assert.deepEqual(await finds('loganberry', {}, post.arthur), [['received', sent]])
    const both = await searchMailboxes(
      post.db,
      [{ actor: post.rosa }, { actor: post.arthur }],
      { query: parseQuery('loganberry'), filters: {}, page: 1 },
      now,
    )
    assert.deepEqual(both.letters.map(({ place }) => place).toSorted(), ['received', 'sent'], 'in each of the two mailboxes')
    await test_.owner`update message set erased_at = ${now} where id = ${sent}`
    await readAllDocuments()
    assert.deepEqual(await finds('loganberry', {}, post.arthur), [])
    assert.deepEqual(await finds('loganberry'), [['sent', sent]])
  })

  test('shows nobody what they may not see, and the owner who searched', async () => {
    const original = await receive('A letter.')
    const secret = await receive('For Rosa alone.', { recipientOnly: true })
    const received = await receive('A cloudberry.')
    const sent = await send(await write('A cloudberry', { kind: 'answer', messageId: original }))
    await send(await write('A cloudberry', { kind: 'answer', messageId: secret, recipientOnly: true }))
    const draft = await write('A cloudberry', { subject: 'x' })
    await write('A cloudberry', { kind: 'answer', messageId: secret, recipientOnly: true })
    const without = (...rights: string[]) => new Map([...rightsOf('writer')].filter(([right]) => !rights.includes(right)))
    const every: Place[] = ['received', 'sent', 'drafts']
    const table: [who: string, actor: Actor, sees: Place[], count: number][] = [
      ['the owner', post.rosa, every, 5],
      ['a helper who may write', helper(), every, 3],
      ['an employee', helper({ by: { ...helper().by, isEmployee: true } }), every, 5],
      ['a reader', helper({ rights: rightsOf('reader') }), ['received', 'sent'], 2],
      ['one who may not see what was sent', helper({ rights: without('messages:read') }), ['received', 'drafts'], 2],
      ['one who may read what came only', helper({ rights: without('messages:read', 'messages:write') }), ['received'], 1],
      ['one for another service', helper({ rights: rightsOf('writer', [post.parkingId]) }), [], 0],
      ['one for this service', helper({ rights: rightsOf('writer', [post.serviceId]) }), every, 3],
      ['one for another kind of post', helper({ categories: ['health'] }), [], 0],
      ['another person', post.arthur, [], 0],
    ]
    const ids = { received, sent, drafts: draft }
    for (const [who, actor, sees, count] of table) {
      const found = await searchFor('cloudberry', {}, actor)
      assert.equal(found.count, count, who)
      const shown = found.letters.map(({ id }) => id)
      for (const place of every) {
        assert.equal(shown.includes(ids[place]), sees.includes(place), `${who}: ${place}`)
        const alone = await finds('cloudberry', { place }, actor)
        assert.equal(alone.length > 0, sees.includes(place), `${who}: ${place} alone`)
        const all = await finds('', { place, from: now }, actor)
        assert.equal(all.length > 0, sees.includes(place), `${who}: all of ${place}`)
      }
      // Nor is a word mended that stands only in what they do not see.
      assert.equal((await searchFor('cloudbery', {}, actor)).mended.length > 0, count > 0, who)
    }
    await test_.owner`delete from look`
    assert.equal((await searchFor('cloudberry', { place: 'sent' }, helper())).letters[0]!.snippet?.where, 'text')
    const looks = await test_.owner<
      { what: string; byName: string }[]
    >`select what, by_name from look where party_id = ${post.rosa.partyId}`
    assert.deepEqual(
      [...looks].map(({ what, byName }) => [what, byName]),
      [['searched', 'Arthur Sample']],
    )
  })

  test('makes an index anew that knows of what was received only', async () => {
    const sent = await send(await write('A boysenberry', { subject: 'Berries' }))
    await finds('boysenberry')
    await test_.owner`delete from search_letter where message_id = ${sent}`
    const last = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
    await test_.owner`update search_state set version = 1, recheck_from = ${last} where mailbox_id = ${post.rosa.mailboxId}`
    assert.deepEqual(await finds('boysenberry'), [['sent', sent]])
  })

  test('leaves an index alone that a newer program has made', async () => {
    const known = await send(await write('A salmonberry', { subject: 'Berries' }))
    assert.deepEqual(await finds('salmonberry'), [['sent', known]])
    await test_.owner`update search_state set version = ${wordsVersion + 1}, wanted_at = ${now} where mailbox_id = ${post.rosa.mailboxId}`
    await send(await write('Another salmonberry', { subject: 'Berries' }))
    assert.equal(await indexNextMailbox(post.db, now), true)
    assert.deepEqual(await finds('salmonberry'), [['sent', known]])
    const [state] = await test_.owner`select version from search_state where mailbox_id = ${post.rosa.mailboxId}`
    assert.equal(state!.version, wordsVersion + 1)
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
