import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from '../../test/receiver.ts'
import { until } from '../../test/until.ts'
import { mayBePostedTo, postEvent, type Resolve } from './post-event.ts'

const never = new AbortController().signal
const sent = { headers: { 'webhook-id': 'one' }, body: '{}' }
const leadingTo =
  (...addresses: string[]): Resolve =>
  (_, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

describe('posting to an address', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await startReceiver()
  })
  after(() => receiver.stop())

  test('is refused where a name leads to a network of our own, when it is saved', async () => {
    for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', 'fe80::1', '::ffff:10.0.0.1']) {
      const reach = { demo: false, resolve: leadingTo('93.184.215.14', address) }
      assert.equal(await mayBePostedTo('https://sender.example/events', reach), false, address)
    }
    assert.equal(await mayBePostedTo('https://sender.example/', { demo: false, resolve: leadingTo() }), false)
    const fails: Resolve = (_, callback) => callback(new Error('not found'), [])
    assert.equal(await mayBePostedTo('https://sender.example/', { demo: false, resolve: fails }), false)
    assert.equal(await mayBePostedTo('https://sender.example/', { demo: false, resolve: leadingTo('93.184.215.14') }), true)
  })

  test('is refused at the connection where the name leads there by then', async () => {
    const before = receiver.received.length
    const port = new URL(receiver.url).port
    const failure = await postEvent(
      `https://sender.example:${port}/`,
      sent,
      { demo: false, resolve: leadingTo('127.0.0.1') },
      never,
    )
    assert.deepEqual(failure, { code: 'network-not-public' })
    const literal = await postEvent(`https://127.0.0.1:${port}/`, sent, { demo: false }, never)
    assert.deepEqual(literal, { code: 'address-not-allowed' })
    assert.equal(receiver.received.length, before)
  })

  test('goes over plain http to this machine itself in a demo, and nowhere else', async () => {
    assert.equal(await mayBePostedTo(receiver.url, { demo: true }), true)
    assert.equal(await mayBePostedTo(receiver.url, { demo: false }), false)
    assert.equal(await mayBePostedTo('http://sender.example/', { demo: true, resolve: leadingTo('93.184.215.14') }), false)
    assert.deepEqual(await postEvent(receiver.url, sent, { demo: false }, never), { code: 'address-not-allowed' })
    assert.equal(await postEvent(receiver.url, sent, { demo: true }, never), undefined)
    assert.equal(receiver.received.at(-1)!.headers['webhook-id'], 'one')
  })

  test('follows no redirect', async () => {
    const before = receiver.received.length
    receiver.answer = (_, response) => response.writeHead(307, { location: receiver.url }).end()
    assert.deepEqual(await postEvent(receiver.url, sent, { demo: true }, never), { code: 'answered', status: 307 })
    assert.equal(receiver.received.length, before + 1)
  })

  test('reads no more of an answer than a little, and it counts all the same', async () => {
    let isClosed = false
    receiver.answer = (_, response) => {
      response.on('close', () => {
        isClosed = true
      })
      response.writeHead(200)
      const write = () => {
        while (!isClosed && response.write(Buffer.alloc(65_536)));
        if (!isClosed) response.once('drain', write)
      }
      write()
    }
    assert.equal(await postEvent(receiver.url, sent, { demo: true }, never), undefined)
    await until(() => isClosed)
  })

  test('says what went wrong, and nothing that the receiver said', async () => {
    receiver.answer = (_, response) => response.destroy()
    assert.deepEqual(await postEvent(receiver.url, sent, { demo: true }, never), {
      code: 'not-reached-because',
      reason: 'ECONNRESET',
    })
    const nameless: Resolve = (_, callback) => callback(new Error('not found'), [])
    const unknown = await postEvent('https://sender.example/', sent, { demo: false, resolve: nameless }, never)
    assert.deepEqual(unknown, { code: 'not-reached' })
    const ending = new AbortController()
    receiver.answer = () => ending.abort()
    const failure = await postEvent(receiver.url, sent, { demo: true }, ending.signal)
    assert.deepEqual(failure, { code: 'no-answer', seconds: 10 })
  })
})
