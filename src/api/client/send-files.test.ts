import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { callApi } from '../../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'
import { sendFiles } from './send-files.ts'

describe('npx digital-post send', () => {
  let server: TestServer
  let folder: string
  before(async () => {
    server = await startServer()
    folder = mkdtempSync(path.join(tmpdir(), 'dp-send-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await server.stop()
  })

  const send = async (...words: string[]) => {
    const said: string[] = []
    const system = ['--url', server.baseUrl, '--client', 'demo-sender', '--secret', 'demo-sender-secret']
    const exitCode = await sendFiles([...words, ...system], { out: (text) => said.push(text), progress: () => {} })
    return { exitCode, text: said.join('\n') }
  }
  const letter = (reference: string, more: object = {}) => ({
    reference,
    recipient: { scheme: 'link', value: 'CT-1002' },
    subject: 'Your bill',
    content: [{ language: 'en', body: 'You have a bill.' }],
    ...more,
  })
  const count = async (like: string) => {
    const [row] = await server.test.owner<{ count: number }[]>`select count(*)::int from ledger where reference like ${like}`
    return row!.count
  }

  test('sends a folder of letters with their documents, names those that are wrong, and sends the mended when run again', async () => {
    const place = path.join(folder, 'bills')
    mkdirSync(place)
    writeFileSync(path.join(place, 'notes.txt'), 'Pay at any post office.')
    const documents = [{ role: 'additional', files: [{ path: 'notes.txt' }] }]
    for (let n = 0; n < 20; n += 1)
      writeFileSync(path.join(place, `${n}.json`), JSON.stringify(letter(`folder-${n}`, { documents })))
    writeFileSync(path.join(place, '7.json'), '{"reference":')
    writeFileSync(
      path.join(place, '8.json'),
      JSON.stringify(letter('folder-8', { recipient: { scheme: 'link', value: 'CT-0' } })),
    )
    const first = await send(place)
    assert.equal(first.exitCode, 1, first.text)
    assert.match(first.text, /7\.json: It is no JSON/)
    assert.match(first.text, /8\.json: .*\(recipient-not-found\)/)
    assert.match(first.text, /^18 accepted, 2 refused\. Batch /m)
    assert.equal(await count('folder-%'), 18)
    for (const n of [7, 8]) writeFileSync(path.join(place, `${n}.json`), JSON.stringify(letter(`folder-${n}`)))
    const second = await send(place)
    assert.equal(second.exitCode, 0, second.text)
    assert.match(second.text, /^20 accepted \(18 before\), 0 refused\./m)
    assert.equal(await count('folder-%'), 20)
    const [file] = await server.test.owner<
      { bytes: Buffer }[]
    >`select coalesce(file.bytes, upload_chunk.bytes) as bytes from file join ledger using (message_id) left join upload_chunk using (upload_id) where reference = 'folder-3'`
    assert.equal(file!.bytes.toString(), 'Pay at any post office.')
  })

  test('sends a file of lines by the numbers that these have there, and goes on where a run was killed', async () => {
    const file = path.join(folder, 'letters.ndjson')
    const lines = Array.from({ length: 300 }, (_, n) => JSON.stringify(letter(`lines-${n}`)))
    lines[100] = ''
    lines[200] = JSON.stringify(letter('lines-200', { subject: '' }))
    writeFileSync(file, lines.join('\n'))
    const first = await send(file)
    assert.match(first.text, /letters\.ndjson, line 201: .*\(body-invalid\) \/subject:/)
    assert.match(first.text, /298 accepted, 1 refused/)
    // As a run that was killed leaves them: some answers, and half of one.
    const answers = `${file}.answers.ndjson`
    const text = readFileSync(answers, 'utf8')
    writeFileSync(answers, text.slice(0, text.length / 2))
    lines[200] = JSON.stringify(letter('lines-200'))
    writeFileSync(file, lines.join('\n'))
    const again = await send(file)
    assert.equal(again.exitCode, 0, again.text)
    assert.match(again.text, /^299 accepted \(\d+ before\), 0 refused/m)
    assert.equal(await count('lines-%'), 299)
  })

  test('sends letters that nobody sees until staff release them', async () => {
    const file = path.join(folder, 'held.ndjson')
    writeFileSync(file, ['held-1', 'held-2'].map((reference) => JSON.stringify(letter(reference))).join('\n'))
    const { exitCode, text } = await send(file, '--hold')
    assert.equal(exitCode, 0, text)
    assert.match(text, /^2 accepted, 0 refused\..*\nNobody sees these letters until staff/m)
    const there = await server.test.owner`
      select from message join ledger on ledger.message_id = message.id where reference like 'held-%'`
    assert.deepEqual([await count('held-%'), there.length], [2, 0])
    const one = path.join(folder, 'held.json')
    writeFileSync(one, JSON.stringify(letter('held-alone')))
    assert.match((await send(one, '--hold')).text, /--hold is for many letters/)
  })

  test('uploads once what is large or goes with several letters, and not again when run again', async () => {
    const place = path.join(folder, 'leaflets')
    mkdirSync(place)
    const large = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(3 * 1024 * 1024)])
    writeFileSync(path.join(place, 'large.pdf'), large)
    writeFileSync(path.join(place, 'small.txt'), 'The same for all.')
    writeFileSync(path.join(place, 'own.txt'), 'Of one letter only.')
    const documents = (...names: string[]) => names.map((name) => ({ role: 'additional', files: [{ path: name }] }))
    const file = path.join(place, 'letters.ndjson')
    const lines = Array.from({ length: 5 }, (_, n) =>
      JSON.stringify(letter(`leaflet-${n}`, { documents: documents('large.pdf', 'small.txt', ...(n === 4 ? ['own.txt'] : [])) })),
    )
    lines.push(JSON.stringify(letter('leaflet-missing', { documents: documents('nothing.pdf') })))
    writeFileSync(file, lines.join('\n'))
    const first = await send(file)
    assert.match(first.text, /^5 accepted, 1 refused/m)
    assert.match(first.text, /letters\.ndjson, line 6: ENOENT/)
    const filesOf = async () => {
      const [row] = await server.test.owner<{ uploads: number; shared: number; inline: number; bytes: number }[]>`
        select count(distinct upload_id)::int as uploads, count(upload_id)::int as shared, count(bytes)::int as inline,
               (select sum(length(bytes))::int from upload_chunk where upload_id = any(array_agg(file.upload_id))) as bytes
        from file join ledger using (message_id) where reference like 'leaflet-%'`
      return { ...row }
    }
    const expected = { uploads: 2, shared: 9, inline: 2, bytes: large.length + 'The same for all.'.length }
    assert.deepEqual(await filesOf(), expected)
    rmSync(`${file}.answers.ndjson`)
    assert.match((await send(file)).text, /^5 accepted, 1 refused/m)
    assert.deepEqual(await filesOf(), expected, 'the same letters again, by their references')
  })

  test('goes on with an upload that was cut off', async () => {
    const file = path.join(folder, 'cut.pdf')
    const bytes = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(2 * 1024 * 1024)])
    writeFileSync(file, bytes)
    const token = await takeToken(server)
    const sha256 = hash('sha256', bytes)
    const asked = { service: 'council-tax', mediaType: 'application/pdf', size: bytes.length, sha256 }
    const { body } = await callApi(server, token, 'POST', '/v1/uploads', asked)
    await fetch(`${server.baseUrl}${body.links.self}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
      body: new Uint8Array(bytes.subarray(0, 1_500_000)),
    })
    const place = path.join(folder, 'cut.json')
    const documents = [{ role: 'main', files: [{ path: 'cut.pdf' }] }]
    writeFileSync(place, JSON.stringify(letter('cut', { service: 'council-tax', documents })))
    assert.match((await send(place)).text, /^Accepted: /)
    const chunks = await server.test.owner<{ startsAt: number; bytes: Buffer }[]>`
      select starts_at, bytes from upload_chunk where upload_id = ${body.id} order by starts_at`
    assert.deepEqual(Buffer.concat(chunks.map((chunk) => chunk.bytes)), bytes)
    assert.ok(
      chunks.some(({ startsAt }) => startsAt === 1_500_000),
      'the second part begins where the first ended',
    )
  })

  test('sends one letter, from a file or from its options', async () => {
    const [file, text] = [path.join(folder, 'one.json'), path.join(folder, 'one.md')]
    writeFileSync(file, JSON.stringify(letter('one-file', { service: 'council-tax' })))
    writeFileSync(text, 'You have a **bill**.')
    assert.match((await send(file)).text, /^Accepted: /)
    const options = ['--reference', 'one-option', '--to', 'link:CT-1002', '--subject', 'A bill', '--text', text]
    const { exitCode } = await send(...options, '--service', 'council-tax')
    assert.equal(exitCode, 0)
    assert.equal((await send(...options, '--service', 'parking')).exitCode, 1)
    assert.equal((await send(...options)).exitCode, 2)
    assert.equal(await count('one-%'), 2)
  })

  test('says what is missing, and that it could not come in', async () => {
    assert.match((await send()).text, /Say what to send\.[\s\S]*Usage/)
    assert.equal((await send(path.join(folder, 'nothing.ndjson'))).exitCode, 2)
    const said: string[] = []
    const words = [
      path.join(folder, 'letters.ndjson'),
      '--url',
      server.baseUrl,
      '--client',
      'demo-sender',
      '--secret',
      'wrong-secret',
    ]
    assert.equal(await sendFiles(words, { out: (text) => said.push(text), progress: () => {} }), 2)
    assert.match(said.join(), /No access token/)
  })
})
