import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  headers: IncomingHttpHeaders
  body: string
  event: { id: string; type: string; messageId: string; reference: string; at: string }
}

/** A service's receiver of a webhook, on this machine: keeps what comes, and answers as it is told. */
export async function startReceiver() {
  const received: Received[] = []
  let atOnce = 0
  const state = {
    received,
    mostAtOnce: 0,
    answer: (_one: Received, response: ServerResponse): unknown => response.writeHead(204).end(),
  }
  const server = createServer(async (request, response) => {
    atOnce++
    state.mostAtOnce = Math.max(state.mostAtOnce, atOnce)
    response.on('close', () => atOnce--)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const one = { headers: request.headers, body, event: JSON.parse(body) }
    received.push(one)
    await state.answer(one, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>

/** As docs/following.md tells receivers to. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .map((one) => Buffer.from(one.replace('v1,', ''), 'base64'))
    .some((one) => one.length === signed.length && timingSafeEqual(one, signed))
}
