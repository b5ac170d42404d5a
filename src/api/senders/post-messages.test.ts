import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, callApi } from '../../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'

const pdf = Buffer.from('%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF')

function letter(reference: string, more: Record<string, unknown> = {}) {
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1001' },
    subject: 'Your council tax',
    content: [{ language: 'en', body: 'Dear resident' }],
    ...more,
  }
}
const withFile = (file: Record<string, unknown>) => ({
  documents: [
    { role: 'main', files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf.toString('base64'), ...file }] },
  ],
})

describe('POST /v1/messages', () => {
  let server: TestServer
  let token: string
  const send = (body: unknown, as = token): Promise<Answer> => callApi(server, as, 'POST', '/v1/messages', body)
  const countRows = async () => {
    const [row] = await server.test.owner`
      select (select count(*) from message) + (select count(*) from ledger) + (select count(*) from event where type <> 'message.rejected') + (select count(*) from file) as n`
    return row!.n
  }
  before(async () => {
    server = await startServer()
    token = await takeToken(server)
  })
  after(() => server.stop())

  test('answers 201 with id, state, times and links, after the letter can be read', async () => {
    const { status, body, headers } = await send(letter('first', withFile({})))
    assert.equal(status, 201)
    assert.equal(body.state, 'available')
    assert.equal(body.reference, 'first')
    assert.match(body.availableAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.equal(headers.get('location'), body.links.self)
    const seen = await callApi(server, token, 'GET', body.links.self)
    assert.deepEqual(
      seen.body.history.map(({ state }: { state: string }) => state),
      ['accepted', 'available'],
    )
  })

  test('answers 200 and the same to the same again, and 409 to other content', async () => {
    const first = await send(letter('again'))
    const second = await send(letter('again'))
    assert.deepEqual([first.status, second.status], [201, 200])
    assert.deepEqual(second.body, first.body)
    const other = await send(letter('again', { subject: 'Another' }))
    assert.deepEqual([other.status, other.body.code], [409, 'reference-used'])
  })

  test('takes a reference once for each service, not once for all', async () => {
    assert.equal((await send(letter('shared'))).status, 201)
    const other = await takeToken(server, 'demo-other')
    assert.equal(
      (await send(letter('shared', { service: 'state-pension', recipient: { scheme: 'link', value: 'SP-7002' } }), other)).status,
      201,
    )
  })

  const refused: [why: string, body: () => Record<string, unknown>, status: number, code: string, field?: string][] = [
    ['an unknown recipient', () => letter('r', { recipient: { scheme: 'link', value: 'CT-9999' } }), 422, 'recipient-not-found'],
    ['an unknown scheme', () => letter('r', { recipient: { scheme: 'nino', value: 'QQ123456C' } }), 422, 'recipient-not-found'],
    ['no recipient', () => letter('r', { recipient: undefined }), 422, 'recipient-needed'],
    ['a service of somebody else', () => letter('r', { service: 'state-pension' }), 404, 'service-not-found'],
    ['a service that does not exist', () => letter('r', { service: 'nothing' }), 404, 'service-not-found'],
    ['an answer to nothing', () => letter('r', { answers: '01920000-0000-7000-8000-000000000000' }), 422, 'answered-not-found'],
    ['a missing subject', () => letter('r', { subject: undefined }), 400, 'body-invalid', '/subject'],
    ['a field that nobody knows', () => letter('r', { subjekt: 'x' }), 400, 'body-invalid', '/subjekt'],
    ['a number for a text', () => letter('r', { subject: 5 }), 400, 'body-invalid', '/subject'],
    ['a subject of two lines', () => letter('r', { subject: 'a\nb' }), 400, 'body-invalid', '/subject'],
    [
      'a NUL in the text',
      () => letter('r', { content: [{ language: 'en', body: 'a\u0000b' }] }),
      400,
      'body-invalid',
      '/content/0/body',
    ],
    [
      'half a surrogate pair',
      () => letter('r', { content: [{ language: 'en', body: 'a\ud800b' }] }),
      400,
      'body-invalid',
      '/content/0/body',
    ],
    [
      'a language twice',
      () =>
        letter('r', {
          content: [
            { language: 'en', body: 'a' },
            { language: 'en', body: 'b' },
          ],
        }),
      422,
      'language-repeated',
    ],
    ['broken base64', () => letter('r', withFile({ content: 'JVBERi0x=' })), 400, 'body-invalid', '/documents/0/files/0/content'],
    ['an empty file', () => letter('r', withFile({ content: '' })), 422, 'file-empty', '/documents/0/files/0/content'],
    [
      'a file that is not what it says',
      () => letter('r', withFile({ content: Buffer.from('hello').toString('base64') })),
      422,
      'file-type-mismatch',
      '/documents/0/files/0/content',
    ],
    [
      'a media type that is not taken',
      () => letter('r', withFile({ filename: 'a.html', mediaType: 'text/html' })),
      422,
      'file-type-not-allowed',
      '/documents/0/files/0/mediaType',
    ],
    [
      'a file name with a path',
      () => letter('r', withFile({ filename: '../bill.pdf' })),
      422,
      'file-name-not-allowed',
      '/documents/0/files/0/filename',
    ],
    [
      'a file name with a banned character',
      () => letter('r', withFile({ filename: 'a\u00a0b.pdf' })),
      422,
      'file-name-not-allowed',
      '/documents/0/files/0/filename',
    ],
  ]
  for (const [why, body, status, code, field] of refused) {
    test(`refuses ${why} with ${status} ${code}, and keeps nothing of it`, async () => {
      const rows = await countRows()
      const answer = await send(body())
      assert.deepEqual([answer.status, answer.body.code], [status, code])
      assert.match(answer.headers.get('content-type')!, /^application\/problem\+json/)
      if (field)
        assert.deepEqual(
          answer.body.errors.map((error: { field: string }) => error.field),
          [field],
        )
      assert.equal(await countRows(), rows)
    })
  }

  test('names every field that is wrong, not only the first', async () => {
    const { body } = await send({ ...letter('r'), subject: '', content: [], recipient: { scheme: 'link' } })
    assert.deepEqual(body.errors.map((error: { field: string }) => error.field).sort(), [
      '/content',
      '/recipient/value',
      '/subject',
    ])
  })

  test('says of every field what it must be, in words', async () => {
    const wrong = {
      reference: 5,
      subject: '',
      content: [{ language: 'en', body: 'b' }],
      documents: [{ role: 'letter', files: [] }],
      actions: 'none',
      reply: { allowed: 'yes', by: 'tomorrow' },
    }
    const { body } = await send({ ...letter('r'), ...wrong })
    const said = body.errors.map(({ field, message }: { field: string; message: string }) => [field, message])
    assert.deepEqual(Object.fromEntries(said), {
      '/reference': 'This must be text, in quotation marks.',
      '/subject': 'This must not be empty.',
      '/documents/0/role': 'This must be "main", "additional" or "technical".',
      '/documents/0/files': 'This must not be empty.',
      '/actions': 'This must be a list.',
      '/reply/allowed': 'This must be true or false.',
      '/reply/by': 'This must be a date and time such as 2026-11-23T10:00:00Z (RFC 3339).',
    })
    assert.equal(said.length, 7, 'each once')
  })

  test('refuses more than 25 MB of files with 413, and takes just 25 MB', async () => {
    const megabytes = (bytes: number) => Buffer.concat([pdf, Buffer.alloc(bytes - pdf.length, 32)]).toString('base64')
    const tooLarge = await send(letter('large', withFile({ content: megabytes(25 * 1024 * 1024 + 1) })))
    assert.deepEqual([tooLarge.status, tooLarge.body.code], [413, 'too-large'])
    const farTooLarge = await send(letter('large', withFile({ content: megabytes(40 * 1024 * 1024) })))
    assert.deepEqual([farTooLarge.status, farTooLarge.body.code], [413, 'too-large'])
    assert.equal((await send(letter('large', withFile({ content: megabytes(25 * 1024 * 1024) })))).status, 201)
  })

  test('refuses what is no JSON, and what does not say that it is', async () => {
    const raw = async (type: string, body: string) => {
      const answer = await fetch(`${server.baseUrl}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body,
      })
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }
    assert.deepEqual(await raw('application/json', '{"a":'), [400, 'not-json'])
    assert.deepEqual(await raw('application/json', ''), [400, 'not-json'])
    assert.deepEqual(await raw('text/plain', '{}'), [415, 'media-type-unknown'])
  })

  test('an error repeats nothing of what was sent', async () => {
    const { body } = await send(
      letter('r', { recipient: { scheme: 'link', value: 'CT-SECRET' }, subject: 'Secret subject', extra: 'secret' }),
    )
    assert.doesNotMatch(JSON.stringify(body), /secret/i)
  })
})
