import type { FastifyRequest } from 'fastify'

/** Without a byte from the sender, or with an answer that is not read. */
const idleMs = 120_000

/** Ends a connection on which nothing moves, until the answer is called and says that this is over. */
export function limitIdleTime(request: FastifyRequest): () => void {
  const { socket } = request.raw
  const cut = () => socket.destroy()
  movesAgain(request)
  socket.once('timeout', cut)
  return () => {
    socket.off('timeout', cut)
    movesAgain(request, 0)
  }
}

/** A request that is injected has a socket without a clock. */
export function movesAgain({ raw }: FastifyRequest, idle = idleMs): void {
  const { socket }: { socket: { setTimeout?: (ms: number) => void } } = raw
  socket.setTimeout?.(idle)
}
