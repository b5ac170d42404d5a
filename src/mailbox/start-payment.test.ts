import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptOne } from '../delivery/accept.ts'
import { findSent } from '../delivery/sent.ts'
import { readEvents } from '../evidence/events.ts'
import { Problem } from '../problems.ts'
import { checkPayment } from './check-payment.ts'
import { findPayAccounts, type PayReach, removePayAccount, savePayAccount } from './pay-account.ts'
import { signBody } from './pay-api.ts'
import { buildPayStandIn } from './pay-stand-in.ts'
import { startPayment } from './start-payment.ts'
import { takePayWebhook } from './take-pay-webhook.ts'
import { readState } from './watch-mailboxes.ts'

const now = new Date('2026-11-23T10:00:00Z')
const [token, webhookSecret] = ['api_test_a-token', 'a-webhook-secret']
const refuses = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

describe('paying for what a letter asks', () => {
  let test_: TestDatabase
  let post: Post
  let provider: Server
  let reach: PayReach
  let accountId: string
  let isDown = false
  let created = 0
  const standIn = buildPayStandIn()

  before(async () => {
    test_ = await createTestDatabase(10)
    post = await buildPost(test_)
    provider = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const isOurs = request.headers.authorization === `Bearer ${token}` && !isDown
      const body = Buffer.concat(chunks).toString()
      const payment = isOurs
        ? request.method === 'POST'
          ? standIn.create(token, JSON.parse(body), now)
          : standIn.find(request.url!.split('/').at(-1)!)
        : undefined
      if (request.method === 'POST' && payment) created += 1
      if (payment === undefined) return response.writeHead(isDown ? 503 : 401).end('{}')
      // So that two who ask at once meet.
      setTimeout(() => response.writeHead(201).end(JSON.stringify(standIn.tell(payment, `${reach.url}/pages`))), 100)
    }).listen(0, '127.0.0.1')
    await once(provider, 'listening')
    reach = { url: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`, key: Buffer.alloc(32, 3) }
    const asker = { serviceId: post.serviceId, name: 'Mel' }
    await savePayAccount(post.db, asker, { token, webhookSecret }, reach, now)
    accountId = (await findPayAccounts(post.db, [post.serviceId]))[0]!.id
  })
  after(async () => {
    provider.close()
    await test_.drop()
  })

  const bill = async (reference: string) => {
    const actions = [
      { kind: 'pay' as const, label: { en: 'Pay your council tax' }, amount: 12_000, reference: `bill ${reference}` },
    ]
    const { messageId } = await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), actions }, now)
    const [sent] = await findSent(post.db, post.council, { messageId })
    return { messageId, actionId: sent!.actions[0]!.id }
  }
  type Asked = Awaited<ReturnType<typeof bill>>
  const pay = (asked: Asked, actor = post.rosa) =>
    startPayment(post.db, actor, { ...asked, returnUrl: 'https://post.example/back', language: 'en' }, reach, now)
  const stateOf = async ({ messageId }: Asked) => (await findSent(post.db, post.council, { messageId }))[0]!.actions[0]!.state
  const idOf = (page: string | undefined) => page!.split('/').at(-1)!
  const tell = (id: string, signature?: string) => {
    const body = Buffer.from(JSON.stringify(standIn.message(standIn.find(id)!, 'https://pages.example', now)))
    return takePayWebhook(post.db, { accountId, signature: signature ?? signBody(webhookSecret, body), body }, reach, now)
  }
  const eventsOf = async ({ messageId }: Asked) =>
    (await readEvents(post.db, [post.serviceId], '0', 500))
      .filter((event) => event.messageId === messageId && event.action)
      .map(({ action }) => action!.state)

  test('leads to a page of the provider, and is done when the provider says so, once', async () => {
    const asked = await bill('paid')
    const seen = [await readState(post.db, post.rosa)]
    const id = idOf(await pay(asked))
    seen.push(await readState(post.db, post.rosa))
    assert.equal(await stateOf(asked), 'started')
    const { description, reference, amount } = standIn.find(id)!
    assert.deepEqual(
      { description, reference, amount },
      { description: 'Council tax, Northfold Council', reference: 'bill paid', amount: 12_000 },
    )
    standIn.end(id, 'success')
    await Promise.all([tell(id), tell(id), checkPayment(post.db, post.rosa, asked, reach, now)])
    assert.equal(await stateOf(asked), 'done')
    assert.deepEqual(await eventsOf(asked), ['started', 'done'])
    seen.push(await readState(post.db, post.rosa))
    assert.equal(new Set(seen).size, 3, 'open windows are told of each')
    assert.equal(await pay(asked), undefined, 'it cannot be paid again')
  })

  test('is one payment for two browsers that pay at once', async () => {
    const asked = await bill('two')
    const before = created
    const pages = await Promise.all([pay(asked), pay(asked), pay(asked)])
    assert.equal(new Set(pages).size, 1)
    assert.equal(created - before, 1)
    assert.deepEqual(await eventsOf(asked), ['started'])
  })

  test('can be tried again after it has failed, and a late word of the first changes nothing', async () => {
    const asked = await bill('again')
    const first = idOf(await pay(asked))
    standIn.end(first, 'cancelled')
    const second = idOf(await pay(asked))
    assert.notEqual(first, second)
    standIn.end(second, 'success')
    await tell(second)
    await tell(first)
    assert.equal(await stateOf(asked), 'done')
    assert.deepEqual(await eventsOf(asked), ['started', 'failed', 'started', 'done'])
  })

  test('believes only what the account has signed, and tells nobody more', async () => {
    const asked = await bill('forged')
    const id = idOf(await pay(asked))
    standIn.end(id, 'success')
    for (const signature of ['', '00', signBody('another-secret', Buffer.from('{}'))])
      await assert.rejects(tell(id, signature), refuses('not-found'))
    const body = Buffer.from('{"resource_type":"refund"}')
    await takePayWebhook(post.db, { accountId, signature: signBody(webhookSecret, body), body }, reach, now)
    assert.equal(await stateOf(asked), 'started')
  })

  test('takes nothing where the provider cannot be reached, and goes on later', async () => {
    const asked = await bill('down')
    isDown = true
    await assert.rejects(pay(asked), refuses('unavailable'))
    isDown = false
    assert.equal(await stateOf(asked), 'open')
    assert.ok(await pay(asked))
  })

  test('tells the sender also where the letter was erased meanwhile', async () => {
    const asked = await bill('erased')
    const id = idOf(await pay(asked))
    await post.owner`update message set folder = 'bin', erased_at = ${now} where id = ${asked.messageId}`
    standIn.end(id, 'success')
    await tell(id)
    assert.deepEqual(await eventsOf(asked), ['started', 'done'])
  })

  test('is nobody else’s to pay or to ask about', async () => {
    const asked = await bill('others')
    await pay(asked)
    await assert.rejects(pay(asked, post.arthur), refuses('not-found'))
    await checkPayment(post.db, post.arthur, asked, reach, now)
    assert.equal(await stateOf(asked), 'started')
  })

  test('needs an account: without it nothing new asks for a payment', async () => {
    await removePayAccount(post.db, { serviceId: post.serviceId })
    await assert.rejects(bill('none'), refuses('payments-not-set-up'))
  })
})
