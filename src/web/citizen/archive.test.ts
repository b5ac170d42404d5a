import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { strFromU8, unzipSync } from 'fflate'
import { type Pages, type Reader, startPages } from '../../../test/pages.ts'
import { sealAll } from '../../../test/seal-all.ts'
import { readConfig } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { Submission } from '../../delivery/message.ts'
import { parseReceipt } from '../../evidence/receipt.ts'

describe('letters to take away', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let address: string
  before(async () => {
    pages = await startPages(now)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => pages.stop())

  const send = async (reference: string, more: Partial<Submission> = {}) => {
    const { db, keys, council, letter } = pages.post
    return (await acceptOne(db, keys, council, { ...letter(reference), ...more }, now.at)).messageId
  }
  const file = (filename: string, text: string) => ({ filename, mediaType: 'text/plain', content: btoa(text) })
  const isOpened = async (id: string) => {
    const [row] = await pages.post.owner`select opened_at from message where id = ${id}`
    return row!.openedAt !== null
  }
  const post = async (reader: Reader, url: string, fields: [string, string][], from = url) => {
    const cookie = await pages.signIn(reader)
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const page = await pages.app.inject({ method: 'GET', url: from, headers })
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
    return pages.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams([['csrf', csrf], ...fields]).toString(),
    })
  }
  /** The links of every page in it lead to a file in it, or to a place that a letter names. */
  const assertLinksResolve = (files: Record<string, Uint8Array>) => {
    for (const [name, bytes] of Object.entries(files).filter(([each]) => each.endsWith('.html'))) {
      const folder = name.slice(0, name.lastIndexOf('/') + 1)
      for (const [, href] of strFromU8(bytes).matchAll(/href="([^"]*)"/g)) {
        if (/^(https|mailto|tel):/.test(href!)) continue
        assert.ok(Object.hasOwn(files, folder + decodeURIComponent(href!)), `${name}: ${href}`)
      }
      assert.doesNotMatch(strFromU8(bytes), /<script|src=|url\(/)
    }
  }

  test('one letter, with its words in every language, its documents and its receipts', async () => {
    const content = [
      { language: 'en', body: '# Pay\n\n<script>alert(1)</script>' },
      { language: 'cy', subject: 'Eich bil', body: 'Bore da' },
    ]
    const documents = [
      { role: 'main' as const, title: 'The bill', files: [file('Bil “ŷ”.txt', 'Words'), file('con.txt', 'Device')] },
      { role: 'technical' as const, files: [{ filename: 'a.json', mediaType: 'application/json', content: btoa('{}') }] },
    ]
    const id = await send('one', { content, documents })
    await sealAll(pages.post.db, readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' }), address, now.at)
    const answer = await pages.get('rosa', `/letters/${id}/archive`)
    assert.equal(answer.headers['content-type'], 'application/zip')
    assert.match(String(answer.headers['content-disposition']), /^attachment; filename="2026-11-23 Your bill\.zip"/)
    const files = unzipSync(answer.rawPayload)
    const names = Object.keys(files)
    for (const name of [
      'letter.html',
      'letter.en.md',
      'letter.cy.md',
      'letter.json',
      'documents/Bil ŷ.txt',
      'documents/_con.txt',
    ]) {
      assert.ok(names.includes(name), `${name} among ${names}`)
    }
    assert.equal(strFromU8(files['documents/Bil ŷ.txt']!), 'Words')
    const html = strFromU8(files['letter.html']!)
    assert.match(html, /&lt;script&gt;/)
    assert.match(html, /Eich bil.*Bore da/s)
    assertLinksResolve(files)
    const receipts = names.filter((name) => name.startsWith('receipts/'))
    assert.equal(receipts.length, 2, 'what has just happened has none yet')
    assert.equal(typeof parseReceipt(Buffer.from(files[receipts[0]!]!)), 'object')
    const data = JSON.parse(strFromU8(files['letter.json']!))
    assert.equal(data.documents[0].path, 'documents/Bil ŷ.txt')
    assert.equal(data.evidence.length, 6)
    assert.ok(await isOpened(id))
  })

  test('is nobody else’s, nor another site’s', async () => {
    const id = await send('theirs')
    assert.equal((await pages.get('arthur', `/letters/${id}/archive`)).statusCode, 404)
    assert.equal((await pages.get('rosa', `/letters/${id}/archive`, { 'sec-fetch-site': 'cross-site' })).statusCode, 403)
    assert.equal((await post('arthur', '/letters/archive', [['letters', id]], '/inbox')).statusCode, 404)
    assert.equal(await isOpened(id), false)
  })

  test('some that were chosen, each in a folder of its own, with a list that leads to them', async () => {
    const documents = [{ role: 'main' as const, files: [file('a.txt', 'A')] }]
    const ids = [await send('some 1', { documents }), await send('some 2', { documents, subject: 'A/B: <c>?' })]
    const answer = await post(
      'rosa',
      '/letters/archive',
      ids.map((id) => ['letters', id]),
      '/inbox',
    )
    assert.equal(answer.statusCode, 200)
    const files = unzipSync(answer.rawPayload)
    assertLinksResolve(files)
    const names = Object.keys(files)
    assert.ok(names.includes('letters/2026-11-23 Northfold Council - A B c/documents/a.txt'), names.join('\n'))
    assert.match(strFromU8(files['README.txt']!), /You need neither us nor the internet/)
    assert.match(strFromU8(files['DARLLENWCH.txt']!), /Nid oes angen arnoch ni/)
    assert.equal(JSON.parse(strFromU8(files['data.json']!)).letters.length, 2)
    assert.equal(strFromU8(files['index.html']!).match(/<li>/g)?.length, 2)
  })

  test('none chosen, or more than a hundred, is said', async () => {
    assert.match((await post('rosa', '/letters/archive', [], '/inbox')).body, /You have not chosen a letter/)
    const many = Array.from({ length: 101 }, (): [string, string] => ['letters', crypto.randomUUID()])
    const answer = await post('rosa', '/letters/archive', many, '/inbox')
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /at most 100 letters at a time/)
  })

  test('letters with more documents than an archive holds are refused, and not opened', async () => {
    const id = await send('with a very large document')
    const large = [{ role: 'main', title: 'Large', files: [{ size: 2 * 1024 ** 3 + 1 }] }]
    await pages.post.owner`update message set documents = ${pages.post.owner.json(large)} where id = ${id}`
    const answer = await post('rosa', '/letters/archive', [['letters', id]], '/inbox')
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /more than 2 GB of documents/)
    const [letter] = await pages.post.owner`select opened_at from message where id = ${id}`
    assert.equal(letter!.openedAt, null)
    await pages.post.owner`delete from message where id = ${id}`
  })

  test('everything: first it is said that what is downloaded counts as opened, and that can be left out', async () => {
    const id = await send('unopened')
    const note: [string, string][] = [
      ['text', 'Ask Bo about it'],
      ['version', '0'],
    ]
    assert.equal((await post('rosa', `/letters/${id}/note`, note)).statusCode, 303)
    const { body } = await pages.get('rosa', '/my-details/download')
    assert.match(body, /You have \d+ letters? that you have not opened/)
    const part = /name="part" value="([^"]+)"/.exec(body)![1]!
    const unsaid = await post('rosa', '/my-details/download', [['part', part]])
    assert.equal(unsaid.statusCode, 422)
    assert.match(unsaid.body, /Choose whether to download letters that you have not opened/)
    const without = await post('rosa', '/my-details/download', [
      ['part', part],
      ['unopened', 'without'],
    ])
    assert.equal(without.statusCode, 200)
    const letters = (payload: Buffer) =>
      JSON.parse(strFromU8(unzipSync(payload)['data.json']!)).letters.map((letter: { id: string }) => letter.id)
    assert.ok(!letters(without.rawPayload).includes(id))
    assert.equal(await isOpened(id), false)
    const whole = await post('rosa', '/my-details/download', [
      ['part', part],
      ['unopened', 'with'],
    ])
    assert.ok(letters(whole.rawPayload).includes(id))
    assert.ok(await isOpened(id))
    const files = unzipSync(whole.rawPayload)
    assertLinksResolve(files)
    const shown = Object.keys(files).filter((name) => name.endsWith('/letter.html'))
    assert.equal(shown.filter((name) => strFromU8(files[name]!).includes('Ask Bo about it')).length, 1)
    assert.match((await pages.get('arthur', '/my-details/download')).body, /There are no letters in your mailbox yet/)
  })

  test('in Welsh where the reader reads Welsh', async () => {
    const { body } = await pages.get('rosa', '/my-details/download?lang=cy')
    assert.match(body, /Lawrlwytho popeth/)
  })

  test('a letter for paper says from whom, when, and where its proof is, and has no navigation', async () => {
    const id = await send('paper')
    const { body } = await pages.get('rosa', `/letters/${id}/print`)
    assert.doesNotMatch(body, /govuk-service-navigation|post-footer/)
    const text = body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    assert.match(text, /From Northfold Council, Council tax To Rosa Example Delivered 23 November 2026 at 10:00am Opened/)
    assert.match(text, new RegExp(`Message ${id}`))
    assert.match(text, /have it checked at: \S+\/verify/)
    assert.ok(await isOpened(id))
    assert.equal((await pages.get('arthur', `/letters/${id}/print`)).statusCode, 404)
  })
})
