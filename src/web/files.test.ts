import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Pages, startPages } from '../../test/pages.ts'
import { acceptOne } from '../delivery/accept.ts'
import { find } from '../mailbox/find.ts'

const pdf = '%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF'

describe('files of a letter', () => {
  let pages: Pages
  let letterId: string
  const idOf = new Map<string, string>()
  before(async () => {
    const now = new Date('2026-11-23T10:00:00Z')
    pages = await startPages({ at: now })
    const { db, keys, council, letter } = pages.post
    const file = (filename: string, mediaType: string, text: string) => ({
      role: 'additional' as const,
      files: [{ filename, mediaType, content: Buffer.from(text).toString('base64') }],
    })
    const documents = [
      file('Bil treth – “ŷ”.pdf', 'application/pdf', pdf),
      file('note.txt', 'text/plain', '<script>alert(1)</script> £5'),
      file('data.xml', 'application/xml', '<a xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></a>'),
    ]
    letterId = (await acceptOne(db, keys, council, { ...letter('files'), documents }, now)).messageId
    for (const { files } of (await find(db, pages.post.rosa, letterId)).documents) {
      idOf.set(files[0]!.mediaType, files[0]!.id)
    }
  })
  after(() => pages.stop())
  const file = (mediaType: string, more = '', headers = {}, reader: 'rosa' | 'arthur' | 'staff' | 'nobody' = 'rosa') =>
    pages.get(reader, `/letters/${letterId}/files/${idOf.get(mediaType)}${more}`, headers)

  test('reading a document opens the letter that it came with, for the sender to see', async () => {
    const opened = async () => {
      const [row] = await pages.post.owner`select opened_at from ledger where message_id = ${letterId}`
      return row?.openedAt
    }
    assert.equal((await file('text/plain', '', {}, 'arthur')).statusCode, 404)
    assert.equal(await opened(), null)
    await file('text/plain')
    assert.ok((await opened()) instanceof Date)
  })

  test('a PDF is shown as what it is, and may do nothing else', async () => {
    const answer = await file('application/pdf')
    assert.equal(answer.body, pdf)
    assert.equal(answer.headers['content-type'], 'application/pdf')
    assert.match(String(answer.headers['content-disposition']), /^inline; /)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
    assert.equal(answer.headers['cache-control'], 'no-store')
    const policy = String(answer.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /sandbox|script-src/)
  })

  test('a file is downloaded under its own name', async () => {
    const answer = await file('application/pdf', '?download')
    assert.equal(
      answer.headers['content-disposition'],
      `attachment; filename="Bil treth _ ___.pdf"; filename*=UTF-8''Bil%20treth%20%E2%80%93%20%E2%80%9C%C5%B7%E2%80%9D.pdf`,
    )
  })

  test('everything else is shown in a sandbox, or only downloaded', async () => {
    const text = await file('text/plain')
    assert.equal(text.headers['content-type'], 'text/plain; charset=utf-8')
    assert.match(String(text.headers['content-security-policy']), /(^|; )sandbox$/)
    const xml = await file('application/xml')
    assert.match(String(xml.headers['content-disposition']), /^attachment; /)
    assert.match(String(xml.headers['content-security-policy']), /(^|; )sandbox$/)
  })

  test('another site gets nothing', async () => {
    const answer = await file('application/pdf', '', { 'sec-fetch-site': 'cross-site' })
    assert.equal(answer.statusCode, 403)
    assert.doesNotMatch(answer.body, /%PDF/)
    for (const site of ['same-origin', 'none']) {
      assert.equal((await file('application/pdf', '', { 'sec-fetch-site': site })).statusCode, 200, site)
    }
  })

  test('nobody else gets it, under any address', async () => {
    assert.equal((await file('application/pdf', '', {}, 'arthur')).statusCode, 404)
    assert.equal((await file('application/pdf', '', {}, 'nobody')).statusCode, 303)
    const asStaff = await pages.get('staff', `/department/messages/${letterId}/files/${idOf.get('application/pdf')}`)
    assert.equal(asStaff.statusCode, 200, 'the sender sees what it sent')
    const fileOfNone = await pages.get('rosa', `/letters/${letterId}/files/01a20931-4de4-74b1-9b9c-593ca10ca006`)
    assert.equal(fileOfNone.statusCode, 404)
  })

  test('the page of a document shows text as text, and a PDF by a link', async () => {
    const page = (mediaType: string) => pages.get('rosa', `/letters/${letterId}/documents/${idOf.get(mediaType)}`)
    assert.match((await page('text/plain')).body, /&lt;script&gt;alert\(1\)&lt;\/script&gt; £5/)
    assert.match((await page('application/pdf')).body, /href="\/letters\/[^"]*\/files\/[^"?]*"[^>]*>\s*Open the document/)
  })
})
