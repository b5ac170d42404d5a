import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callApi } from '../../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'

describe('GET /v1/reconciliation', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let server: TestServer
  let token: string
  before(async () => {
    server = await startServer({ PENDING_MINUTES: '30' }, () => now.at)
    token = await takeToken(server)
    for (const [reference, value] of Object.entries({ one: 'CT-1001', two: 'CT-1001', three: 'CT-0' })) {
      await callApi(server, token, 'POST', '/v1/messages', {
        reference,
        service: 'council-tax',
        recipient: { scheme: 'link', value },
        subject: 'Your council tax',
        content: [{ language: 'en', body: 'Dear resident' }],
      })
    }
    await server.test.owner`update ledger set available_at = null where reference = 'two'`
  })
  after(() => server.stop())

  const ask = (query: string) => callApi(server, token, 'GET', `/v1/reconciliation?service=council-tax&${query}`)
  const today = 'from=2026-11-23&to=2026-11-23'

  test('answers each day’s numbers, and names what is pending for longer than the setting says', async () => {
    const first = await ask(today)
    assert.equal(first.status, 200)
    const [day] = first.body.days
    assert.equal(day.accepted, day.available + day.failed + day.pending)
    assert.deepEqual([day.service, day.day, day.pending, day.rejected], ['council-tax', '2026-11-23', 1, 1])
    assert.deepEqual(first.body.late, [])
    now.at = new Date('2026-11-23T10:05:00Z')
    assert.deepEqual((await ask(today)).body.late, [])
    now.at = new Date('2026-11-23T10:09:00Z')
    await server.test.owner`update ledger set accepted_at = '2026-11-23T09:30:00Z' where reference = 'two'`
    const { late, moreLate } = (await ask(today)).body
    assert.deepEqual(
      late.map(({ messageId: _, ...letter }: { messageId: string }) => letter),
      [
        {
          service: 'council-tax',
          reference: 'two',
          since: '2026-11-23T09:30:00.000Z',
          why: 'It was accepted and has not been made available yet.',
        },
      ],
    )
    assert.equal(moreLate, false)
  })

  test('answers in CSV where that is asked for, in either way', async () => {
    const fetchCsv = async (query: string, accept: string) => {
      const headers = { authorization: `Bearer ${token}`, accept }
      const response = await fetch(`${server.baseUrl}/v1/reconciliation?service=council-tax&${today}${query}`, { headers })
      return [response.headers.get('content-type'), await response.text()] as const
    }
    const [type, text] = await fetchCsv('&format=csv', '*/*')
    assert.equal(type, 'text/csv; charset=utf-8')
    assert.match(
      text,
      /^service,day,accepted,available,failed,recalled,pending,rejected\r\ncouncil-tax,2026-11-23,\d+,\d+,0,0,1,1\r\n$/,
    )
    assert.deepEqual(await fetchCsv('', 'text/csv'), [type, text])
    assert.match((await fetchCsv('&format=json', 'text/csv'))[0]!, /json/)
    assert.match((await fetchCsv('&format=csv&part=late', '*/*'))[1], /\r\ncouncil-tax,two,/)
  })

  test('says of a letter whose time has passed that it had one, as its own state does', async () => {
    const letter = {
      reference: 'for-later',
      service: 'council-tax',
      recipient: { scheme: 'link', value: 'CT-1001' },
      subject: 'Your council tax',
      content: [{ language: 'en', body: 'Dear resident' }],
      availableFrom: '2026-11-23T12:00:00Z',
    }
    const { body: sent } = await callApi(server, token, 'POST', '/v1/messages', letter)
    const why = 'It is to be available at a later time, as its sender wished.'
    assert.equal((await callApi(server, token, 'GET', `/v1/messages/${sent.id}`)).body.pendingBecause, why)
    const before = now.at
    now.at = new Date('2026-11-23T13:00:00Z')
    const { late } = (await ask(today)).body
    now.at = before
    const found = late.find(({ messageId }: { messageId: string }) => messageId === sent.id)
    assert.equal(found.why, why)
  })

  test('refuses days that are none, are in the wrong order or are too many, and another’s service', async () => {
    const fieldOf = async (query: string) => (await ask(query)).body.errors?.[0].field
    assert.equal(await fieldOf('from=2026-02-30&to=2026-03-01'), '/from')
    assert.equal(await fieldOf('from=2026-03-01'), '/to')
    assert.equal(await fieldOf('from=2026-03-02&to=2026-03-01'), '/to')
    assert.equal(await fieldOf('from=2026-01-01&to=2026-04-03'), '/to')
    assert.equal((await ask('from=2026-01-01&to=2026-04-02')).status, 200)
    const other = await callApi(server, token, 'GET', `/v1/reconciliation?service=state-pension&${today}`)
    assert.equal(other.body.code, 'service-not-found')
  })
})
