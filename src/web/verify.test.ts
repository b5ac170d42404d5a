import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Pages, startPages } from '../../test/pages.ts'
import { letterText, sampleReceipt } from '../../test/sample-receipt.ts'
import { sealAll } from '../../test/seal-all.ts'
import { readConfig } from '../config.ts'
import { acceptOne } from '../delivery/accept.ts'

describe('checking a receipt on its page', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let receipt: Buffer
  before(async () => {
    pages = await startPages(now)
    const address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    const { db, keys, council, letter } = pages.post
    const { messageId } = await acceptOne(db, keys, council, letter('checked'), now.at)
    await sealAll(db, readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' }), address, now.at)
    const { body } = await pages.get('rosa', `/letters/${messageId}/proof`)
    const [, , href] = body.match(
      /href="(\/letters\/[^"]+\/proof\/[^"]+)"[\s\S]*?href="(\/letters\/[^"]+\/proof\/[0-9a-f-]{36})"/,
    )!
    receipt = (await pages.get('rosa', href!)).rawPayload
  })
  after(() => pages.stop())

  const check = async (files: { field: string; name: string; bytes: Uint8Array }[], language = 'en') => {
    const form = new FormData()
    for (const { field, name, bytes } of files) form.append(field, new File([bytes as never], name))
    const encoded = new Response(form)
    const payload = Buffer.from(await encoded.arrayBuffer())
    const headers = { 'content-type': encoded.headers.get('content-type')!, cookie: `language=${language}` }
    return pages.app.inject({ method: 'POST', url: '/verify', headers, payload })
  }
  const asReceipt = (bytes: Uint8Array) => ({ field: 'receipt', name: 'a.tlog-proof', bytes })
  const asDocument = (bytes: Uint8Array, name = 'letter.md') => ({ field: 'documents', name, bytes })

  test('needs no sign-in, and says by whose keys it checks', async () => {
    const form = await pages.get('nobody', '/verify')
    assert.match(form.body, /<form method="post" action="\/verify" enctype="multipart\/form-data"/)
    const answer = await check([asReceipt(receipt), asDocument(Buffer.from('You have a bill.'))])
    assert.equal(answer.statusCode, 200)
    assert.match(answer.body, /<h1[^>]*>The receipt is valid<\/h1>/)
    assert.match(answer.body, /Northfold Council \(Council tax\) put the letter “Your bill” in Rosa Example’s mailbox/)
    assert.match(answer.body, /“letter.md” is the text of the letter/)
    assert.match(answer.body, /The keys are those of this installation/)
    assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test('says what is wrong, and calls nothing of it proved', async () => {
    const damaged = Buffer.from(receipt)
    damaged[400]! ^= 1
    const { body } = await check([asReceipt(damaged)])
    assert.match(body, /<h1[^>]*>The receipt is not valid<\/h1>/)
    const other = await check([asReceipt(receipt), asDocument(Buffer.from('Another letter'), 'other<b>.md')])
    assert.match(other.body, /The receipt is not valid<\/h1>\s*<p [^>]*>The documents: “other/)
    assert.match(other.body, /“other&lt;b&gt;.md” is no part of this letter/)
    assert.match(other.body, /What the receipt says, which is not proved/)
  })

  test('says in Welsh what it finds', async () => {
    const { body } = await check([asReceipt(receipt), asDocument(Buffer.from('You have a bill.'))], 'cy')
    assert.match(body, /<h1[^>]*>Mae’r dderbynneb yn ddilys<\/h1>\s*<p [^>]*>Rhoddodd Northfold Council/)
    assert.match(body, /ym mlwch post Rosa Example ar 23 Tachwedd 2026 am 10:00 \(amser y DU\)/)
    assert.match(body, /“letter.md” yw testun y llythyr/)
    const other = await check([asReceipt(receipt), asDocument(Buffer.from('Another bill.'))], 'cy')
    assert.match(other.body, /Y dogfennau: Nid yw’r canlynol yn rhan o’r llythyr hwn/)
    for (const page of [body, other.body]) assert.doesNotMatch(page, />[^<{]*\b(the|and|not|is|Passed|Failed)\b[^<]*<\/p>/)
  })

  test('takes no receipt of another installation, though it is valid by its own keys', async () => {
    const { file } = await sampleReceipt()
    const { body } = await check([asReceipt(file), asDocument(letterText)])
    assert.match(body, /The receipt is not valid/)
    assert.match(body, /a key that is not among those to trust/)
  })

  test('asks for a receipt where none was chosen, and refuses what is too large', async () => {
    const none = await check([asReceipt(Buffer.alloc(0)), asDocument(letterText)])
    assert.match(none.body, /<title>The receipt is not valid/)
    const empty = await check([asDocument(letterText)])
    assert.equal(empty.statusCode, 422)
    assert.match(empty.body, /Choose a receipt/)
    const large = await check([asReceipt(receipt), asDocument(Buffer.alloc(130 * 1024 * 1024)), asDocument(Buffer.alloc(1))])
    assert.equal(large.statusCode, 422)
    assert.match(large.body, /no larger than 130 MB/)
    const many = await check([asReceipt(receipt), ...Array.from({ length: 11 }, () => asDocument(letterText))])
    assert.equal(many.statusCode, 413)
    assert.equal((await pages.app.inject({ method: 'POST', url: '/verify' })).statusCode, 403)
  })

  test('answers bytes of any kind with a verdict', async () => {
    for (const bytes of [Buffer.alloc(3_000_000), Buffer.from('c2sp.org/tlog-proof@v1\n'), receipt.subarray(0, 2_000)]) {
      const answer = await check([asReceipt(bytes)])
      assert.equal(answer.statusCode, 200)
      assert.match(answer.body, /The receipt is not valid/)
    }
  })
})
