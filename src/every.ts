import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from './database/describe-error.ts'

/** After a failure, which is said, it waits longer. */
const afterFailureMs = 10_000

export type Loop = { stop: () => Promise<void> }

/** Does `work`, waits, and does it again, never two at once, until it is stopped; `stop` waits for what is under way. */
export function every(what: string, pauseMs: number, work: (signal: AbortSignal) => Promise<unknown>): Loop {
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      const isDone = await work(stopping.signal).then(
        () => true,
        (error) => console.error(`${what}: not done, and tried again soon.`, describeError(error)),
      )
      await sleep(isDone ? pauseMs : Math.max(pauseMs, afterFailureMs), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
