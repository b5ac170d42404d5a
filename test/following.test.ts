import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { acceptOne } from '../src/delivery/accept.ts'
import { open } from '../src/mailbox/open.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { type Answer, callApi } from './call.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { signInRosa } from './signed-in.ts'

describe('what a sender’s system sees', () => {
  let server: TestServer
  let token: string
  let other: string
  const get = (path: string, as = token): Promise<Answer> => callApi(server, as, 'GET', path)
  const send = async (reference: string): Promise<{ id: string }> => {
    const letter = {
      reference,
      service: 'council-tax',
      recipient: { scheme: 'link', value: 'CT-1001' },
      subject: 'Your council tax',
      content: [{ language: 'en', body: 'Dear resident' }],
      reply: { allowed: true },
    }
    const { status, body } = await callApi(server, token, 'POST', '/v1/messages', letter)
    assert.equal(status, 201)
    return body
  }
  /** Rosa answers, as her pages would have it, with a file. */
  const answer = async (answersId: string, reference: string) => {
    const { database, owner } = server.test
    const { actor } = await signInRosa(database)
    const [service] = await owner<{ id: string }[]>`select id from service where slug = 'council-tax'`
    const file = { filename: 'note.txt', mediaType: 'text/plain', content: Buffer.from('A note').toString('base64') }
    const keys = deriveIdentifierKeys(server.config.secretKey)
    const said = {
      subject: 'Re: council tax',
      content: [{ language: 'en', body: 'I have a question.' }],
      reply: { allowed: true },
    }
    const documents = [{ role: 'additional' as const, files: [file] }]
    return acceptOne(database, keys, actor, { ...said, reference, serviceId: service!.id, answersId, documents }, new Date())
  }
  const openAsRosa = async (id: string) =>
    open(server.test.database, (await signInRosa(server.test.database)).actor, id, new Date())
  before(async () => {
    server = await startServer()
    token = await takeToken(server)
    other = await takeToken(server, 'demo-other')
  })
  after(() => server.stop())

  test('state and history follow the letter: accepted, available, opened, answered', async () => {
    const { id } = await send('history')
    const states = async () => (await get(`/v1/messages/${id}`)).body.history.map(({ state }: { state: string }) => state)
    assert.deepEqual(await states(), ['accepted', 'available'])
    await openAsRosa(id)
    assert.deepEqual(await states(), ['accepted', 'available', 'opened'])
    await answer(id, 'history-answer')
    assert.deepEqual(await states(), ['accepted', 'available', 'opened', 'answered'])
    const { body } = await get('/v1/messages?reference=history')
    assert.deepEqual(
      body.messages.map((message: { id: string; state: string }) => [message.id, message.state]),
      [[id, 'answered']],
    )
    assert.deepEqual((await get('/v1/messages?reference=never-sent')).body, { messages: [] })
  })

  test('events come in order, page by page, nothing missed and nothing twice', async () => {
    const start = (await get('/v1/events')).body.next
    const ids = [(await send('e-1')).id, (await send('e-2')).id]
    await openAsRosa(ids[0]!)
    const seen: [string, string][] = []
    for (let after = start; ; ) {
      const { body } = await get(`/v1/events?after=${after}&limit=2`)
      assert.ok(body.events.length <= 2)
      if (body.events.length === 0) break
      for (const event of body.events) {
        assert.deepEqual(Object.keys(event).sort(), ['at', 'id', 'messageId', 'reference', 'type'])
        seen.push([event.type, event.messageId])
      }
      after = body.next
    }
    assert.deepEqual(seen, [
      ['message.accepted', ids[0]],
      ['message.available', ids[0]],
      ['message.accepted', ids[1]],
      ['message.available', ids[1]],
      ['message.opened', ids[0]],
    ])
  })

  test('a system may wait for the next event, and is told as soon as there is one', async () => {
    const start = (await get('/v1/events')).body.next
    const began = Date.now()
    const waiting = get(`/v1/events?after=${start}&wait=20`)
    setTimeout(() => void send('waited-for'), 300)
    const { body } = await waiting
    assert.equal(body.events[0].reference, 'waited-for')
    assert.ok(Date.now() - began < 10_000)
    const empty = await get(`/v1/events?after=${(await get('/v1/events')).body.next}&wait=1`)
    assert.deepEqual(empty.body.events, [])
  })

  test('a cursor that is not ours is refused', async () => {
    for (const cursor of ['x', 'ZXZlbnRzIC0x', '%00']) {
      const { status, body } = await get(`/v1/events?after=${cursor}`)
      assert.deepEqual([status, body.code], [400, 'cursor-invalid'])
    }
  })

  test('another body’s letter and one that does not exist look the same: 404 with the same body', async () => {
    const { id } = await send('hidden')
    const answered = await answer(id, 'hidden-answer')
    const nobody = '01920000-0000-7000-8000-000000000000'
    for (const path of [
      (of: string) => `/v1/messages/${of}`,
      (of: string) => `/v1/inbox/${of}`,
      (of: string) => `/v1/inbox/${of}/files/${of}`,
    ]) {
      const missing = await get(path(nobody), other)
      assert.deepEqual([missing.status, missing.body.code], [404, 'not-found'])
      for (const theirs of [id, answered.messageId, 'not-a-uuid', `urn:uuid:${id}`]) {
        const hidden = await get(path(theirs), other)
        assert.deepEqual([hidden.status, hidden.body], [missing.status, missing.body])
      }
    }
    assert.equal((await callApi(server, other, 'POST', `/v1/inbox/${answered.messageId}/receipt`)).status, 404)
    assert.deepEqual((await get('/v1/messages?reference=hidden', other)).body, { messages: [] })
    const { body } = await get('/v1/events', other)
    assert.ok(!JSON.stringify(body).includes(id))
  })

  test('what people write is listed until it is taken over, with who wrote and their files', async () => {
    const { id } = await send('inbox')
    const { messageId } = await answer(id, 'inbox-answer')
    const listed = async (state = 'waiting') =>
      (await get(`/v1/inbox?state=${state}`)).body.messages.filter((message: { id: string }) => message.id === messageId)
    const [waiting] = await listed()
    assert.deepEqual(waiting.sender, { name: 'Rosa Example', identifier: { scheme: 'link', value: 'CT-1001' } })
    assert.deepEqual([waiting.answers, waiting.service, waiting.openedAt], [id, 'council-tax', null])

    const { body } = await get(waiting.links.self)
    assert.equal(body.content[0].body, 'I have a question.')
    const [file] = body.documents[0].files
    const bytes = await fetch(server.baseUrl + file.links.self, { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([bytes.headers.get('content-type'), await bytes.text()], ['application/octet-stream', 'A note'])

    const receipt = await callApi(server, token, 'POST', waiting.links.receipt)
    const again = await callApi(server, token, 'POST', waiting.links.receipt)
    assert.equal(receipt.status, 200)
    assert.deepEqual(again.body, receipt.body)
    assert.deepEqual(await listed(), [])
    assert.equal((await listed('all')).length, 1)
  })

  test('a service answers by the id of the message, without knowing an identifier', async () => {
    const { id } = await send('to-answer')
    const { messageId } = await answer(id, 'question')
    const reply = {
      reference: 'the-reply',
      service: 'council-tax',
      answers: messageId,
      subject: 'Re',
      content: [{ language: 'en', body: 'Yes.' }],
    }
    const { status, body } = await callApi(server, token, 'POST', '/v1/messages', reply)
    assert.deepEqual([status, body.threadId], [201, id])
    const misdirected = { ...reply, reference: 'misdirected', recipient: { scheme: 'link', value: 'CT-1002' } }
    assert.equal((await callApi(server, token, 'POST', '/v1/messages', misdirected)).body.code, 'answered-not-found')
  })

  test('a look-up says of up to 1,000 recipients, in order, who can be reached', async () => {
    const look = (recipients: unknown[]) => callApi(server, token, 'POST', '/v1/recipients/lookup', { recipients })
    const { body } = await look(['CT-1001', 'CT-9999', 'CT-2001'].map((value) => ({ scheme: 'link', value })))
    assert.deepEqual(
      body.recipients.map(({ reachable, reason, advice }: Record<string, unknown>) => [reachable, reason, advice]),
      [
        [true, null, null],
        [false, 'recipient-not-found', 'other-channel'],
        [true, null, null],
      ],
    )
    const many = (count: number) => look(Array.from({ length: count }, (_, index) => ({ scheme: 'link', value: `CT-${index}` })))
    assert.equal((await many(1_000)).body.recipients.length, 1_000)
    assert.equal((await many(10_001)).status, 400)
  })

  test('each address wants a token, and the scope that belongs to it', async () => {
    const routes: [method: string, path: string, scope: string][] = [
      ['POST', '/v1/messages', 'messages:write'],
      ['GET', '/v1/messages?reference=x', 'messages:read'],
      ['GET', '/v1/events', 'events:read'],
      ['GET', '/v1/inbox', 'inbox:read'],
      ['POST', '/v1/inbox/01920000-0000-7000-8000-000000000000/receipt', 'inbox:write'],
      ['POST', '/v1/recipients/lookup', 'recipients:read'],
    ]
    for (const [method, path, scope] of routes) {
      const call = (as?: string) => callApi(server, as, method, path, method === 'POST' ? {} : undefined)
      const [none, bad] = [await call(), await call('abc.def.ghi')]
      assert.deepEqual([none.status, none.body.code, none.headers.get('www-authenticate')], [401, 'token-missing', 'Bearer'])
      assert.deepEqual([bad.status, bad.body.code], [401, 'token-invalid'])
      const others = routes.map(([, , one]) => one).filter((one) => one !== scope)
      const wrong = await call(await takeToken(server, 'demo-sender', others.join(' ')))
      assert.deepEqual([wrong.status, wrong.body.code], [403, 'scope-missing'], path)
      const right = await call(await takeToken(server, 'demo-sender', scope))
      assert.ok(![401, 403].includes(right.status), path)
    }
  })
})
