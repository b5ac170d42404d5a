import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { unzipSync } from 'fflate'
import { sendLines } from '../src/api/client/send-lines.ts'
import { deleteOldUploads } from '../src/delivery/delete-old-uploads.ts'
import { type Answer, callApi } from './call.ts'
import { type Program, startProgram } from './program.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { signInRosa } from './signed-in.ts'
import { until } from './until.ts'

const megabyte = 1024 * 1024
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A PDF that begins as one, of so many bytes. No two are alike. */
const pdf = (size: number) => Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(size - 9)])

const letter = (reference: string, upload: string, more: object = {}) => ({
  reference,
  service: 'council-tax',
  recipient: { scheme: 'link', value: 'CT-1001' },
  subject: 'How your council tax is spent',
  content: [{ language: 'en', body: 'See the leaflet.' }],
  documents: [{ role: 'main', files: [{ filename: 'leaflet.pdf', upload }] }],
  ...more,
})

describe('a document in two steps', () => {
  let server: TestServer
  let token: string
  before(async () => {
    server = await startServer()
    token = await takeToken(server)
  })
  after(() => server.stop())

  const begin = async (size: number, more: object = {}): Promise<Answer> =>
    callApi(server, token, 'POST', '/v1/uploads', { service: 'council-tax', mediaType: 'application/pdf', size, ...more })
  const idOf = async (size: number, more: object = {}): Promise<string> => {
    const { status, body } = await begin(size, more)
    assert.equal(status, 201, JSON.stringify(body))
    return body.id
  }
  const send = async (id: string, offset: number, bytes: Buffer, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${server.baseUrl}/v1/uploads/${id}`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/offset+octet-stream',
        'tus-resumable': '1.0.0',
        'upload-offset': String(offset),
        ...headers,
      },
      body: new Uint8Array(bytes),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const head = async (id: string) => {
    const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
    const response = await fetch(`${server.baseUrl}/v1/uploads/${id}`, { method: 'HEAD', headers })
    return { status: response.status, offset: Number(response.headers.get('upload-offset')), headers: response.headers }
  }
  /** Uploads it in one go, and answers its id. */
  const upload = async (bytes: Buffer, more: object = {}) => {
    const id = await idOf(bytes.length, more)
    const { status, body } = await send(id, 0, bytes)
    assert.equal(status, 204, JSON.stringify(body))
    return id
  }
  /** A request that is to bring so many bytes of it, on a connection of its own, and has not brought any yet. */
  const openRequest = (id: string, length: number) =>
    requestHttp(`${server.baseUrl}/v1/uploads/${id}`, {
      method: 'PATCH',
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
        'content-length': length,
      },
    }).on('error', () => {})
  /** Sends so much of it, and breaks the connection. */
  const sendCut = async (id: string, bytes: Buffer, end: number) => {
    const cut = openRequest(id, bytes.length)
    cut.write(bytes.subarray(0, end))
    await once(cut.socket ?? (await once(cut, 'socket'))[0], 'drain').catch(() => {})
    await until(async () => (await head(id)).offset >= end - megabyte)
    cut.destroy()
    await until(async () => (await head(id)).offset >= end)
  }
  const post = (message: object, as = token) => callApi(server, as, 'POST', '/v1/messages', message)
  /** What Rosa gets of the first file of a letter, at an address below it. */
  const fileFor = async (messageId: string) => {
    const [row] = await server.test.owner<{ id: string }[]>`select id from file where message_id = ${messageId}`
    const { cookie } = await signInRosa(server.test.database)
    return { cookie, address: `${server.baseUrl}/letters/${messageId}/files/${row!.id}` }
  }
  const count = async (table: 'upload' | 'upload_chunk' | 'file', id: string) => {
    const column = table === 'upload' ? 'id' : 'upload_id'
    const { owner } = server.test
    const [row] = await owner<{ count: number }[]>`select count(*)::int from ${owner(table)} where ${owner(column)} = ${id}`
    return row!.count
  }

  test('is cut in the middle, gone on with from where it is, and read by its recipient byte for byte', async () => {
    const bytes = pdf(5 * megabyte + 321)
    const id = await idOf(bytes.length, { sha256: sha256(bytes) })
    await sendCut(id, bytes, 3 * megabyte + 7_000)
    const { status, offset, headers } = await head(id)
    assert.equal(status, 200)
    assert.ok(offset > 2 * megabyte && offset <= 3 * megabyte + 7_000, String(offset))
    assert.equal(headers.get('upload-length'), String(bytes.length))
    assert.equal(headers.get('tus-resumable'), '1.0.0')
    assert.ok(new Date(headers.get('upload-expires')!) > new Date())
    assert.equal((await post(letter('not-complete', id))).body.code, 'upload-not-found')
    const again = await send(id, offset, bytes.subarray(offset))
    assert.equal(again.status, 204)
    assert.equal(again.headers.get('upload-offset'), String(bytes.length))
    const { body: state } = await callApi(server, token, 'GET', `/v1/uploads/${id}`)
    assert.equal(state.sha256, sha256(bytes))
    assert.equal(state.received, bytes.length)

    const sent = await post(letter('cut', id))
    assert.equal(sent.status, 201, JSON.stringify(sent.body))
    const { cookie, address } = await fileFor(sent.body.id)
    const page = await fetch(address.replace('/files/', '/documents/'), { headers: { cookie } })
    assert.match(await page.text(), /Open the document/)
    const answer = await fetch(address, { headers: { cookie } })
    assert.equal(answer.headers.get('content-length'), String(bytes.length))
    assert.equal(answer.headers.get('content-type'), 'application/pdf')
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)

    const archive = await fetch(address.replace(/\/files\/.*/, '/archive'), { headers: { cookie } })
    const files = unzipSync(new Uint8Array(await archive.arrayBuffer()))
    assert.deepEqual(Buffer.from(files['documents/leaflet.pdf']!), bytes)

    const { body: proof } = await callApi(server, token, 'GET', `/v1/messages/${sent.body.id}/evidence`)
    assert.ok(JSON.stringify(proof).length > 0)
    const [event] = await server.test.owner<{ digest: string }[]>`
      select facts->'parts'->1->>'digest' as digest from event where message_id = ${sent.body.id} and type = 'message.accepted'`
    assert.equal(event!.digest, sha256(bytes), 'the evidence is of the bytes')
  })

  test('may come in any pieces, and only at its end', async () => {
    const bytes = pdf(2_500_000)
    const id = await idOf(bytes.length)
    for (const [from, to] of [
      [0, 5],
      [5, 1_200_000],
      [1_200_000, 2_499_999],
    ] as const)
      assert.equal((await send(id, from, bytes.subarray(from, to))).status, 204)
    for (const wrong of [0, 5, 2_499_998, 2_500_000]) {
      assert.equal((await send(id, wrong, bytes.subarray(0, 1))).body.code, 'upload-offset-wrong')
    }
    assert.equal((await send(id, 2_499_999, bytes.subarray(2_499_999))).status, 204)
    assert.equal((await send(id, bytes.length, Buffer.alloc(0))).status, 204, 'there is nothing left to send')
    assert.equal((await send(id, bytes.length, Buffer.alloc(1))).body.code, 'upload-longer')
    const { body } = await callApi(server, token, 'GET', `/v1/uploads/${id}`)
    assert.equal(body.sha256, sha256(bytes))
  })

  test('sent twice at once is there once', async () => {
    const bytes = pdf(3 * megabyte)
    const id = await idOf(bytes.length)
    const answers = await Promise.all([send(id, 0, bytes), send(id, 0, bytes), send(id, 0, bytes)])
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, 409, 409])
    const sent = await post(letter('twice', id))
    const { cookie, address } = await fileFor(sent.body.id)
    assert.deepEqual(Buffer.from(await (await fetch(address, { headers: { cookie } })).arrayBuffer()), bytes)
  })

  test('begun again with its SHA-256 is the same upload, and without it another', async () => {
    const bytes = pdf(10_000)
    const id = await upload(bytes, { sha256: sha256(bytes) })
    const again = await begin(bytes.length, { sha256: sha256(bytes) })
    assert.equal(again.status, 200)
    assert.equal(again.body.id, id)
    assert.equal(again.headers.get('upload-offset'), '10000')
    assert.equal(again.headers.get('location'), `/v1/uploads/${id}`)
    assert.notEqual(await idOf(10_000), await idOf(10_000))
  })

  test('that is not what it was said to be is refused, and gone', async () => {
    const bytes = pdf(3 * megabyte)
    const wrong = await idOf(bytes.length, { sha256: sha256(Buffer.from('another')) })
    const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(4 * megabyte)])
    const picture = await idOf(png.length)
    const text = Buffer.concat([Buffer.from('Dear reader, '.repeat(200_000)), Buffer.from([0xff])])
    const notText = await idOf(text.length, { mediaType: 'text/plain' })
    const longer = await idOf(bytes.length - 1)
    const longerByPieces = await idOf(bytes.length - megabyte)
    for (const [id, sent, status, code] of [
      [wrong, bytes, 422, 'upload-digest-wrong'],
      [picture, png, 422, 'file-type-mismatch'],
      [notText, text, 422, 'file-type-mismatch'],
      [longer, bytes, 413, 'upload-longer'],
      [longerByPieces, bytes, 413, 'upload-longer'],
    ] as const) {
      const answer = await send(id, 0, sent)
      assert.equal(answer.status, status, code)
      assert.equal(answer.body.code, code)
      assert.equal((await head(id)).status, 404)
      assert.equal(await count('upload_chunk', id), 0)
      assert.equal((await post(letter(`wrong-${code}`, id))).body.code, 'upload-not-found')
    }
  })

  test('of text is whole characters, wherever a piece ends', async () => {
    const text = Buffer.from('Tŷ â ŵyr '.repeat(250_000))
    const id = await idOf(text.length, { mediaType: 'text/plain' })
    await send(id, 0, text.subarray(0, 1_000_001))
    assert.equal((await send(id, 1_000_001, text.subarray(1_000_001))).status, 204)
    const half = Buffer.from('Tŷ').subarray(0, 2)
    const cut = await idOf(half.length, { mediaType: 'text/plain' })
    assert.equal((await send(cut, 0, half)).body.code, 'file-type-mismatch')
  })

  test('too large, of a type that is not taken, for no service, or by another protocol is refused before a byte is sent', async () => {
    const cases: [object, number, string][] = [
      [{ size: 100 * megabyte + 1 }, 413, 'upload-too-large'],
      [{ size: 0 }, 400, 'body-invalid'],
      [{ sha256: 'ABC' }, 400, 'body-invalid'],
      [{ mediaType: 'video/mp4' }, 422, 'file-type-not-allowed'],
      [{ service: 'state-pension' }, 404, 'service-not-found'],
    ]
    for (const [more, status, code] of cases) {
      const answer = await begin(10, more)
      assert.equal(answer.status, status, code)
      assert.equal(answer.body.code, code)
    }
    const id = await idOf(10)
    const old = await send(id, 0, pdf(10), { 'tus-resumable': '0.2.2' })
    assert.equal(old.status, 412)
    assert.equal(old.headers.get('tus-version'), '1.0.0')
    assert.equal((await send(id, 0, pdf(10), { 'content-type': 'application/json' })).status, 415)
    assert.equal((await send(id, 0, pdf(10), { 'upload-offset': 'x' })).body.code, 'body-invalid')
    assert.equal((await head(id)).offset, 0)
  })

  test('of another service is not there, to look at, to add to, or to use', async () => {
    const bytes = pdf(10_000)
    const id = await upload(bytes)
    const begun = await idOf(20)
    const other = await takeToken(server, 'demo-other')
    const nowhere = crypto.randomUUID()
    const asOther = { authorization: `Bearer ${other}` }
    for (const [theirs, none] of [
      [await callApi(server, other, 'GET', `/v1/uploads/${id}`), await callApi(server, other, 'GET', `/v1/uploads/${nowhere}`)],
      [await send(begun, 0, pdf(20), asOther), await send(nowhere, 0, pdf(20), asOther)],
      [
        await post(letter('theirs', id, { service: 'state-pension', recipient: { scheme: 'nino', value: 'QQ123456C' } }), other),
        await post(
          letter('none', nowhere, { service: 'state-pension', recipient: { scheme: 'nino', value: 'QQ123456C' } }),
          other,
        ),
      ],
    ] as const) {
      assert.ok(theirs.status === 404 || theirs.body.code === 'upload-not-found', JSON.stringify(theirs.body))
      assert.deepEqual(theirs.body, none.body)
    }
    assert.equal((await head(begun)).offset, 0)
    // Nor may another service have it that the same system writes for.
    const wanted = { service: 'state-pension', mediaType: 'application/pdf', size: bytes.length }
    const own = await callApi(server, other, 'POST', '/v1/uploads', wanted)
    assert.equal((await send(own.body.id, 0, bytes, asOther)).status, 204)
    const carers = await post(letter('carers', own.body.id, { service: 'carers-support' }), other)
    assert.equal(carers.body.code, 'upload-not-found')
    assert.equal(carers.body.errors[0].field, '/documents/0/files/0/upload')
    assert.notEqual(
      (await post(letter('pension', own.body.id, { service: 'state-pension' }), other)).body.code,
      'upload-not-found',
    )
  })

  test('is one document, however many letters have it: single, in a batch, for later, or a correction', async () => {
    const bytes = pdf(megabyte + 5)
    const id = await upload(bytes)
    const { body: batch } = await callApi(server, token, 'PUT', '/v1/batches/leaflets', {
      service: 'council-tax',
      name: 'Leaflets',
    })
    const lines = Array.from(
      { length: 100 },
      (_, place) => `${JSON.stringify(letter(`leaflet-${place}`, id, { service: undefined }))}\n`,
    )
    const answers = await collect(sendLines(`${server.baseUrl}/v1/batches/${batch.id}/messages`, token, lines))
    assert.deepEqual([...new Set(answers.map(({ state }) => state))], ['available'])
    const single = letter('leaflet-single', id)
    const first = await post(single)
    assert.equal(first.status, 201)
    const again = await post(single)
    assert.equal(again.status, 200, 'the same reference sent again answers the same')
    assert.equal(again.body.id, first.body.id)
    const inline = {
      role: 'main',
      files: [{ filename: 'leaflet.pdf', mediaType: 'application/pdf', content: bytes.toString('base64') }],
    }
    assert.equal((await post({ ...single, documents: [inline] })).status, 200, 'it says the same with the bytes in it')
    assert.equal((await post({ ...single, documents: [] })).status, 409)
    const later = new Date(Date.now() + 3_600_000).toISOString()
    assert.equal((await post(letter('leaflet-later', id, { availableFrom: later }))).body.state, 'accepted')
    assert.equal((await post(letter('leaflet-correction', id, { corrects: first.body.id }))).status, 201)
    assert.equal(await count('upload_chunk', id), 2)
    assert.equal(await count('file', id), 103)
    const [sum] = await server.test.owner<{ bytes: string }[]>`
      select sum(length(bytes)) as bytes from file where upload_id = ${id}`
    assert.equal(sum!.bytes, null)
  })

  test('is let go on by so many at once, and whoever comes then is to come again', async () => {
    const waiting: ReturnType<typeof requestHttp>[] = []
    const id = await idOf(megabyte)
    for (let count = 0; count < 16; count += 1) {
      const request = openRequest(await idOf(megabyte), megabyte)
      const come = once(server.app.server, 'request')
      request.write(pdf(1_000))
      await come
      waiting.push(request)
    }
    // Those that have come are let in a moment later. Until then this one is told that it goes on at the wrong place.
    await until(async () => (await send(id, 1, pdf(1_000))).status === 503)
    const refused = await send(id, 0, pdf(megabyte))
    assert.equal(refused.status, 503)
    assert.equal(refused.body.code, 'busy')
    assert.equal(refused.headers.get('retry-after'), '1')
    for (const request of waiting) request.destroy()
    let status: number = refused.status
    await until(async () => {
      status = (await send(id, 0, pdf(megabyte))).status
      return status !== 503
    })
    assert.equal(status, 204)
  })

  test('that stands still is cut off, what came of it is kept, and one that is slow goes on', {
    timeout: 1_800_000,
  }, async () => {
    // Two minutes of silence are three seconds here.
    const quicken = (socket: Socket) => {
      const setTimeout = socket.setTimeout.bind(socket)
      socket.setTimeout = (ms, done) => setTimeout(ms / 40, done)
    }
    server.app.server.on('connection', quicken)
    try {
      const bytes = pdf(megabyte + 100_000)
      const [still, slow] = [await idOf(bytes.length), await idOf(bytes.length)]
      const stalled = openRequest(still, bytes.length)
      const moving = openRequest(slow, bytes.length)
      const cut = new Promise((resolve) => stalled.once('close', resolve))
      const answered = once(moving, 'response')
      stalled.write(bytes.subarray(0, megabyte + 50_000))
      for (let place = 0; place < 12; place += 1) {
        moving.write(bytes.subarray(place, place + 1))
        await sleep(350)
      }
      moving.end(bytes.subarray(12))
      const [answer] = (await answered) as [IncomingMessage]
      assert.equal(answer.statusCode, 204)
      await cut
      await until(async () => (await head(still)).offset > 0)
      assert.equal((await head(still)).offset, megabyte + 50_000)
      assert.equal((await send(still, megabyte + 50_000, bytes.subarray(megabyte + 50_000))).status, 204)
    } finally {
      server.app.server.off('connection', quicken)
    }
  })

  test('goes with bytes, or by an upload, and not both', async () => {
    const id = await upload(pdf(100))
    const file = { filename: 'leaflet.pdf', mediaType: 'application/pdf', content: 'JVBERi0xLjc=' }
    const wrong: [object, string][] = [
      [{ ...file, upload: id }, 'body-invalid'],
      [{ filename: 'leaflet.pdf', mediaType: 'application/pdf' }, 'body-invalid'],
      [{ filename: 'leaflet.pdf', upload: 'x' }, 'body-invalid'],
      [{ filename: 'leaflet.txt', upload: id }, 'file-type-mismatch'],
      [{ filename: 'leaflet.pdf', mediaType: 'image/png', upload: id }, 'file-type-mismatch'],
    ]
    for (const [given, code] of wrong) {
      const { body } = await post(letter('both', id, { documents: [{ role: 'main', files: [given] }] }))
      assert.equal(body.code, code, JSON.stringify(body))
    }
  })

  test('goes when its time has passed and no letter has it, and stays while one has', async () => {
    const [used, unused, unfinished, kept] = [
      await upload(pdf(100)),
      await upload(pdf(100)),
      await idOf(100),
      await upload(pdf(100)),
    ]
    await send(unfinished, 0, pdf(100).subarray(0, 50))
    await post(letter('used', used))
    await server.test.owner`update upload set expires_at = '2026-01-01' where id <> ${kept}`
    await deleteOldUploads(server.test.database, new Date('2026-01-02'))
    assert.deepEqual(await Promise.all([used, unused, unfinished, kept].map((id) => count('upload', id))), [1, 0, 0, 1])
    assert.equal(await count('upload_chunk', unfinished), 0)
    assert.equal((await post(letter('unused', unused))).body.code, 'upload-not-found')
    assert.equal((await post(letter('used-again', used))).status, 201)
  })

  test('that goes while a letter comes for it is either gone, and the letter refused, or stays', async () => {
    const id = await upload(pdf(100))
    const { owner, database } = server.test
    await owner`update upload set expires_at = '2026-01-01' where id = ${id}`
    const deleting = Promise.withResolvers<void>()
    const deleted = Promise.withResolvers<void>()
    const gone = owner.begin(async (sql) => {
      await sql`select set_config('post.purpose', 'owner', true)`
      await sql`delete from upload where id = ${id}`
      deleted.resolve()
      await deleting.promise
    })
    await deleted.promise
    const late = post(letter('late', id))
    await sleep(300)
    deleting.resolve()
    await gone
    const { status, body } = await late
    assert.equal(status, 422, JSON.stringify(body))
    assert.equal(body.code, 'upload-not-found')
    const [left] = await owner`select count(*)::int as letters from ledger where reference = 'late'`
    assert.equal(left!.letters, 0)

    const other = await upload(pdf(100))
    await owner`update upload set expires_at = '2026-01-01' where id = ${other}`
    const [row] = await owner`select mailbox_id, message_id from file limit 1`
    await owner.begin(async (sql) => {
      await sql`select set_config('post.purpose', 'owner', true)`
      await sql`
        insert into file (mailbox_id, id, message_id, upload_sender_id, upload_id)
        select ${row!.mailboxId}, gen_random_uuid(), ${row!.messageId}, sender_id, id from upload where id = ${other}`
      await deleteOldUploads(database, new Date('2026-01-02'))
      assert.equal((await sql`select from upload where id = ${other}`).length, 1, 'whoever writes a letter holds it')
    })
    await deleteOldUploads(database, new Date('2026-01-02'))
    assert.equal(await count('upload', other), 1)
  })
})

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The most that a process has held in memory since it began, in bytes: Linux says it. */
function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

describe('a document of 100 MB', { skip: process.platform !== 'linux' && 'only Linux says how much memory was held' }, () => {
  test('goes in and out in pieces: the program holds little more than for a small one', { timeout: 1_800_000 }, async () => {
    const world = await startServer()
    const program = await startProgram({ DATABASE_URL: world.test.url })
    try {
      const token = await takeToken(program)
      const { cookie } = await signInRosa(world.test.database)
      const inAndOut = async (reference: string, megabytes: number) => {
        const sent = createHash('sha256')
        function* pieces() {
          for (let count = 0; count < megabytes; count += 1) {
            const piece = count === 0 ? pdf(megabyte) : randomBytes(megabyte)
            sent.update(piece)
            yield piece
          }
        }
        const asked = { service: 'council-tax', mediaType: 'application/pdf', size: megabytes * megabyte }
        const { body: begun } = await callApi(program, token, 'POST', '/v1/uploads', asked)
        const response = await fetch(`${program.baseUrl}/v1/uploads/${begun.id}`, {
          method: 'PATCH',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
          body: Readable.from(pieces(), { objectMode: false }) as never,
          duplex: 'half',
        } as RequestInit)
        assert.equal(response.status, 204, await response.text())
        const { body: message } = await callApi(program, token, 'POST', '/v1/messages', letter(reference, begun.id))
        const [file] = await world.test.owner<{ id: string }[]>`select id from file where message_id = ${message.id}`
        const got = createHash('sha256')
        for await (const chunk of await read(`${program.baseUrl}/letters/${message.id}/files/${file!.id}`, cookie))
          got.update(chunk)
        assert.equal(got.digest('hex'), sent.digest('hex'))
        let archived = 0
        for await (const chunk of await read(`${program.baseUrl}/letters/${message.id}/archive`, cookie)) archived += chunk.length
        assert.ok(archived > megabytes * megabyte)
        return peakOf(program.child.pid!)
      }
      const small = await inAndOut('small', 25)
      const more = (await inAndOut('large', 100)) - small
      assert.ok(more < 50 * megabyte, `${Math.round(more / megabyte)} MB more were held`)
    } finally {
      await program.end('SIGTERM')
      await world.stop()
    }
  })
})

describe('an upload under way when the program is killed', () => {
  test('is gone on with in the next', { timeout: 1_800_000 }, async () => {
    const world = await startServer()
    const bytes = pdf(6 * megabyte)
    const headersOf = async (program: Program) => ({ authorization: `Bearer ${await takeToken(program)}` })
    let program = await startProgram({ DATABASE_URL: world.test.url })
    try {
      const asked = { service: 'council-tax', mediaType: 'application/pdf', size: bytes.length, sha256: sha256(bytes) }
      const { body: begun } = await callApi(program, await takeToken(program), 'POST', '/v1/uploads', asked)
      const type = 'application/offset+octet-stream'
      const address = () => `${program.baseUrl}${begun.links.self}`
      const headers = {
        ...(await headersOf(program)),
        'content-type': type,
        'upload-offset': '0',
        'content-length': bytes.length,
      }
      const request = requestHttp(address(), { method: 'PATCH', headers }).on('error', () => {})
      request.write(bytes.subarray(0, 4 * megabyte))
      const far = async () => {
        const response = await fetch(address(), { method: 'HEAD', headers: await headersOf(program) })
        return Number(response.headers.get('upload-offset'))
      }
      while ((await far()) < 2 * megabyte) await sleep(20)
      await program.end('SIGKILL')
      program = await startProgram({ DATABASE_URL: world.test.url })
      const offset = await far()
      assert.ok(offset >= 2 * megabyte && offset < bytes.length, String(offset))
      const { status } = await fetch(address(), {
        method: 'PATCH',
        headers: { ...(await headersOf(program)), 'content-type': type, 'upload-offset': String(offset) },
        body: new Uint8Array(bytes.subarray(offset)),
      })
      assert.equal(status, 204)
      const { body } = await callApi(program, await takeToken(program), 'GET', begun.links.self)
      assert.equal(body.sha256, sha256(bytes))
    } finally {
      await program.end('SIGTERM')
      await world.stop()
    }
  })
})

async function read(address: string, cookie: string): Promise<IncomingMessage> {
  const [response] = (await once(requestHttp(address, { headers: { cookie } }).end(), 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  return response
}
