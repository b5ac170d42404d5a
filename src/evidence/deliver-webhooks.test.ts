import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { isSigned, type Received, type Receiver, startReceiver } from '../../test/receiver.ts'
import { freePort } from '../../test/server.ts'
import { until } from '../../test/until.ts'
import { acceptOne } from '../delivery/accept.ts'
import { open } from '../mailbox/open.ts'
import { changeWebhookSecret, removeWebhook, saveWebhook, switchWebhook } from './change-webhook.ts'
import { deliverWebhook, findDueWebhooks, type WebhookOptions } from './deliver-webhooks.ts'
import { readEvents } from './events.ts'
import { findWebhooks, listDeliveries } from './find-webhook.ts'
import { followWebhooks } from './follow-webhooks.ts'
import { postEvent } from './post-event.ts'
import { replayDeliveries } from './replay-deliveries.ts'
import { leaseMs, newWebhookSecret, triedForMs, webhookHeaders } from './webhook.ts'

describe('a webhook', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const key = Buffer.alloc(32, 9)
  let test_: TestDatabase
  let post: Post
  let receiver: Receiver
  let secret: string
  let options: WebhookOptions
  before(async () => {
    test_ = await createTestDatabase(12)
    post = await buildPost(test_)
  })
  after(() => test_.drop())
  beforeEach(async () => {
    receiver = await startReceiver()
    options = { demo: true, key, clock: () => now.at, signal: new AbortController().signal }
    secret = (await saveWebhook(post.db, asker(), { url: receiver.url }, { demo: true, key }, now.at)).secret!
  })
  afterEach(async () => {
    await removeWebhook(post.db, asker())
    await receiver.stop()
  })

  const asker = () => ({ serviceId: post.serviceId, name: 'Billing' })
  const later = (ms: number) => {
    now.at = new Date(now.at.getTime() + ms)
  }
  const send = async (reference: string) =>
    (await acceptOne(post.db, post.keys, post.council, post.letter(reference), now.at)).messageId
  const beat = async () => {
    await followWebhooks(post.db, now.at)
    await deliverWebhook(post.db, post.serviceId, options)
  }
  const list = (state: 'waiting' | 'dead') => listDeliveries(post.db, [post.serviceId], { state, after: '0', limit: 100 })
  const told = (received: readonly Received[]) =>
    received.map(({ event }) => `${event.reference} ${event.type.replace('message.', '')}`)
  const fail = (status = 500) => {
    receiver.answer = (_, response) => response.writeHead(status).end()
  }
  const take = () => {
    receiver.answer = (_, response) => response.writeHead(204).end()
  }

  test('is told of each event as the feed shows it, once, signed, in the order of the message', async () => {
    const messageId = await send('whole')
    await beat()
    await open(post.db, post.rosa, messageId, now.at)
    await beat()
    await beat()
    const feed = (await readEvents(post.db, [post.serviceId], '0', 100)).filter((event) => event.messageId === messageId)
    assert.deepEqual(told(receiver.received), ['whole accepted', 'whole available', 'whole opened'])
    for (const [index, one] of receiver.received.entries()) {
      const { position: _, at, action: __, ...event } = feed[index]!
      assert.deepEqual(one.event, { ...event, at: at.toISOString() })
      assert.equal(one.headers['webhook-id'], event.id)
      assert.equal(one.headers['webhook-timestamp'], String(now.at.getTime() / 1000))
      assert.equal(one.headers['content-type'], 'application/json')
      assert.ok(isSigned(one, secret))
      assert.ok(!isSigned({ ...one, body: one.body.replace('whole', 'other') }, secret))
    }
    const [webhook] = await findWebhooks(post.db, [post.serviceId])
    assert.deepEqual([webhook?.waiting, webhook?.dead, webhook?.failure, webhook?.deliveredAt], [0, 0, null, now.at])
  })

  test('is told of nothing from before it was there', async () => {
    assert.equal(await followWebhooks(post.db, now.at), 1)
    assert.deepEqual(await findDueWebhooks(post.db, now.at), [])
    await send('first')
    await followWebhooks(post.db, now.at)
    assert.deepEqual(await findDueWebhooks(post.db, now.at), [post.serviceId])
  })

  test('is told again, with the same id, until it takes it; and of nothing else of the message before', async () => {
    await send('again')
    fail()
    await beat()
    await beat()
    assert.deepEqual(told(receiver.received), ['again accepted'])
    const [first, second] = await list('waiting')
    assert.deepEqual([first!.tries, first!.failure, second!.tries], [1, { code: 'answered', status: 500 }, 0])
    assert.deepEqual(await findDueWebhooks(post.db, now.at), [], 'what waits for it is not due either')
    take()
    later(10_000)
    await beat()
    assert.deepEqual(told(receiver.received), ['again accepted', 'again accepted', 'again available'])
    const [one, two, three] = receiver.received.map(({ headers }) => headers['webhook-id'])
    assert.equal(one, two)
    assert.notEqual(two, three)
  })

  test('is told of other messages while one fails, of at most four at once, each message in order', async () => {
    const references = Array.from({ length: 12 }, (_, index) => `many-${index}`)
    for (const reference of references) await send(reference)
    let failures = 0
    receiver.answer = async ({ event }, response) => {
      await until(() => receiver.mostAtOnce >= 4)
      await sleep(40)
      const fails = event.reference === 'many-3' || (event.reference === 'many-7' && failures++ === 0)
      response.writeHead(fails ? 503 : 200).end()
    }
    // As two processes that do it at once.
    await Promise.all([beat(), beat()])
    await beat()
    assert.equal(receiver.mostAtOnce, 4)
    for (const reference of references) {
      const events = told(receiver.received.filter(({ event }) => event.reference === reference))
      const all = [`${reference} accepted`, `${reference} available`]
      assert.deepEqual(events, ['many-3', 'many-7'].includes(reference) ? all.slice(0, 1) : all)
    }
    later(10_000)
    await beat()
    assert.deepEqual(told(receiver.received).slice(-3).sort(), ['many-3 accepted', 'many-7 accepted', 'many-7 available'])
    take()
    later(60_000)
    await beat()
    assert.deepEqual(await list('waiting'), [])
  })

  test('has a rest where it fails for everything', async () => {
    for (let i = 0; i < 20; i++) await send(`down-${i}`)
    fail()
    await beat()
    assert.ok(receiver.received.length >= 8 && receiver.received.length <= 11, String(receiver.received.length))
  })

  test('gets an event that is dead after a day only when it is replayed, with the same id', async () => {
    await send('dead')
    fail(404)
    await followWebhooks(post.db, now.at)
    const began = now.at
    for (let tries = 1; ; tries++) {
      await deliverWebhook(post.db, post.serviceId, options)
      if ((await list('dead')).length > 0) break
      assert.ok(tries < 40)
      const [next] = await post.owner<{ at: Date }[]>`select min(due_at) as at from webhook_delivery where tries > 0`
      now.at = next!.at
    }
    assert.equal(now.at.getTime() - began.getTime(), triedForMs, 'the last try is when the day is over')
    const [dead] = await list('dead')
    assert.deepEqual(
      [dead?.reference, dead?.type, dead?.failure],
      ['dead', 'message.accepted', { code: 'answered', status: 404 }],
    )
    take()
    later(10_000)
    const before = receiver.received.length
    await beat()
    assert.deepEqual(told(receiver.received.slice(before)), ['dead available'], 'a dead one holds up nothing')
    assert.equal(await replayDeliveries(post.db, [post.parkingId], { id: dead!.id }, now.at), 0, 'not of another service')
    assert.equal(await replayDeliveries(post.db, [post.serviceId], { id: dead!.id }, now.at), 1)
    assert.equal(await replayDeliveries(post.db, [post.serviceId], 'all', now.at), 0)
    await beat()
    assert.equal(receiver.received.at(-1)?.headers['webhook-id'], dead!.id)
    assert.deepEqual(await list('dead'), [])
  })

  test('gets it again, with the same id, where the program was killed before it noted that it had arrived', async () => {
    await send('killed')
    await followWebhooks(post.db, now.at)
    const ending = new AbortController()
    // Ends with the answer on its way, as by a kill: nothing is noted.
    receiver.answer = (_, response) => {
      ending.abort()
      response.writeHead(204).end()
    }
    await deliverWebhook(post.db, post.serviceId, { ...options, signal: ending.signal })
    take()
    await beat()
    assert.deepEqual(told(receiver.received), ['killed accepted'], 'while it may still be under way nobody else sends it')
    later(leaseMs)
    await beat()
    assert.deepEqual(told(receiver.received), ['killed accepted', 'killed accepted', 'killed available'])
    assert.equal(receiver.received[0]!.headers['webhook-id'], receiver.received[1]!.headers['webhook-id'])
  })

  test('is followed once by two processes at once', async () => {
    for (let i = 0; i < 5; i++) await send(`twice-${i}`)
    await Promise.all(Array.from({ length: 4 }, () => followWebhooks(post.db, now.at)))
    assert.equal((await list('waiting')).length, 10)
    await beat()
    assert.equal(receiver.received.length, 10)
  })

  test('is told of nothing while it is off, and of all of it when it is on again', async () => {
    await switchWebhook(post.db, asker(), false, now.at)
    await send('off')
    assert.equal(await followWebhooks(post.db, now.at), 0)
    await beat()
    assert.deepEqual(receiver.received, [])
    await switchWebhook(post.db, asker(), true, now.at)
    await beat()
    assert.deepEqual(told(receiver.received), ['off accepted', 'off available'])
  })

  test('is signed with the new secret and, for a day, the one before', async () => {
    const changed = await changeWebhookSecret(post.db, asker(), 1, key, now.at)
    await assert.rejects(changeWebhookSecret(post.db, asker(), 1, key, now.at), { code: 'changed-meanwhile' })
    await send('both')
    await beat()
    later(24 * 3_600_000)
    await send('new')
    await beat()
    const [both, , new_] = receiver.received
    assert.deepEqual([isSigned(both!, secret), isSigned(both!, changed.secret)], [true, true])
    assert.deepEqual([isSigned(new_!, secret), isSigned(new_!, changed.secret)], [false, true])
  })

  test('keeps its secret sealed', async () => {
    const [row] = await post.owner`select secret_sealed from webhook where service_id = ${post.serviceId}`
    assert.ok(!row!.secretSealed.includes(Buffer.from(secret.slice(6), 'base64')))
    assert.ok(!row!.secretSealed.includes(secret.slice(6, 20)))
  })

  test('is taken by the receiver that the documentation shows, where it is signed and of now', async () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../docs/following.md'), 'utf8')
    const port = await freePort()
    const code = /```js\n(.*?)```/s.exec(page)![1]!.replace('listen(8080)', `listen(${port}, '127.0.0.1')`)
    const example = spawn(process.execPath, ['--input-type=module', '--eval', code], { env: { WEBHOOK_SECRET: secret } })
    try {
      const url = `http://127.0.0.1:${port}/`
      const isUp = () =>
        fetch(url, { method: 'POST' }).then(
          () => true,
          () => false,
        )
      await until(isUp)
      const outcome = (at: Date, ...secrets: string[]) =>
        postEvent(
          url,
          { headers: webhookHeaders('one', '{"type":"x"}', secrets, at), body: '{"type":"x"}' },
          options,
          options.signal,
        )
      assert.equal(await outcome(new Date(), secret), undefined)
      assert.equal(await outcome(new Date(), newWebhookSecret(), secret), undefined)
      assert.deepEqual(await outcome(new Date(), newWebhookSecret()), { code: 'answered', status: 401 })
      assert.deepEqual(await outcome(new Date(Date.now() - 600_000), secret), { code: 'answered', status: 401 })
    } finally {
      example.kill()
    }
  })
})
