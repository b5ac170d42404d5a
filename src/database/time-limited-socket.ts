import { connect, type NetConnectOpts, type Socket } from 'node:net'

/**
 * A connection to PostgreSQL that gives itself up when something was asked of it and nothing has come for so long: the server's own
 * limits (connect.ts) do not help where the network, or the server's machine, has gone silent. Then who waits gets an error, and
 * the pool makes a new connection.
 */
export function openTimeLimited(address: NetConnectOpts, connectMs: number, answerMs: number): Socket {
  const socket = connect({ ...address, keepAlive: true, noDelay: true } as NetConnectOpts)
  const connecting = setTimeout(
    () => socket.destroy(Object.assign(new Error('the database does not answer'), { code: 'CONNECT_TIMEOUT' })),
    connectMs,
  )
  socket.once('connect', () => {
    clearTimeout(connecting)
    closeQuietly(socket)
  })
  socket.once('close', () => clearTimeout(connecting))
  if (answerMs === 0) return socket
  let waiting: NodeJS.Timeout | undefined
  const giveUp = () => socket.destroy()
  const write = socket.write.bind(socket)
  socket.write = ((...words: Parameters<typeof write>) => {
    waiting ??= setTimeout(giveUp, answerMs)
    return write(...words)
  }) as typeof socket.write
  socket.on('data', (bytes: Buffer) => {
    clearTimeout(waiting)
    waiting = isReady(bytes) ? undefined : setTimeout(giveUp, answerMs)
  })
  socket.on('close', () => clearTimeout(waiting))
  return socket
}

/**
 * The driver refuses what waits when a connection fails, and again when it has closed, unless it closed because it failed: a query that came
 * in between, which a caller's next try is, would wait for ever. So it is told of the closing only.
 */
function closeQuietly(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string, ...words: unknown[]) => boolean
  socket.emit = ((event: string, ...words: unknown[]) => {
    if (event === 'error') return true
    return event === 'close' ? emit('close', false) : emit(event, ...words)
  }) as typeof socket.emit
}

/**
 * ReadyForQuery (PostgreSQL's protocol, "Message Formats") ends every answer: nothing more is to come, until more is asked. So does the single
 * letter that answers whether the connection may be encrypted: what follows it then passes beneath this socket.
 */
function isReady(bytes: Buffer): boolean {
  if (bytes.length === 1) return true
  const at = bytes.length - 6
  return at >= 0 && bytes[at] === 0x5a && bytes.readInt32BE(at + 1) === 5
}
