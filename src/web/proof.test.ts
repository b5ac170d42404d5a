import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Pages, type Reader, startPages } from '../../test/pages.ts'
import { sealAll } from '../../test/seal-all.ts'
import { readConfig } from '../config.ts'
import { acceptOne } from '../delivery/accept.ts'
import { parseReceipt } from '../evidence/receipt.ts'
import type { EvidenceRecord } from '../evidence/record.ts'

describe('the page of proof', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const config = readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' })
  let pages: Pages
  let address: string
  before(async () => {
    pages = await startPages(now)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => pages.stop())

  const { at: start } = now
  const later = (minutes: number) => {
    now.at = new Date(start.getTime() + 60_000 * minutes)
  }
  const send = async (reference: string) => {
    const { db, keys, council, letter } = pages.post
    return (await acceptOne(db, keys, council, letter(reference), now.at)).messageId
  }
  const write = async () => {
    const { db, keys, rosa, serviceId } = pages.post
    const content = [{ language: 'en', body: 'I have moved.' }]
    const reference = crypto.randomUUID()
    const written = { reference, serviceId, subject: 'My address', content, documents: [], reply: { allowed: true } }
    return (await acceptOne(db, keys, rosa, written, now.at)).messageId
  }
  const seal = () => sealAll(pages.post.db, config, address, now.at)
  const linksOf = (body: string, folder: string) =>
    [...body.matchAll(new RegExp(`href="(${folder}/[^"]+/proof/[0-9a-f-]{36})"`, 'g'))].map(([, href]) => href!)
  const download = async (reader: Reader, url: string) => {
    const answer = await pages.get(reader, url)
    assert.equal(answer.statusCode, 200)
    assert.match(String(answer.headers['content-disposition']), /^attachment; filename="[0-9a-f-]{36}\.tlog-proof"/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const receipt = parseReceipt(answer.rawPayload)
    assert.ok(typeof receipt !== 'string', String(receipt))
    return JSON.parse(receipt.record) as EvidenceRecord
  }

  test('says in plain words who sent what to whom, when it was delivered and who opened it, and leads to a receipt of each', async () => {
    const id = await send('plain')
    later(5)
    await pages.get('rosa', `/letters/${id}`)
    await seal()
    assert.match((await pages.get('rosa', `/letters/${id}`)).body, new RegExp(`href="/letters/${id}/proof">Proof of delivery`))
    const { body } = await pages.get('rosa', `/letters/${id}/proof`)
    const text = body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    assert.match(text, /From Northfold Council, Council tax To Rosa Example Subject Your bill/)
    assert.match(text, /Delivered 23 November 2026 at 10:00am\. It was in the mailbox/)
    assert.match(text, /Opened 23 November 2026 at 10:05am, by Rosa Example/)
    const records = await Promise.all(linksOf(body, '/letters').map((href) => download('rosa', href)))
    assert.deepEqual(
      records.map(({ ERDSEventId }) => ERDSEventId.split('/').at(-1)),
      ['SubmissionAcceptance', 'ContentConsignment', 'ContentAccessTracking'],
    )
  })

  test('does not open the letter, and is there while the evidence is being sealed', async () => {
    const id = await send('sealing')
    const { body } = await pages.get('rosa', `/letters/${id}/proof`)
    assert.match(body, /Not opened yet/)
    assert.match(body, /Being sealed/)
    assert.deepEqual(linksOf(body, '/letters'), [])
    const [event] = await pages.post.owner`select id from event where message_id = ${id} limit 1`
    const early = await pages.get('rosa', `/letters/${id}/proof/${event!.id}`)
    assert.equal(early.statusCode, 409)
    assert.match(early.body, /The receipt is not ready yet/)
    const [letter] = await pages.post.owner`select opened_at from message where id = ${id}`
    assert.equal(letter!.openedAt, null)
  })

  test('gives the text to the byte that the record’s digest is of, and to have it is to open the letter', async () => {
    const id = await send('text')
    const { rawPayload, headers } = await pages.get('rosa', `/letters/${id}/proof/texts/en`)
    assert.match(String(headers['content-disposition']), /filename="letter-en\.md"/)
    const digest = createHash('sha256').update(rawPayload).digest('hex')
    assert.match((await pages.get('rosa', `/letters/${id}/proof`)).body, new RegExp(digest))
    const [letter] = await pages.post.owner`select opened_at from message where id = ${id}`
    assert.deepEqual(letter!.openedAt, now.at)
    assert.equal((await pages.get('rosa', `/letters/${id}/proof/texts/cy`)).statusCode, 404)
  })

  test('is there of what a person wrote, and on the other side for the public body’s staff', async () => {
    const id = await write()
    await seal()
    const sent = await pages.get('rosa', `/sent/${id}/proof`)
    assert.match(sent.body, /Northfold Council, Council tax/)
    const [received] = linksOf(sent.body, '/sent')
    assert.equal((await download('rosa', received!)).audience, 'sender')
    assert.match((await pages.get('staff', `/department/messages/${id}`)).body, /\/proof">Proof of delivery/)
    const staff = await pages.get('staff', `/department/messages/${id}/proof`)
    const records = await Promise.all(linksOf(staff.body, '/department/messages').map((href) => download('staff', href)))
    assert.ok(records.length >= 2 && records.every(({ audience }) => audience === 'recipient'))
    const letter = await send('of staff')
    await seal()
    const own = await pages.get('staff', `/department/messages/${letter}/proof`)
    assert.equal((await download('staff', linksOf(own.body, '/department/messages')[0]!)).audience, 'sender')
  })

  test('is not there for anybody else, nor at the address of the other kind', async () => {
    const [letter, message] = [await send('theirs'), await write()]
    await seal()
    const [href] = linksOf((await pages.get('rosa', `/letters/${letter}/proof`)).body, '/letters')
    const asks: [Reader, string][] = [
      ['arthur', `/letters/${letter}/proof`],
      ['arthur', href!],
      ['arthur', `/letters/${letter}/proof/texts/en`],
      ['rosa', `/sent/${letter}/proof`],
      ['rosa', href!.replace('/letters/', '/sent/')],
      ['rosa', `/letters/${message}/proof`],
    ]
    for (const [reader, url] of asks) assert.equal((await pages.get(reader, url)).statusCode, 404, url)
    const other = await pages.get('rosa', href!, { 'sec-fetch-site': 'cross-site' })
    assert.equal(other.statusCode, 403)
  })
})
