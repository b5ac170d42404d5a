import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type Config, readConfig } from '../config.ts'
import { within } from '../database/scope.ts'
import { contactOptions } from './contact-detail.ts'
import type { Template } from './message-texts.ts'
import { openNotifyStandIn } from './notify-stand-in.ts'
import { openChannels } from './open-channels.ts'
import { putOutgoing } from './outgoing.ts'
import { sendOutgoing } from './send-outgoing.ts'

/** The stand-in at an address of its own, whose answers a test may replace. */
async function startNotify(config: () => Config, clock: () => Date) {
  let fails: number | 'hang-up-after' | undefined
  let standIn: ReturnType<typeof openNotifyStandIn>
  const asked: string[] = []
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    asked.push(`${request.method} ${request.url}`)
    const url = new URL(request.url!, 'http://notify')
    const send = ({ status, body }: { status: number; body: object }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const refused = await standIn.refuse(request.headers.authorization, clock())
    if (refused) return send(refused)
    if (request.method === 'GET') return send(standIn.find(url.searchParams.get('reference') ?? undefined))
    if (typeof fails === 'number')
      return send({ status: fails, body: { errors: [{ error: 'SomeError', message: 'to rosa@mail.example' }] } })
    const answer = standIn.send(
      url.pathname.endsWith('/sms') ? 'mobile' : 'email',
      JSON.parse(Buffer.concat(chunks).toString()),
      clock(),
    )
    if (fails === 'hang-up-after') return request.socket.destroy()
    return send(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    asked,
    open: () => {
      standIn = openNotifyStandIn(config())
    },
    delivered: () => standIn.delivered(),
    fail: (how: typeof fails) => {
      fails = how
    },
    stop: () => server.close(),
  }
}

/** A mail server of a few lines: it takes what is for mail.example, and refuses what is for full.example. */
async function startMailServer() {
  const taken: string[] = []
  const talk = (socket: Socket) => {
    let data: string | undefined
    let rest = ''
    socket.on('error', () => {})
    socket.write('220 mail.example\r\n')
    socket.on('data', (chunk) => {
      rest += chunk.toString()
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (data !== undefined) {
          if (line !== '.') data += `${line}\n`
          else {
            taken.push(data)
            data = undefined
            socket.write('250 OK\r\n')
          }
        } else if (/^DATA/i.test(line)) {
          data = ''
          socket.write('354 Go on\r\n')
        } else
          socket.write(/^RCPT TO:.*full\.example/i.test(line) ? '550 No\r\n' : /^QUIT/i.test(line) ? '221 Bye\r\n' : '250 OK\r\n')
      }
    })
  }
  const server = createTcpServer(talk).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, taken, stop: () => server.close() }
}

