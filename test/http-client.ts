import { connect } from 'node:net'

export type Connection = { send: (body?: string) => Promise<number>; close: () => void }

/**
 * A connection that sends the same kind of request again and again, one at a time, and reads of an answer its status and its
 * length. For measuring: the client runs on the cores that it measures, and a client of more comfort takes a quarter of them.
 */
export function openConnection(url: string, method: string, headers: Record<string, string>): Connection {
  const { hostname, port, host, pathname, search } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}`
  const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1')
  let waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined
  let answer = ''
  let status = 0
  /** Bytes of the body that are still to come. */
  let missing = 0

  socket.on('data', (chunk: string) => {
    if (missing > 0) missing -= chunk.length
    else {
      answer += chunk
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      status = Number(answer.slice(9, 12))
      missing = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0) - (answer.length - end - 4)
      answer = ''
    }
    if (missing === 0) waiting?.resolve(status)
  })
  const fail = () => waiting?.reject(new Error('the connection ended'))
  socket.on('error', fail).on('close', fail)

  return {
    send: (body = '') => {
      waiting = Promise.withResolvers<number>()
      const { promise } = waiting as PromiseWithResolvers<number>
      socket.write(body === '' ? `${head}\r\n` : `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      return promise
    },
    close: () => socket.destroy(),
  }
}
