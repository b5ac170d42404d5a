import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { find } from '../../mailbox/find.ts'
import { listInbox, listSent } from '../../mailbox/list.ts'

describe('answering and writing', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const write = '/write/northfold-council/council-tax'
  let pages: Pages
  let letterId: string
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter } = pages.post
    letterId = (await acceptOne(db, keys, council, letter('first'), now.at)).messageId
  })
  beforeEach(() => {
    now.at = new Date(now.at.getTime() + 1_000)
  })
  after(() => pages.stop())
  const countSent = async () => (await listSent(pages.post.db, pages.post.rosa, 1)).total

  test('an answer reaches the service, with its files, and both see it in the conversation', async () => {
    const photo = new File(['Meter: 1234'], 'meter.txt', { type: 'application/x-wrong' })
    const answer = await pages.submit('rosa', `/letters/${letterId}/answer`, { text: 'Thank you.\nMay I pay later?' }, [photo])
    assert.equal(answer.statusCode, 303)
    const confirmation = await pages.get('rosa', answer.headers.location as string)
    assert.match(confirmation.body, /Your message is with Northfold Council/)
    assert.match(confirmation.body, /23 November 2026 at 10:00am/)
    assert.match((await pages.get('rosa', `/letters/${letterId}`)).body, /You wrote on.*May I pay later\?/s)
    const { letters } = await listInbox(pages.post.db, pages.post.council, 1)
    const received = await find(pages.post.db, pages.post.council, letters[0]!.id)
    assert.equal(received.answersId, letterId)
    assert.equal(received.subject, 'Answer: Your bill')
    assert.deepEqual(received.content, [{ language: 'en', subject: 'Answer: Your bill', body: 'Thank you.\nMay I pay later?' }])
    assert.deepEqual(
      received.documents.flatMap(({ role, files }) => files.map(({ filename, mediaType }) => [role, filename, mediaType])),
      [['additional', 'meter.txt', 'text/plain']],
    )
  })

  test('a message to a service is chosen by organisation and subject, and is then in Sent', async () => {
    assert.match((await pages.get('rosa', '/write')).body, /<a [^>]*href="\/write\/northfold-council">Northfold Council<\/a>/)
    assert.match((await pages.get('rosa', '/write/northfold-council')).body, new RegExp(`href="${write}">Council tax</a>`))
    const answer = await pages.submit('rosa', write, { subject: 'We  have\tmoved', text: 'To 2 New Street.' })
    assert.equal(answer.statusCode, 303)
    assert.match((await pages.get('rosa', '/sent')).body, /We {2}have moved/)
    const sent = await pages.get('rosa', (answer.headers.location as string).replace('/confirmation', ''))
    assert.match(sent.body, /To Northfold Council.*We {2}have moved.*Not opened yet/s)
    for (const url of ['/write/nowhere', '/write/northfold-council/nothing', '/write/X']) {
      assert.equal((await pages.get('rosa', url)).statusCode, 404, url)
    }
  })

  test('sending a form twice makes one message', async () => {
    const fields = { reference: newId(), subject: 'Once', text: 'Only once' }
    const before = await countSent()
    const [one, two] = [await pages.submit('rosa', write, fields), await pages.submit('rosa', write, fields)]
    assert.equal(one.headers.location, two.headers.location)
    assert.equal(await countSent(), before + 1)
  })

  test('a form that was sent before with other words asks, and sends both if that is meant', async () => {
    const fields = { reference: newId(), subject: 'First', text: 'First' }
    await pages.submit('rosa', write, fields)
    const again = await pages.submit('rosa', write, { ...fields, text: 'Second' })
    assert.equal(again.statusCode, 422)
    assert.match(again.body, /already sent a message from this form/)
    assert.match(again.body, /<textarea[^>]*>Second<\/textarea>/)
    assert.doesNotMatch(again.body, new RegExp(fields.reference))
  })

  test('what is wrong is said at its field, and what was typed stays', async () => {
    const answer = await pages.submit('rosa', write, { subject: '', text: 'I typed <this>' }, [
      new File([], 'empty.pdf'),
      new File(['no PDF'], 'bill.exe'),
    ])
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /<title>Error: Write to Northfold Council – Digital Post<\/title>/)
    assert.match(answer.body, /href="#subject">Enter a subject/)
    assert.match(answer.body, /href="#files">“empty\.pdf” is empty/)
    assert.match(answer.body, /href="#files">“bill\.exe” is not a kind of file that we take/)
    assert.match(answer.body, /I typed &lt;this&gt;<\/textarea>/)
    const blank = await pages.submit('rosa', write, { subject: 'x'.repeat(257), text: ' ' })
    assert.match(blank.body, /Subject must be 256 characters or fewer/)
    assert.match(blank.body, /Enter your message/)
  })

  test('a file that is not what its name says is refused by its name, and nothing is kept', async () => {
    const before = await countSent()
    const answer = await pages.submit('rosa', write, { subject: 'A file', text: 'See it' }, [
      new File(['fine'], 'fine.txt'),
      new File(['<html>'], 'bill.pdf', { type: 'application/pdf' }),
    ])
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /“bill\.pdf” is damaged, or is not the kind of file that its name says/)
    assert.equal(await countSent(), before)
  })

  test('files of more than 10 MB, or more than ten, are refused', async () => {
    const half = 'x'.repeat(6 * 1024 * 1024)
    const large = await pages.submit('rosa', write, { subject: 'Large', text: 'x' }, [
      new File([half], 'a.txt'),
      new File([half], 'b.txt'),
    ])
    assert.match(large.body, /The files are together larger than 10 MB/)
    const many = Array.from({ length: 11 }, (_, i) => new File(['x'], `${i}.txt`))
    assert.match((await pages.submit('rosa', write, { subject: 'Many', text: 'x' }, many)).body, /Choose up to 10 files/)
  })

  test('a form without our token, or of somebody else, sends nothing', async () => {
    const before = await countSent()
    for (const csrf of ['', 'token-a']) {
      const answer = await pages.submit('rosa', write, { csrf, subject: 'Forged', text: 'x' })
      assert.equal(answer.statusCode, 403)
      assert.match(answer.body, /This form has expired/)
    }
    const { name, value } = (await pages.signIn('rosa'))!
    const cookie = `${name}=${value}`
    const csrf = /name="csrf" value="([^"]+)"/.exec((await pages.app.inject({ url: write, headers: { cookie } })).body)![1]
    const plain = await pages.app.inject({
      method: 'POST',
      url: write,
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: `csrf=${csrf}&subject=a&text=b`,
    })
    assert.equal(plain.statusCode, 403)
    assert.equal(await countSent(), before)
  })

  test('an answer to somebody else’s letter is not there', async () => {
    assert.equal((await pages.get('arthur', `/letters/${letterId}/answer`)).statusCode, 404)
  })

  test('a new message in the conversation stays closed until it is opened on its own page', async () => {
    const { db, keys, council } = pages.post
    const { letters } = await listInbox(db, council, 1)
    const original = await find(db, council, letters.at(-1)!.id)
    const submission = {
      reference: 'staff answer',
      serviceId: original.serviceId,
      answersId: original.id,
      subject: 'Answer: Your bill',
      content: [{ language: 'en', body: 'Yes, you may.' }],
      documents: [],
      reply: { allowed: true },
    }
    const { messageId } = await acceptOne(db, keys, council, submission, now.at)
    const page = (await pages.get('rosa', `/letters/${letterId}`)).body
    assert.doesNotMatch(page, /Yes, you may/)
    assert.match(page, new RegExp(`href="/letters/${messageId}">Open this message`))
    await pages.get('rosa', `/letters/${messageId}`)
    assert.match((await pages.get('rosa', `/letters/${letterId}`)).body, /Yes, you may/)
  })
})
