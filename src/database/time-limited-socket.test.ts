import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { connect as connectDatabase, type Db } from './connect.ts'
import { within } from './scope.ts'

/** Far longer than an answer takes, or a new connection. */
const limitMs = 1_500

/** Stands between the program and its database, and goes silent when it is told to. */
async function startSilence(test_: TestDatabase): Promise<{ url: string; silence: { isOn: boolean }; server: Server }> {
  const real = new URL(test_.url)
  const silence = { isOn: false }
  const server = createServer((inside) => {
    const host = real.searchParams.get('host')
    const outside = host ? connect(`${host}/.s.PGSQL.5432`) : connect(Number(real.port || 5432), real.hostname)
    inside.on('data', (bytes) => void (silence.isOn || outside.write(bytes)))
    outside.on('data', (bytes) => void (silence.isOn || inside.write(bytes)))
    for (const [one, other] of [[inside, outside] as const, [outside, inside] as const]) {
      one.on('close', () => other.destroy())
      one.on('error', () => {})
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(real)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  url.searchParams.delete('host')
  return { url: url.href, silence, server }
}

describe('a connection to a database that has gone silent', () => {
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  test('is given up after its limit, and the next query has a new one', async () => {
    const { url, silence, server } = await startSilence(test_)
    const database = connectDatabase(url, 1, {}, limitMs)
    try {
      assert.equal((await database`select 1 as one`)[0]!.one, 1)
      silence.isOn = true
      await assert.rejects(database`select 2 as two`, { code: 'CONNECTION_CLOSED' })
      silence.isOn = false
      assert.equal((await database`select 3 as three`)[0]!.three, 3)
    } finally {
      await database.end({ timeout: 1 })
      server.close()
    }
  })

  test('is kept while nothing is asked of it, and while a long answer comes', async () => {
    const { url, server } = await startSilence(test_)
    const database = connectDatabase(url, 1, {}, limitMs)
    try {
      const pid = async () => (await database`select pg_backend_pid() as pid`)[0]!.pid
      const first = await pid()
      await new Promise((resolve) => setTimeout(resolve, limitMs + 300))
      await database`select repeat('x', 5000000)`
      assert.equal(await pid(), first)
    } finally {
      await database.end({ timeout: 1 })
      server.close()
    }
  })

  test('in the middle of a transaction fails it, in one within it too, and the program goes on', async () => {
    const { url, silence, server } = await startSilence(test_)
    const database = connectDatabase(url, 1, {}, limitMs)
    const ask = (sql: Db) => sql`select 2 as two`
    try {
      for (const work of [ask, (sql: Db) => within(sql, {}, ask)]) {
        const failing = within(database, {}, async (sql) => {
          await sql`select 1`
          silence.isOn = true
          return work(sql)
        })
        await assert.rejects(failing, { code: 'CONNECTION_CLOSED' })
        silence.isOn = false
        // By then, whatever the driver still meant to write has been written.
        await new Promise((resolve) => setTimeout(resolve, 50))
        assert.equal((await database`select 3 as three`)[0]!.three, 3)
      }
    } finally {
      await database.end({ timeout: 1 })
      server.close()
    }
  })

  test('that is not there is told so at once', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    const database = connectDatabase(`postgres://nobody@127.0.0.1:${port}/nothing`, 1)
    await assert.rejects(database`select 1`, { code: 'ECONNREFUSED' })
    await database.end({ timeout: 1 })
  })
})
