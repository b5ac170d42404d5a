import type { Database } from '../../database/connect.ts'

/**
 * Every process looks this often whether any event was written, and only while somebody waits. PostgreSQL's NOTIFY would
 * say so at once, but makes all who commit with one stand in a single line.
 */
const intervalMs = 150

type Waiter = (changed: boolean) => void

/** Wakes those who wait for events. `change` is true when something was written since `seen`, false when the time is up. */
export function watchEvents(database: Database) {
  const waiters = new Set<Waiter>()
  let latest = ''
  let timer: NodeJS.Timeout | undefined

  const wake = (changed: boolean) => {
    for (const waiter of [...waiters]) waiter(changed)
  }
  const look = async () => {
    try {
      const [row] = await database<{ latest: string }[]>`select last_value::text as latest from event_position_seq`
      if (row!.latest !== latest) {
        latest = row!.latest
        wake(true)
      }
    } catch {
      wake(true) // whoever waits asks the database itself, and reports what is wrong with it
    }
    timer = waiters.size > 0 ? setTimeout(look, intervalMs) : undefined
  }

  return {
    now: () => latest,
    change: (seen: string, waitMs: number, signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve) => {
        const end = (changed: boolean) => {
          clearTimeout(timeout)
          signal.removeEventListener('abort', onAbort)
          waiters.delete(end)
          resolve(changed)
        }
        const onAbort = () => end(false)
        const timeout = setTimeout(end, waitMs, false)
        signal.addEventListener('abort', onAbort)
        waiters.add(end)
        if (seen !== latest) end(true)
        else timer ??= setTimeout(look, intervalMs)
      }),
    stop: () => {
      clearTimeout(timer)
      timer = undefined
      wake(false)
    },
  }
}