describe('what goes out', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const clock = () => now.at
  let test_: TestDatabase
  let notify: Awaited<ReturnType<typeof startNotify>>
  let mail: Awaited<ReturnType<typeof startMailServer>>
  let config: Config
  let rosa: string
  before(async () => {
    test_ = await createTestDatabase()
    notify = await startNotify(() => config, clock)
    mail = await startMailServer()
    config = readConfig({ DEMO: 'true' })
    config = { ...config, alerts: { smtp: undefined, notify: { ...config.alerts.notify!, url: notify.url } } }
    notify.open()
  })
  after(async () => {
    notify.stop()
    mail.stop()
    await test_.drop()
  })
  beforeEach(async () => {
    rosa = newId()
    notify.fail(undefined)
    notify.asked.length = 0
    await test_.owner`insert into party (id, kind, name) values (${rosa}, 'person', 'Rosa Example')`
  })

  const put = (template: Template, to: string, minutes = 15) => {
    const { keys } = contactOptions(config)
    const endsAt = new Date(now.at.getTime() + minutes * 60_000)
    const values = { code: '123456', service: 'Digital Post', link: 'https://post.example/x' }
    const message = { partyId: rosa, template, language: 'cy', to, values, endsAt } as const
    return within(test_.database, { party: rosa }, (sql) => putOutgoing(sql, keys, message, now.at))
  }
  const send = (by = config) => {
    const { keys } = contactOptions(config)
    return sendOutgoing(test_.database, { keys, channels: openChannels(by), clock, signal: new AbortController().signal })
  }
  type Row = {
    id: string
    isSent: boolean
    isFailed: boolean
    isKept: boolean
    tries: number
    failure: string | null
    dueAt: Date
  }
  const read = async () => {
    const [row] = await test_.owner<Row[]>`
      select id, sent_at is not null as is_sent, failed_at is not null as is_failed, payload_sealed is not null as is_kept, tries, failure, due_at
      from outgoing where party_id = ${rosa}`
    return row!
  }
  const wait = (seconds: number) => {
    now.at = new Date(now.at.getTime() + seconds * 1_000)
  }

  test('goes by GOV.UK Notify, once, in the language asked for, and nothing personal is kept of it', async () => {
    await put('confirm-email', 'rosa@mail.example')
    const counts = await Promise.all([send(), send(), send()])
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1,
    )
    const [message] = notify.delivered()
    assert.deepEqual([message!.to, message!.kind, message!.subject], ['rosa@mail.example', 'email', 'Eich cod yw 123456'])
    const row = await read()
    assert.deepEqual([row.isSent, row.isKept, row.failure, message!.reference], [true, false, null, row.id])
    assert.equal(await send(), 0)
    await put('confirm-mobile', '+447700900123')
    await send()
    assert.match(notify.delivered()[0]!.body, /^123456 yw eich cod/)
  })

  test('is tried again, later each time, where Notify cannot take it now', async () => {
    await put('confirm-email', 'rosa@mail.example')
    for (const [status, pause] of [
      [503, 5],
      [429, 10],
      [403, 20],
    ] as const) {
      notify.fail(status)
      assert.equal(await send(), 1)
      const { failure, dueAt, isFailed } = await read()
      assert.deepEqual([failure, isFailed], [`Notify answered ${status} SomeError`, false])
      assert.equal(dueAt.getTime() - now.at.getTime(), pause * 1_000)
      assert.equal(await send(), 0, 'not before')
      wait(pause)
    }
    notify.fail(undefined)
    await send()
    assert.deepEqual([(await read()).isSent, (await read()).tries], [true, 4])
  })

  test('is given up where the address is wrong, and where its time is over', async () => {
    notify.fail(400)
    await put('confirm-email', 'rosa@mail.example')
    await send()
    const row = await read()
    assert.deepEqual([row.isFailed, row.isKept, row.failure], [true, false, 'Notify answered 400 SomeError'])
    await test_.owner`delete from outgoing`
    notify.fail(503)
    await put('confirm-email', 'rosa@mail.example', 1)
    await send()
    wait(61)
    assert.equal(await send(), 0)
    assert.deepEqual([(await read()).isFailed, (await read()).isKept], [true, false])
  })

  test('is not sent twice where Notify took it and the answer was lost', async () => {
    await put('confirm-email', 'rosa@mail.example')
    const before = notify.delivered().length
    notify.fail('hang-up-after')
    await send()
    assert.match((await read()).failure!, /^Notify could not be reached/)
    notify.fail(undefined)
    wait(5)
    await send()
    assert.equal((await read()).isSent, true)
    assert.equal(notify.delivered().length, before + 1)
    assert.deepEqual(
      notify.asked.map((each) => each.split('?')[0]),
      ['POST /v2/notifications/email', 'GET /v2/notifications'],
    )
  })

  test('is taken up by another where a program was killed while it sent', async () => {
    await put('confirm-email', 'rosa@mail.example')
    await test_.owner`update outgoing set leased_until = ${new Date(now.at.getTime() + 30_000)}, tries = 1`
    assert.equal(await send(), 0)
    wait(31)
    assert.equal(await send(), 1)
    assert.equal((await read()).isSent, true)
  })

  test('goes by a mail server where one is configured; SMS waits for Notify', async () => {
    const bySmtp = { ...config, alerts: { notify: undefined, smtp: { url: mail.url, from: 'Digital Post <post@post.example>' } } }
    await put('confirm-mobile', '+447700900123')
    assert.equal(await send(bySmtp), 0)
    await test_.owner`delete from outgoing`
    await put('confirm-email', 'rosa@mail.example')
    assert.equal(await send(bySmtp), 1)
    const { id, isSent } = await read()
    assert.ok(isSent)
    const [text] = mail.taken
    assert.match(text!, /^From: Digital Post <post@post\.example>$/m)
    assert.match(text!, /^To: rosa@mail\.example$/m)
    assert.match(text!, /^Subject: Eich cod yw 123456$/m)
    assert.match(text!, new RegExp(`^Message-ID: <${id}@post\\.example>$`, 'm'))
    await test_.owner`delete from outgoing`
    await put('confirm-email', 'rosa@full.example')
    await send(bySmtp)
    const { isFailed, failure } = await read()
    assert.deepEqual([isFailed, failure], [true, 'The mail server did not take it (EENVELOPE 550).'])
    mail.stop()
    await test_.owner`delete from outgoing`
    await put('confirm-email', 'rosa@mail.example')
    const nowhere = { ...bySmtp, alerts: { ...bySmtp.alerts, smtp: { ...bySmtp.alerts.smtp, url: 'smtp://127.0.0.1:1' } } }
    await send(nowhere)
    assert.match((await read()).failure!, /ECONNREFUSED|ESOCKET|ECONNECTION/)
  })

  test('needs every template to be named at Notify', () => {
    const named = { ...config.alerts.notify!, templates: { 'confirm-email.en': newId() } }
    assert.throws(
      () => openChannels({ ...config, alerts: { smtp: undefined, notify: named } }),
      /NOTIFY_TEMPLATES.*confirm-email\.cy/,
    )
  })
})
