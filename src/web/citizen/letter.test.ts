import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { Submission } from '../../delivery/message.ts'
import { recall } from '../../delivery/recall.ts'
import { listInbox } from '../../mailbox/list.ts'

describe('the citizen’s letters', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
  })
  after(() => pages.stop())

  const send = async (reference: string, more: Partial<Submission> = {}) =>
    (await acceptOne(pages.post.db, pages.post.keys, pages.post.council, { ...pages.post.letter(reference), ...more }, now.at))
      .messageId
  const rowOf = (html: string, id: string) =>
    html.split('<li class="post-list__item').find((row) => row.includes(`/letters/${id}"`)) ?? ''

  test('an empty inbox says what will come', async () => {
    assert.match((await pages.get('arthur', '/inbox')).body, /You have no letters yet/)
  })

  test('a letter is unread until it is opened, and the sender is told when that was', async () => {
    const id = await send('opening')
    const inbox = await pages.get('rosa', '/inbox')
    assert.match(rowOf(inbox.body, id), /Unread/)
    assert.match(rowOf(inbox.body, id), /Northfold Council.*Council tax/s)
    assert.match(rowOf(inbox.body, id), /23 November 2026/)
    assert.match((await pages.get('rosa', `/letters/${id}`)).body, /You have a bill\./)
    assert.doesNotMatch(rowOf((await pages.get('rosa', '/inbox')).body, id), /Unread/)
    const [sent] = await pages.post.owner`select opened_at from ledger where message_id = ${id}`
    assert.deepEqual(sent?.openedAt, now.at)
  })

  test('somebody else’s letter and one that is nowhere look the same', async () => {
    const id = await send('private')
    const others = await pages.get('arthur', `/letters/${id}`)
    const none = await pages.get('arthur', '/letters/01a20931-4de4-74b1-9b9c-593ca10ca006')
    const noId = await pages.get('arthur', '/letters/urn:uuid:01a20931-4de4-74b1-9b9c-593ca10ca006')
    // The reference for our log, the token of the form to sign out, and the address itself, where the other language is.
    const withoutReference = (html: string) =>
      html.replace(/(urn:uuid:)?[0-9a-f-]{36}|value="[\w-]{43}"|href="[^"]*\?lang=cy"/g, '')
    for (const answer of [none, noId]) {
      assert.equal(answer.statusCode, 404)
      assert.equal(withoutReference(answer.body), withoutReference(others.body))
    }
    assert.equal((await listInbox(pages.post.db, pages.post.rosa, 1)).letters.find((letter) => letter.id === id)?.openedAt, null)
  })

  test('who is not signed in is sent to sign in', async () => {
    const answer = await pages.get('nobody', '/inbox')
    assert.equal(answer.statusCode, 303)
    assert.match(answer.headers.location ?? '', /^\/sign-in/)
    assert.match((await pages.get('staff', '/inbox')).headers.location ?? '', /^\/sign-in/)
  })

  test('HTML and script in a subject, a text and a name are shown as text', async () => {
    const nasty = '<img src=x onerror=alert(1)>"\'</title><script>alert(2)</script>'
    const id = await send('nasty', {
      subject: nasty,
      content: [{ language: 'en', body: `${nasty}\n\n# ${nasty}` }],
      documents: [
        { role: 'main', title: nasty, files: [{ filename: "a'&amp;.txt", mediaType: 'text/plain', content: btoa(nasty) }] },
      ],
    })
    const [found] = (await pages.get('rosa', `/letters/${id}`)).body.match(/\/letters\/[^"]*\/documents\/[^"]*/) ?? []
    for (const url of ['/inbox', `/letters/${id}`, `/letters/${id}/answer`, found!]) {
      const { body, statusCode } = await pages.get('rosa', url)
      assert.equal(statusCode, 200)
      assert.doesNotMatch(body, /<img|<script(?! type="module" src="\/assets\/)|<[^>]+ onerror=/, url)
      assert.match(body, /&lt;img src=x onerror=alert\(1\)&gt;/, url)
    }
  })

  test('a letter in two languages is shown in the first, with a link to the other', async () => {
    const content = [
      { language: 'en', body: 'Good day' },
      { language: 'cy', subject: 'Eich bil', body: 'Bore da' },
    ]
    const id = await send('welsh', { content })
    const english = (await pages.get('rosa', `/letters/${id}`)).body
    assert.match(english, /<a class="govuk-link" href="\?language=cy" hreflang="cy">Cymraeg<\/a>/)
    assert.doesNotMatch(english, /Bore da/)
    const welsh = (await pages.get('rosa', `/letters/${id}?language=cy`)).body
    assert.match(welsh, /<h1 [^>]*lang="cy"[^>]*>Eich bil<\/h1>/)
    assert.match(welsh, /<div class="post-letter__text" lang="cy" dir="auto">\s*<p class="govuk-body">Bore da<\/p>/)
  })

  test('a technical document is not shown', async () => {
    const file = { filename: 'data.json', mediaType: 'application/json', content: btoa('{"a":1}') }
    const id = await send('technical', { documents: [{ role: 'technical', files: [file] }] })
    assert.doesNotMatch((await pages.get('rosa', `/letters/${id}`)).body, /data\.json/)
  })

  test('a letter that takes no answer, or no longer, says so', async () => {
    const closed = await send('closed', { reply: { allowed: false } })
    assert.match((await pages.get('rosa', `/letters/${closed}`)).body, /This letter does not take an answer/)
    assert.equal((await pages.get('rosa', `/letters/${closed}/answer`)).statusCode, 303)
    const late = await send('late', { reply: { allowed: true, by: '2026-11-22T12:00:00Z' } })
    assert.match((await pages.get('rosa', `/letters/${late}`)).body, /ended on 22 November 2026/)
    const open = await send('open', { reply: { allowed: true, by: '2026-11-24T12:00:00Z' } })
    assert.match((await pages.get('rosa', `/letters/${open}`)).body, /You can answer until 24 November 2026/)
  })

  test('a letter that was taken back says so in its place, in its list, on paper and in an archive', async () => {
    const id = await send('taken-back', { subject: 'A secret', reply: { allowed: true } })
    await recall(pages.post.db, pages.post.council, { messageId: id, reason: 'It was <b>not</b> for you' }, now.at)
    const said = /Northfold Council took this letter back on 23 November 2026[^<]*: It was &lt;b&gt;not&lt;\/b&gt; for you/
    const row = rowOf((await pages.get('rosa', '/inbox')).body, id)
    assert.match(row, said)
    assert.doesNotMatch(row, /A secret|Unread/)
    const page = (await pages.get('rosa', `/letters/${id}`)).body
    assert.match(page, said)
    assert.doesNotMatch(page, /A secret|You have a bill|\/answer"|\/forward"/)
    assert.match((await pages.get('rosa', `/letters/${id}?lang=cy`)).body, /Tynnodd Northfold Council y llythyr hwn yn ôl/)
    for (const place of ['print', 'proof']) {
      const { statusCode, body } = await pages.get('rosa', `/letters/${id}/${place}`)
      assert.equal(statusCode, 200)
      assert.doesNotMatch(body, /A secret/)
    }
    assert.equal((await pages.get('rosa', `/letters/${id}/archive`)).statusCode, 200)
    assert.equal((await pages.get('rosa', `/letters/${id}/answer`)).statusCode, 303)
    assert.equal((await pages.get('rosa', `/letters/${id}/forward`)).statusCode, 404)
  })

  test('a letter that was replaced and the one that replaces it lead to each other, and one out of date says so', async () => {
    const first = await send('replaced', { expiresAt: '2026-11-24T10:00:00Z' })
    assert.doesNotMatch((await pages.get('rosa', `/letters/${first}`)).body, /No longer current/)
    const second = await send('replacing', { corrects: first })
    const [replaced, replacing] = [await pages.get('rosa', `/letters/${first}`), await pages.get('rosa', `/letters/${second}`)]
    assert.match(replaced.body, new RegExp(`href="/letters/${second}">This letter has been replaced by a newer one`))
    assert.match(replacing.body, new RegExp(`href="/letters/${first}">This letter replaces an earlier one`))
    now.at = new Date('2026-11-25T10:00:00Z')
    assert.match((await pages.get('rosa', `/letters/${first}`)).body, /No longer current/)
    assert.match(rowOf((await pages.get('rosa', '/inbox')).body, first), /No longer current/)
    now.at = new Date('2026-11-23T10:00:00Z')
  })

  test('twenty letters are on a page, and the pages lead to each other', async () => {
    for (let i = 0; i < 21; i++) await send(`many ${i}`)
    const first = (await pages.get('rosa', '/inbox')).body
    assert.equal(first.match(/<li class="post-list__item/g)?.length, 20)
    assert.match(first, /href="\/inbox\?page=2" rel="next"/)
    assert.match((await pages.get('rosa', '/inbox?page=2')).body, /href="\/inbox\?page=1" rel="prev"/)
    for (const page of ['99', '0', '-1', 'x', '1e9']) {
      assert.equal((await pages.get('rosa', `/inbox?page=${page}`)).statusCode, 404, page)
    }
  })
})
