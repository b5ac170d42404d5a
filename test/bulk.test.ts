import assert from 'node:assert/strict'
import { request as requestHttp } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LineAnswer, sendLines } from '../src/api/client/send-lines.ts'
import { releaseAll } from '../src/delivery/release.ts'
import { actionKinds } from '../src/documents/action.ts'
import { startServer, type TestServer, takeToken } from './server.ts'

const letter = (reference: string, more: object = {}) =>
  `${JSON.stringify({
    reference,
    recipient: { scheme: 'link', value: 'CT-1002' },
    subject: 'Your council tax bill',
    content: [{ language: 'en', body: 'You can pay by Direct Debit, by card or at a post office.' }],
    ...more,
  })}\n`

const letters = (prefix: string, count: number) => Array.from({ length: count }, (_, place) => letter(`${prefix}-${place}`))

describe('sending in bulk', () => {
  let server: TestServer
  let token: string
  before(async () => {
    server = await startServer()
    token = await takeToken(server)
  })
  after(() => server.stop())

  const ask = async (method: string, address: string, body?: object, as = token) => {
    const headers = { authorization: `Bearer ${as}`, ...(body ? { 'content-type': 'application/json' } : {}) }
    const response = await fetch(`${server.baseUrl}${address}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await response.text()
    return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined, headers: response.headers }
  }
  const begin = async (reference: string, more: object = {}) => {
    const { status, json } = await ask('PUT', `/v1/batches/${reference}`, { service: 'council-tax', name: reference, ...more })
    assert.equal(status, 201, JSON.stringify(json))
    return json.id as string
  }
  const addressOf = (id: string, firstLine = 1) => `${server.baseUrl}/v1/batches/${id}/messages?firstLine=${firstLine}`
  const send = async (id: string, lines: Iterable<string | Buffer> | AsyncIterable<string | Buffer>, firstLine = 1) => {
    const answers: LineAnswer[] = []
    for await (const answer of sendLines(addressOf(id, firstLine), token, lines)) answers.push(answer)
    return answers
  }
  /** What there is, behind the program's back: of each kind, once for each letter. */
  const countOf = async (prefix: string) => {
    const [counts] = await server.test.owner<{ ledger: number; message: number; events: number }[]>`
      select (select count(*)::int from ledger where reference like ${`${prefix}-%`}) as ledger,
             (select count(*)::int from message join ledger on ledger.message_id = message.id and ledger.mailbox_id = message.mailbox_id where reference like ${`${prefix}-%`}) as message,
             (select count(*)::int from event where reference like ${`${prefix}-%`} and type in ('message.accepted', 'message.available')) as events`
    return { ...counts! }
  }
  const once = (count: number) => ({ ledger: count, message: count, events: 2 * count })

  test('two thousand letters with bad lines among them: each line has its answer, in order, and the rest goes on', async () => {
    const id = await begin('two-thousand')
    const lines: (string | Buffer)[] = letters('two-thousand', 2_000)
    lines[10] = 'not JSON at all\n'
    lines[20] = '{"reference":"broken-20","subject":\n'
    lines[30] = letter('two-thousand-30', { recipient: { scheme: 'link', value: 'CT-0' } })
    lines[40] = letter('two-thousand-40', { subject: 'Two\nlines' })
    lines[50] = `{"reference":"long-50","subject":"${'x'.repeat(5_000_000)}"}\n`
    lines[60] = '\n'
    lines[70] = Buffer.from([...Buffer.from('{"reference":"'), 0xff, ...Buffer.from('"}\n')])
    const answers = await send(id, [...lines.slice(0, 1_999), String(lines[1_999]).trimEnd()])
    assert.deepEqual(
      answers.map(({ line }) => line),
      Array.from({ length: 2_000 }, (_, place) => place + 1).filter((line) => line !== 61),
    )
    const refused = answers.filter(({ problem }) => problem)
    assert.deepEqual(
      refused.map(({ line, reference, problem }) => [line, reference, problem!.code]),
      [
        [11, undefined, 'not-json'],
        [21, 'broken-20', 'not-json'],
        [31, 'two-thousand-30', 'recipient-not-found'],
        [41, 'two-thousand-40', 'body-invalid'],
        [51, 'long-50', 'line-too-long'],
        [71, undefined, 'not-json'],
      ],
    )
    assert.deepEqual(
      refused[3]!.problem!.errors!.map(({ field }) => field),
      ['/subject'],
    )
    assert.deepEqual(await countOf('two-thousand'), once(1_993))
    const { json } = await ask('GET', `/v1/batches/${id}`)
    assert.equal(json.accepted, 1_993)
    assert.equal(json.refused, 6)
    assert.deepEqual(json.progress, { held: 0, available: 1_993, opened: 0, answered: 0, recalled: 0, failed: 0 })
    assert.deepEqual(
      json.refusedBy.find(({ code }: { code: string }) => code === 'not-json'),
      { code: 'not-json', count: 3 },
    )
    const errors = await ask('GET', `/v1/batches/${id}/errors`)
    assert.match(errors.headers.get('content-type')!, /^text\/csv/)
    assert.equal(errors.text.trim().split('\r\n').length, 7)
    assert.match(errors.text, /^31,two-thousand-30,recipient-not-found,other-channel,/m)
    // Mended and sent again, it is no error any more.
    const [mended] = await send(id, [letter('two-thousand-40')], 41)
    assert.equal(mended!.state, 'available')
    assert.equal((await ask('GET', `/v1/batches/${id}`)).json.refused, 5)
  })

  test('what is wrong with a field is answered in a sentence, and kept with a code, by which pages say it in other languages', async () => {
    const id = await begin('fields')
    const file = (more: object) => ({
      documents: [{ role: 'main', files: [{ filename: 'a.txt', mediaType: 'text/plain', ...more }] }],
    })
    const action = (more: object) => ({ actions: [{ kind: 'confirm', label: { en: 'Confirm' }, ...more }] })
    const wrong: [more: object, field: string, message: string, fault: object][] = [
      [{ subject: undefined }, '/subject', 'This is needed.', { code: 'needed' }],
      [{ subject: '' }, '/subject', 'This must not be empty.', { code: 'empty' }],
      [{ subject: 'Two\nlines' }, '/subject', 'This has a form or a character that is not allowed here.', { code: 'pattern' }],
      [{ subject: 'x'.repeat(257) }, '/subject', 'This must have 256 characters or fewer.', { code: 'maxLength', limit: 256 }],
      [{ 'to/whom': 1 }, '/to~1whom', 'There is no such field.', { code: 'unknown' }],
      [{ actions: 'none' }, '/actions', 'This must be a list.', { code: 'type-array' }],
      [{ answers: 'one' }, '/answers', 'This must be a UUID.', { code: 'format-uuid' }],
      [
        { documents: Array(21).fill(file({ content: 'aGVsbG8=' }).documents[0]) },
        '/documents',
        'This must have 20 entries or fewer.',
        { code: 'maxItems', limit: 20 },
      ],
      [
        file({ content: 'aGVsbG8=', upload: '01a20931-4de4-74b1-9b9c-593ca10ca006' }),
        '/documents/0/files/0',
        'This must be given in one of its ways, and in one only.',
        { code: 'oneOf' },
      ],
      [file({ content: '' }), '/documents/0/files/0/content', 'The file is empty.', { code: 'file-empty' }],
      [action({ document: 20 }), '/actions/0/document', 'This must be 19 or less.', { code: 'maximum', limit: 19 }],
      [
        action({ kind: 'none' }),
        '/actions/0/kind',
        'This must be "pay", "book", "sign", "confirm", "prepare", "self-service", "information" or "sign-up".',
        { code: 'enum', allowed: actionKinds.map((kind) => JSON.stringify(kind)) },
      ],
      [
        action({ amount: 1 }),
        '/actions/0/amount',
        'Only an action of the kind pay has an amount.',
        { code: 'action-amount-unfit' },
      ],
      [
        action({ url: 'https://not-registered.example/' }),
        '/actions/0/url',
        'The address of an action begins with https:// and leads to a site that your organisation has registered.',
        { code: 'action-address-not-allowed' },
      ],
      [{ recipient: { scheme: 'link', value: ' ' } }, '/recipient/value', 'This is empty.', { code: 'identifier-empty' }],
      [
        { recipient: { scheme: 'nino', value: 'X' } },
        '/recipient/value',
        'This does not have the form of a National Insurance number.',
        { code: 'identifier-form', scheme: 'nino' },
      ],
    ]
    const answers = await send(
      id,
      wrong.map(([more], place) => letter(`fields-${place}`, more)),
    )
    assert.deepEqual(
      answers.map(({ problem }) => problem?.errors),
      wrong.map(([, field, message]) => [{ field, message }]),
    )
    const kept = await server.test.owner`select fields from batch_error where batch_id = ${id} order by line`
    assert.deepEqual(
      kept.map(({ fields }) => fields),
      wrong.map(([, field, message, fault]) => [{ field, message, fault }]),
    )
    const { text } = await ask('GET', `/v1/batches/${id}/errors`)
    assert.match(text, /^2,fields-1,body-invalid,fix,[^,]*,\/subject: This must not be empty\.\r$/m)
  })

  test('cut in the middle and sent again: each letter once, with the answer that it had', async () => {
    const id = await begin('cut')
    const lines = letters('cut', 1_500)
    const first: LineAnswer[] = []
    const reading = sendLines(addressOf(id), token, lines)
    for await (const answer of reading) {
      first.push(answer)
      if (first.length === 600) break
    }
    const again = await send(id, lines)
    assert.equal(again.length, 1_500)
    assert.deepEqual(again.slice(0, 600), first)
    assert.deepEqual(await countOf('cut'), once(1_500))
    assert.equal((await ask('GET', `/v1/batches/${id}`)).json.accepted, 1_500)
  })

  test('a line that a break cuts off is not taken, though what came of it could be read', async () => {
    const id = await begin('cut-off')
    const request = requestHttp(addressOf(id), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    })
    request.on('error', () => {})
    request.write(letter('cut-off-1') + letter('cut-off-2').trimEnd())
    const [response] = await new Promise<[import('node:http').IncomingMessage]>((resolve) =>
      request.once('response', (answer) => resolve([answer])),
    )
    await new Promise((resolve) => response.once('data', resolve))
    request.destroy()
    await sleep(300)
    assert.deepEqual(await countOf('cut-off'), once(1))
  })

  test('the same batch by two streams at once: each letter once', async () => {
    const id = await begin('both')
    const lines = letters('both', 1_000)
    const [one, other] = await Promise.all([send(id, lines), send(id, [...lines].reverse())])
    const idsOf = (answers: LineAnswer[]) => new Map(answers.map((answer) => [answer.reference, answer.id]))
    assert.deepEqual([...idsOf(one)].sort(), [...idsOf(other)].sort())
    assert.deepEqual(await countOf('both'), once(1_000))
    assert.equal((await ask('GET', `/v1/batches/${id}`)).json.accepted, 1_000)
  })

  test('a sender who waits for each answer gets it', async () => {
    const id = await begin('one-by-one')
    const turns = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
    async function* lines() {
      for (const [place, turn] of turns.entries()) {
        yield letter(`one-by-one-${place}`)
        await turn.promise
      }
    }
    const seen: number[] = []
    for await (const { line } of sendLines(addressOf(id), token, lines())) {
      seen.push(line)
      turns[line - 1]!.resolve()
    }
    assert.deepEqual(seen, [1, 2, 3])
  })

  test('a sender who does not read the answers is read no further', async () => {
    const id = await begin('deaf')
    const request = requestHttp(addressOf(id), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    })
    request.on('error', () => {})
    request.on('response', (response) => response.pause())
    const accepted = async () => (await ask('GET', `/v1/batches/${id}`)).json.accepted as number
    // Lines that are refused cost nothing to answer, and their answers are long.
    const bad =
      `${JSON.stringify({ reference: 'deaf', more: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [n, n])), content: 5 })}\n`.repeat(
        100,
      )
    let sent = 0
    const isFull = async () => {
      for (let still = 0; still < 5; still += 1) {
        const before = sent
        while (request.write(bad)) sent += 100
        await sleep(100)
        if (sent > before) still = 0
        if (sent > 100_000) return false
      }
      return true
    }
    assert.equal(await isFull(), true)
    assert.equal(await accepted(), 0)
    request.destroy()
  })

  test('a paused batch takes no line until it is resumed, and one that is over none at all', async () => {
    const id = await begin('paused')
    assert.equal((await ask('PATCH', `/v1/batches/${id}`, { change: 'pause' })).json.state, 'paused')
    const codes = async () => (await send(id, letters('paused', 3))).map(({ problem, state }) => problem?.code ?? state)
    assert.deepEqual(await codes(), Array(3).fill('batch-paused'))
    assert.equal((await ask('GET', `/v1/batches/${id}`)).json.refused, 0)
    assert.equal((await ask('PATCH', `/v1/batches/${id}`, { change: 'resume' })).json.state, 'open')
    assert.deepEqual(await codes(), Array(3).fill('available'))
    assert.equal((await ask('PATCH', `/v1/batches/${id}`, { change: 'close' })).json.state, 'closed')
    assert.equal((await ask('PATCH', `/v1/batches/${id}`, { change: 'resume' })).status, 409)
    assert.deepEqual(await codes(), Array(3).fill('available'), 'what was accepted has the same answer')
    assert.deepEqual(
      (await send(id, letters('late', 1))).map(({ problem }) => problem?.code),
      ['batch-over'],
    )
    assert.deepEqual(await countOf('late'), once(0))
  })

  test('nothing is accepted after a pause was answered, also while lines stream', async () => {
    const id = await begin('streaming')
    const sending = send(id, letters('streaming', 3_000))
    while ((await ask('GET', `/v1/batches/${id}`)).json.accepted === 0) await sleep(5)
    await ask('PATCH', `/v1/batches/${id}`, { change: 'pause' })
    const { json } = await ask('GET', `/v1/batches/${id}`)
    const answers = await sending
    assert.equal(answers.filter(({ state }) => state).length, json.accepted)
    assert.equal((await ask('GET', `/v1/batches/${id}`)).json.accepted, json.accepted)
    assert.deepEqual(await countOf('streaming'), once(json.accepted))
  })

  test('letters may ask for something, and have files, as by themselves', async () => {
    const id = await begin('whole')
    const files = [{ filename: 'notes.txt', mediaType: 'text/plain', content: Buffer.from('Notes').toString('base64') }]
    const whole = {
      documents: [{ role: 'additional', files }],
      actions: [{ kind: 'confirm', label: { en: 'Confirm your address' } }],
    }
    const answers = await send(id, [letter('whole-0', whole), letter('whole-1')])
    assert.deepEqual(
      answers.map(({ problem, state }) => problem ?? state),
      ['available', 'available'],
    )
    assert.deepEqual(await countOf('whole'), once(2))
  })

  test('begun again it is the same batch; with another name it is refused', async () => {
    const id = await begin('again')
    const same = await ask('PUT', '/v1/batches/again', { service: 'council-tax', name: 'again' })
    assert.deepEqual([same.status, same.json.id], [200, id])
    assert.equal((await ask('PUT', '/v1/batches/again', { service: 'council-tax', name: 'other' })).status, 409)
    const { json } = await ask('GET', '/v1/batches?service=council-tax&limit=1')
    assert.deepEqual(
      json.batches.map((batch: { id: string }) => batch.id),
      [id],
    )
  })

  test('held, its letters are accepted and not there, and its sender sees how many wait and what was decided', async () => {
    const id = await begin('held', { hold: true })
    const answers = await send(id, letters('held', 3))
    assert.deepEqual(
      answers.map(({ state }) => state),
      ['accepted', 'accepted', 'accepted'],
    )
    const { pendingBecause } = (await ask('GET', `/v1/messages/${answers[0]!.id}`)).json
    assert.equal(pendingBecause, 'It waits for somebody to release what it was sent with.')
    assert.deepEqual(await countOf('held'), { ledger: 3, message: 0, events: 3 })
    const stateNow = async () => {
      const { hold, stage, progress } = (await ask('GET', `/v1/batches/${id}`)).json
      return { hold, stage, held: progress.held, available: progress.available, recalled: progress.recalled }
    }
    assert.deepEqual(await stateNow(), { hold: true, stage: 'held', held: 3, available: 0, recalled: 0 })
    assert.equal((await ask('PUT', '/v1/batches/held', { service: 'council-tax', name: 'held' })).json.stage, 'held')
    assert.equal((await ask('GET', '/v1/batches?limit=1')).json.batches[0].stage, 'held')
    // That staff release it is no part of the API: their pages do.
    await server.test.owner`
      insert into batch_decision (sender_id, batch_id, decision, decided_at, decided_by_name, doer)
      select sender_id, id, 'release', ${new Date()}, 'Mel Placeholder', '{}' from batch where id = ${id}`
    assert.equal((await stateNow()).stage, 'releasing')
    await releaseAll(server.test.database, () => new Date())
    assert.deepEqual(await stateNow(), { hold: true, stage: 'released', held: 0, available: 3, recalled: 0 })
    assert.deepEqual(await countOf('held'), once(3))
  })

  test('begun without a hold, it is not held by being begun again with one', async () => {
    await begin('free')
    const { status, json } = await ask('PUT', '/v1/batches/free', { service: 'council-tax', name: 'free', hold: true })
    assert.deepEqual([status, json.code], [409, 'reference-used'])
  })

  test('another’s batch is not there', async () => {
    const id = await begin('ours')
    const pension = await takeToken(server, 'demo-other').catch(() => undefined)
    assert.ok(pension, 'the demo has a system of another public body')
    for (const [method, address, body] of [
      ['GET', `/v1/batches/${id}`],
      ['GET', `/v1/batches/${id}/errors`],
      ['PATCH', `/v1/batches/${id}`, { change: 'stop' }],
    ] as const) {
      assert.equal((await ask(method, address, body, pension)).status, 404, `${method} ${address}`)
    }
    await assert.rejects(async () => {
      for await (const _ of sendLines(addressOf(id), pension, [letter('theirs')]));
    }, /nothing here/)
  })
})

describe('limits of sending in bulk', () => {
  let server: TestServer
  let token: string
  before(async () => {
    server = await startServer({ LETTERS_PER_DAY: '50', LETTERS_PER_SECOND: '40' })
    token = await takeToken(server)
  })
  after(() => server.stop())

  test('a stream is slowed to its rate, each line over the day’s number is told so, and a single letter when to come again', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ service: 'council-tax', name: 'limited' })
    const response = await fetch(`${server.baseUrl}/v1/batches/limited`, { method: 'PUT', headers, body })
    const { id } = (await response.json()) as { id: string }
    const send = async () => {
      const answers: LineAnswer[] = []
      const address = `${server.baseUrl}/v1/batches/${id}/messages`
      for await (const answer of sendLines(address, token, letters('limited', 60))) answers.push(answer)
      return answers.map(({ state, problem }) => state ?? problem!.code)
    }
    const expected = [...Array(45).fill('available'), ...Array(15).fill('letters-of-day-used')]
    assert.deepEqual(await send(), expected)
    const began = performance.now()
    assert.deepEqual(await send(), expected, 'what was accepted has the same answer')
    assert.ok(performance.now() - began > 300, 'sixty lines were more than a second’s worth')
    const sendOne = (reference: string) => {
      const body = JSON.stringify({ service: 'council-tax', ...JSON.parse(letter(reference)) })
      return fetch(`${server.baseUrl}/v1/messages`, { method: 'POST', headers, body })
    }
    // Right after more than its rate and its day allow in bulk: what is left to single letters is theirs.
    for (let count = 0; count < 4; count += 1) assert.equal((await sendOne(`single-${count}`)).status, 201)
    await sleep(1_600)
    assert.equal((await sendOne('single-last')).status, 201)
    const single = await sendOne('one more')
    assert.equal(single.status, 429)
    assert.equal(((await single.json()) as { code: string }).code, 'letters-of-day-used')
    assert.ok(Number(single.headers.get('retry-after')) > 0)
    const urgent = JSON.stringify({ service: 'council-tax', ...JSON.parse(letter('one more')), lane: 'urgent' })
    const refused = await fetch(`${server.baseUrl}/v1/messages`, { method: 'POST', headers, body: urgent })
    assert.equal(((await refused.json()) as { code: string }).code, 'urgent-not-allowed')
  })
})
