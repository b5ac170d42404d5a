import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callApi } from '../../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'

describe('POST /v1/recipients/lookup and GET /v1/recipients/changes', () => {
  let server: TestServer
  let token: string
  const now = { at: new Date() }
  before(async () => {
    server = await startServer({ LOOKUPS_PER_MINUTE: '10020' }, () => now.at)
    token = await takeToken(server)
  })
  after(() => server.stop())

  const lookUp = (values: string[], scheme = 'link', more: object = {}) =>
    callApi(server, token, 'POST', '/v1/recipients/lookup', {
      recipients: values.map((value) => ({ scheme, value })),
      ...more,
    })
  const changes = (query = '') => callApi(server, token, 'GET', `/v1/recipients/changes${query}`)

  test('answers in the order asked, with status, reason and advice, and repeats the identifier as it was asked', async () => {
    const { status, body } = await lookUp([' CT-1001', 'CT-9999'])
    assert.equal(status, 200)
    const whole = { categories: null, reachableFrom: null }
    assert.deepEqual(body.recipients, [
      {
        recipient: { scheme: 'link', value: ' CT-1001' },
        reachable: true,
        status: 'registered',
        ...whole,
        reason: null,
        advice: null,
      },
      {
        recipient: { scheme: 'link', value: 'CT-9999' },
        reachable: false,
        status: 'unknown',
        ...whole,
        reason: 'recipient-not-found',
        advice: 'other-channel',
      },
    ])
  })

  test('answers the same for an identifier that is nobody’s and a scheme that is not the service’s to use', async () => {
    const answerOf = async (value: string, scheme: string) => {
      const { recipient: _, ...answer } = (await lookUp([value], scheme)).body.recipients[0]
      return answer
    }
    assert.deepEqual(await answerOf('QQ123456C', 'nino'), await answerOf('CT-9999', 'link'))
    const { reason, advice } = await answerOf('QQ12', 'nino')
    assert.deepEqual([reason, advice], ['identifier-invalid', 'fix'])
  })

  test('tells of what has changed since, once', async () => {
    const beginning = await changes()
    assert.deepEqual(
      beginning.body.changes.map(({ identifier, status }: { identifier: { value: string }; status: string }) => [
        identifier.value,
        status,
      ]),
      [
        ['CT-1001', 'registered'],
        ['CT-1002', 'registered'],
        // A business in its first days then; since `reachableFrom` it is registered.
        ['CT-2001', 'not-yet'],
      ],
    )
    const { next } = beginning.body
    assert.deepEqual((await changes(`?after=${next}`)).body, { changes: [], next })
    const page = (await changes('?limit=1')).body
    assert.equal(page.changes.length, 1)
    assert.deepEqual(Object.keys(page.changes[0]).sort(), [
      'at',
      'categories',
      'contested',
      'identifier',
      'reachableFrom',
      'service',
      'status',
    ])
    assert.deepEqual((await changes(`?after=${page.next}`)).body.changes, beginning.body.changes.slice(1))
    const wrong = await changes('?after=x')
    assert.deepEqual([wrong.status, wrong.body.code], [400, 'cursor-invalid'])
    const other = await changes('?service=libraries')
    assert.deepEqual([other.status, other.body.code], [404, 'service-not-found'])
  })

  test('takes ten thousand, then says how long to wait', async () => {
    now.at = new Date(now.at.getTime() + 60_000)
    const many = Array.from({ length: 10_000 }, (_, index) => `CT-${index}`)
    assert.equal((await lookUp(many)).body.recipients.length, 10_000)
    assert.equal((await lookUp([...many, 'CT-1'])).status, 400)
    const refused = await lookUp(many.slice(0, 100))
    assert.deepEqual([refused.status, refused.body.code, refused.body.advice], [429, 'too-many-lookups', 'retry'])
    assert.equal(refused.headers.get('retry-after'), '1')
    now.at = new Date(now.at.getTime() + 1_000)
    assert.equal((await lookUp(many.slice(0, 100))).status, 200)
  })
})
