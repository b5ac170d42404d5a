import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network between the program and its database, that can be cut and can go silent. */
export type FaultProxy = {
  port: number
  /** Every connection breaks now; new ones can be made. */
  cut: () => void
  /** Nothing passes any more, either way, until it is called with false: then all that was silent is cut. */
  silence: (isOn: boolean) => void
  stop: () => Promise<void>
}

export async function startProxy(to: number): Promise<FaultProxy> {
  const pairs = new Set<[Socket, Socket]>()
  let isSilent = false
  const server = createServer((inside) => {
    const outside = connect(to, '127.0.0.1')
    const pair: [Socket, Socket] = [inside, outside]
    pairs.add(pair)
    inside.on('data', (bytes) => void (isSilent || outside.write(bytes)))
    outside.on('data', (bytes) => void (isSilent || inside.write(bytes)))
    for (const [one, other] of [pair, [outside, inside] as const]) {
      one.on('error', () => {})
      one.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const [inside, outside] of pairs) {
      inside.resetAndDestroy()
      outside.resetAndDestroy()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    silence: (isOn) => {
      isSilent = isOn
      if (!isOn) cut()
    },
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      // What had been let in a moment before, too.
      const cutting = setInterval(cut, 50)
      await closed
      clearInterval(cutting)
    },
  }
}
