import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, callApi } from '../../../test/call.ts'
import { isSigned, type Receiver, startReceiver } from '../../../test/receiver.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'
import { until } from '../../../test/until.ts'
import { startWebhooks } from '../../worker.ts'

describe('/v1/webhook', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let server: TestServer
  let token: string
  let receiver: Receiver
  const call = (method: string, path: string, body?: unknown): Promise<Answer> => callApi(server, token, method, path, body)
  const send = (reference: string) =>
    call('POST', '/v1/messages', {
      reference,
      service: 'council-tax',
      recipient: { scheme: 'link', value: 'CT-1001' },
      subject: 'Your council tax',
      content: [{ language: 'en', body: 'Dear resident' }],
    })
  before(async () => {
    server = await startServer({}, () => now.at)
    token = await takeToken(server)
    receiver = await startReceiver()
  })
  after(async () => {
    await server.stop()
    await receiver.stop()
  })

  test('is not there before it is made', async () => {
    const { status, body } = await call('GET', '/v1/webhook?service=council-tax')
    assert.deepEqual([status, body.code], [404, 'not-found'])
  })

  test('refuses an address that is not https, or not public', async () => {
    for (const url of [
      'http://sender.example/',
      'https://10.0.0.1/',
      'https://169.254.169.254/',
      'nowhere',
      'ftp://127.0.0.1/',
    ]) {
      const { status, body } = await call('PUT', '/v1/webhook?service=council-tax', { url })
      assert.deepEqual([status, body.code], [422, 'webhook-address-not-allowed'], url)
    }
    assert.equal((await call('PUT', '/v1/webhook?service=council-tax', {})).body.errors[0].field, '/url')
    assert.equal((await call('PUT', '/v1/webhook?service=state-pension', { url: receiver.url })).status, 404)
  })

  test('shows its secret once, and is told of events within seconds, as the feed shows them', async () => {
    const made = await call('PUT', '/v1/webhook?service=council-tax', { url: receiver.url })
    assert.equal(made.status, 200)
    const { secret, ...state } = made.body
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.deepEqual([state.on, state.url, state.waiting, state.dead, state.deliveredAt], [true, receiver.url, 0, 0, null])
    const seen = await call('GET', '/v1/webhook?service=council-tax')
    assert.deepEqual(seen.body, state)
    assert.equal((await call('PUT', '/v1/webhook?service=council-tax', { url: receiver.url })).body.secret, undefined)

    const loops = [1, 2].map(() => startWebhooks(server.config, server.test.database, () => now.at))
    try {
      await send('told')
      await until(() => receiver.received.length === 2)
    } finally {
      for (const loop of loops) await loop.stop()
    }
    const { body } = await call('GET', '/v1/events?service=council-tax')
    assert.deepEqual(
      receiver.received.map(({ event }) => event),
      body.events.slice(-2),
    )
    assert.ok(receiver.received.every((one) => isSigned(one, secret)))
    const changed = await call('PUT', '/v1/webhook?service=council-tax', { url: receiver.url, newSecret: true, on: false })
    assert.notEqual(changed.body.secret, secret)
    assert.equal(changed.body.on, false)
  })

  test('shows dead deliveries, and takes one to be replayed, once', async () => {
    await call('PUT', '/v1/webhook?service=council-tax', { url: receiver.url, on: true })
    receiver.answer = (_, response) => response.writeHead(500).end()
    const loop = startWebhooks(server.config, server.test.database, () => now.at)
    const before = receiver.received.length
    try {
      await send('dead')
      await until(() => receiver.received.length > before)
    } finally {
      await loop.stop()
    }
    const waiting = (await call('GET', '/v1/webhook/deliveries?state=waiting')).body.deliveries
    assert.deepEqual(
      waiting.map(({ type, service }: Record<string, string>) => [type, service]),
      [
        ['message.accepted', 'council-tax'],
        ['message.available', 'council-tax'],
      ],
    )
    const failure = server.test.owner.json({ code: 'answered', status: 500 })
    await server.test.owner`update webhook_delivery set is_dead = true, failure = ${failure} where tries > 0`
    const dead = await call('GET', '/v1/webhook/deliveries?state=dead')
    const [one] = dead.body.deliveries
    assert.deepEqual([one.reference, one.state, one.failure], ['dead', 'dead', 'The receiver answered 500.'])
    assert.equal((await call('GET', '/v1/webhook?service=council-tax')).body.failure, 'The receiver answered 500.')
    assert.deepEqual((await call('GET', `/v1/webhook/deliveries?after=${dead.body.next}`)).body.deliveries, [])
    assert.equal((await call('GET', '/v1/webhook/deliveries?after=nonsense')).body.code, 'cursor-invalid')
    assert.equal((await call('POST', `/v1/webhook/deliveries/${one.id}/replay`)).status, 202)
    assert.equal((await call('POST', `/v1/webhook/deliveries/${one.id}/replay`)).status, 404)
  })

  test('is gone when it is deleted, with what was not delivered', async () => {
    for (let i = 0; i < 2; i++) assert.equal((await call('DELETE', '/v1/webhook?service=council-tax')).status, 204)
    assert.equal((await call('GET', '/v1/webhook?service=council-tax')).status, 404)
    assert.deepEqual((await call('GET', '/v1/webhook/deliveries?state=waiting')).body.deliveries, [])
  })
})
