import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Pages, startPages } from '../../../test/pages.ts'
import { find } from '../../mailbox/find.ts'
import { listInbox } from '../../mailbox/list.ts'

describe('the department’s pages', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const write = '/department/write'
  const letter = { recipient: 'CT-1', subject: 'Your discount', text: '# Decision\n\nYou get it.' }
  let pages: Pages
  let messageId: string
  before(async () => {
    pages = await startPages(now)
    await pages.submit('rosa', '/write/northfold-council/council-tax', { subject: 'A question', text: 'Line one\nLine two' })
    messageId = (await listInbox(pages.post.db, pages.post.council, 1)).letters[0]!.id
  })
  beforeEach(() => {
    now.at = new Date(now.at.getTime() + 1_000)
  })
  after(() => pages.stop())
  const newestOfRosa = async () => {
    const { letters } = await listInbox(pages.post.db, pages.post.rosa, 1)
    return letters[0] && find(pages.post.db, pages.post.rosa, letters[0].id)
  }

  test('what people have written is unread until a member of staff opens it', async () => {
    assert.match((await pages.get('staff', '/department')).body, /Rosa Example.*A question.*Unread/s)
    const page = (await pages.get('staff', `/department/messages/${messageId}`)).body
    assert.match(page, /Rosa Example/)
    assert.match(page, /CT-1/)
    assert.match(page, /Line one<br>\s*Line two/)
    assert.doesNotMatch((await pages.get('staff', '/department')).body, /Unread/)
  })

  test('an answer is in the person’s inbox, in the same conversation', async () => {
    const answer = await pages.submit('staff', `/department/messages/${messageId}/answer`, {
      text: 'An **answer**',
      mayAnswer: 'yes',
    })
    assert.match((await pages.get('staff', answer.headers.location as string)).body, /Your letter has been delivered/)
    const received = await newestOfRosa()
    assert.equal(received?.subject, 'Answer: A question')
    assert.equal(received?.replyAllowed, true)
    const page = (await pages.get('rosa', `/letters/${received?.id}`)).body
    assert.match(page, /An <strong>answer<\/strong>/)
    assert.match(page, /You wrote on.*Line one/s)
    assert.match((await pages.get('staff', `/department/messages/${messageId}`)).body, /Council tax wrote on/)
  })

  test('a letter goes to the person whom the service knows by this number', async () => {
    const pdf = new File(['%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF'], 'Decision.pdf')
    const date = { 'replyBy-day': '31', 'replyBy-month': '12', 'replyBy-year': '2026' }
    const fields = { ...letter, ...date, mayAnswer: 'yes', language: 'cy' }
    const answer = await pages.submit('staff', write, fields, [new File(['x'], 'a.txt'), pdf])
    assert.equal(answer.statusCode, 303)
    const received = await newestOfRosa()
    assert.deepEqual(received?.content, [{ language: 'cy', subject: 'Your discount', body: letter.text }])
    assert.deepEqual(
      received?.documents.map(({ role, title }) => [role, title]),
      [
        ['additional', 'a.txt'],
        ['main', 'Decision.pdf'],
      ],
    )
    assert.deepEqual(received?.replyBy, new Date('2026-12-31T23:59:59Z'))
    assert.match((await pages.get('rosa', `/letters/${received?.id}`)).body, /<h2 class="govuk-heading-m">Decision<\/h2>/)
  })

  test('without the tick at the box, no answer is taken', async () => {
    await pages.submit('staff', write, letter)
    assert.equal((await newestOfRosa())?.replyAllowed, false)
  })

  test('a number that means nobody is said in plain words, and what was typed stays', async () => {
    const answer = await pages.submit('staff', write, { ...letter, recipient: 'CT-9' })
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /href="#recipient">Nobody can be reached here by this number/)
    assert.match(answer.body, /value="CT-9"/)
    assert.match(answer.body, /You get it\.<\/textarea>/)
  })

  test('a date that is not there, or is over, is refused', async () => {
    const withDate = (day: string, month: string, year: string) =>
      pages.submit('staff', write, { ...letter, 'replyBy-day': day, 'replyBy-month': month, 'replyBy-year': year })
    assert.match((await withDate('31', '2', '2027')).body, /href="#replyBy">Enter a real date/)
    assert.match((await withDate('x', '', '')).body, /Enter a real date/)
    assert.match((await withDate('22', '11', '2026')).body, /must be today or later/)
    assert.equal((await withDate('23', '11', '2026')).statusCode, 303)
  })

  test('is for staff only, and a person’s page for people only', async () => {
    for (const reader of ['rosa', 'nobody'] as const) {
      const answer = await pages.get(reader, '/department')
      assert.match(String(answer.headers.location), /^\/department\/sign-in/)
    }
    assert.equal((await pages.get('staff', '/department/messages/01a20931-4de4-74b1-9b9c-593ca10ca006')).statusCode, 404)
  })
})
