import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../test/server.ts'
import { patienceMs } from '../test/until.ts'

test('the program stops when what is under way is answered, and not when whoever asked hangs up', async () => {
  const server = await startServer()
  const { port } = new URL(server.baseUrl)
  const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1')
  const body = 'grant_type=client_credentials'
  socket.write(
    `POST /oauth/token HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  )
  // Its handler waits for the rest.
  await once(server.app.server, 'request')
  const stopped = server.stop()
  await sleep(200)
  const answered = once(socket, 'data')
  socket.write(body.slice(5))
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 40/)
  const outcome = await Promise.race([stopped.then(() => 'stopped'), sleep(patienceMs, 'waits', { ref: false })])
  socket.destroy()
  await stopped
  assert.equal(outcome, 'stopped')
})

test('the program stops though a browser has opened a connection ahead of need, and asked nothing on it', async () => {
  const server = await startServer()
  const socket = connect(Number(new URL(server.baseUrl).port), '127.0.0.1')
  await Promise.all([once(server.app.server, 'connection'), once(socket, 'connect')])
  const stopped = server.stop()
  const outcome = await Promise.race([stopped.then(() => 'stopped'), sleep(patienceMs, 'waits', { ref: false })])
  socket.destroy()
  await stopped
  assert.equal(outcome, 'stopped')
})
