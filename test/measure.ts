import { setTimeout as sleep } from 'node:timers/promises'
import { openConnection } from './http-client.ts'

/** What `npm run bench -- 2` says, or 5. */
export const secondsEach = Number(process.argv[2] ?? 5)

export type Figures = { rate: number; p50: number; p95: number; p99: number }

/** One line of the table; `other` is the rate that it is compared with. */
export function print(name: string, { rate, p50, p95, p99 }: Figures, other?: number): void {
  const cells = [name.padEnd(64), rate.toFixed(0).padStart(8), ...[p50, p95, p99].map((ms) => ms.toFixed(2).padStart(8))]
  console.log(`| ${cells.join(' | ')} | ${(other ? `${((100 * rate) / other).toFixed(0)} %` : '').padStart(6)} |`)
}

export function printHead(): void {
  console.log(`| ${'what'.padEnd(64)} |  per s   |  p50 ms  |  p95 ms  |  p99 ms  | ratio  |`)
  console.log(`|${'-'.repeat(66)}|---------:|---------:|---------:|---------:|-------:|`)
}

export function percentiles(timesMs: number[]): Omit<Figures, 'rate'> {
  const sorted = timesMs.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

export type Work = (line: number) => Promise<unknown>

/** Not counted: code is compiled and plans are made while it is first run, in the program as in here. */
const warmUpMs = 1_000

export type Turns = {
  sliceMs: number
  /** What of each slice is run before it, and not counted. */
  leadMs: number
  /** What must have come to rest before the next one's slice. */
  settle: () => Promise<void>
}
const quickTurns: Turns = { sliceMs: 500, leadMs: 0, settle: async () => {} }

/** Runs each `work` again and again in `concurrency` lines at once, in turn, a slice of time each: a machine that others share is not the same from one second to the next. */
export async function measure(
  concurrency: number,
  works: readonly Work[],
  { sliceMs, leadMs, settle }: Turns = quickTurns,
): Promise<Figures[]> {
  const times = works.map((): number[] => [])
  const elapsedMs = works.map(() => 0)
  const runSlice = async (index: number, forMs: number, isCounted: boolean) => {
    const began = performance.now()
    const run = async (_: unknown, line: number) => {
      while (performance.now() - began < forMs) {
        const start = performance.now()
        await works[index]!(line)
        if (isCounted) times[index]!.push(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, run))
    if (isCounted) elapsedMs[index]! += performance.now() - began
  }
  for (const index of works.keys()) await runSlice(index, warmUpMs, false)
  await settle()
  for (let slice = 0; slice * sliceMs < secondsEach * 1000; slice += 1) {
    for (const index of works.keys()) {
      if (leadMs > 0) await runSlice(index, leadMs, false)
      await runSlice(index, sliceMs, true)
      await settle()
    }
  }
  return works.map((_, index) => ({ rate: times[index]!.length / (elapsedMs[index]! / 1000), ...percentiles(times[index]!) }))
}

/** Connections that each send one kind of request. Every answer must be a success, or the figure would be worth nothing. */
export function openRequests(
  connections: number,
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: () => string,
) {
  const open = Array.from({ length: connections }, () => openConnection(url, method, headers))
  return {
    send: async (line: number) => {
      const status = await open[line]!.send(body?.())
      if (status >= 300) throw new Error(`an answer was no success: ${status}`)
    },
    close: () => {
      for (const connection of open) connection.close()
    },
  }
}

/** Waits until `isSo`. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}
