import type { Db } from '../database/connect.ts'
import { Problem } from '../problems.ts'

/**
 * So that some are on their way while another is written to the disk. Measured side by side in one run, with eight senders:
 * one, two or four were slower than three by a few in a hundred, and eight by a third, as they then share too little.
 */
const statementsAtOnce = 3
/** Beside those. While one is written to the disk the other is worked out; more would only make single letters wait longer. */
const bulkAtOnce = 2
/** Where single letters wait all the time, one run in bulk is let in after so many of theirs: it goes on, if slowly. */
const runsBeforeBulk = 20

/**
 * Items that share a run with no others, as they belong together in a way that their `run` knows; not divided. In lane `bulk` they wait for all who came
 * alone, and senders (`queue`) take turns.
 */
export type Apart<Item, Outcome> = {
  lane: 'normal' | 'bulk'
  queue: string
  run: (db: Db, items: readonly Item[]) => Promise<Outcome[]>
  /** What becomes of one item that the database refuses by itself. */
  failed: (error: unknown) => Outcome
}

type Waiting<Item, Outcome> = {
  items: readonly Item[]
  apart: Apart<Item, Outcome> | undefined
  resolve: (outcomes: Outcome[]) => void
  reject: (error: unknown) => void
}
type Lanes<Item, Outcome> = {
  waiting: Waiting<Item, Outcome>[]
  /** Of `waiting`. */
  itemsWaiting: number
  underWay: number
  /** By queue, in the order in which it is their turn. */
  bulk: Map<string, Waiting<Item, Outcome>[]>
  bulkUnderWay: number
  /** Runs that began while something in bulk waited. */
  passedBulk: number
}

/**
 * Lets calls that arrive while others are under way share the next one: under load each costs a part of a way to the
 * database and of a commit, and alone it waits for nobody. Every caller has the outcomes of its own items, in order. Where a
 * shared run fails for what it holds, each call is tried alone, so that none fails with its neighbour; `run` must therefore be safe to try
 * again. Inside somebody's transaction nothing is shared. `weigh` says how much of one run an item takes up; a run holds 1.
 * Where more than `itemsMax` wait, who comes is sent away at once (`busy`). What is urgent goes before all others, and is taken while twice as many wait.
 */
export function shareStatements<Item, Outcome>(
  run: (db: Db, items: readonly Item[]) => Promise<Outcome[]>,
  weigh: (item: Item) => number,
  itemsMax = Number.POSITIVE_INFINITY,
  isUrgent: (item: Item) => boolean = () => false,
): (db: Db, items: readonly Item[], apart?: Apart<Item, Outcome>) => Promise<Outcome[]> {
  const byPool = new WeakMap<Db, Lanes<Item, Outcome>>()

  return async (db, items, apart) => {
    if (apart) return 'begin' in db ? wait(db, items, apart) : apart.run(db, items)
    const outcomes = await Promise.all(divide(items, weigh).map((part) => ('begin' in db ? wait(db, part) : run(db, part))))
    return outcomes.flat()
  }

  function lanesOf(db: Db): Lanes<Item, Outcome> {
    const known = byPool.get(db)
    if (known !== undefined) return known
    const lanes = { waiting: [], itemsWaiting: 0, underWay: 0, bulk: new Map(), bulkUnderWay: 0, passedBulk: 0 }
    byPool.set(db, lanes)
    return lanes
  }

  async function wait(db: Db, items: readonly Item[], apart?: Apart<Item, Outcome>): Promise<Outcome[]> {
    const lanes = lanesOf(db)
    const { promise, resolve, reject } = Promise.withResolvers<Outcome[]>()
    const one = { items, apart, resolve, reject }
    if (apart?.lane === 'bulk') {
      // Whoever sends in bulk brings no more until this is answered: these queues need no bound.
      lanes.bulk.set(apart.queue, [...(lanes.bulk.get(apart.queue) ?? []), one])
      start(db, lanes)
      return promise
    }
    const goesFirst = items.some(isUrgent)
    if (lanes.itemsWaiting >= (goesFirst ? 2 : 1) * itemsMax) throw new Problem('busy')
    // What the network has brought by now is read before the first of it leaves: senders who were answered together write
    // together. Two turns of the event loop, some microseconds, were worth a tenth of the rate against one.
    if (lanes.waiting.length === 0) setImmediate(() => setImmediate(start, db, lanes))
    const others = goesFirst ? lanes.waiting.findIndex((waiting) => !waiting.items.some(isUrgent)) : -1
    lanes.waiting.splice(others < 0 ? lanes.waiting.length : others, 0, one)
    lanes.itemsWaiting += items.length
    return promise
  }

  function start(db: Db, lanes: Lanes<Item, Outcome>): void {
    while (lanes.underWay < statementsAtOnce && lanes.waiting.length > 0) {
      lanes.underWay += 1
      if (lanes.bulk.size > 0) lanes.passedBulk += 1
      void runTogether(db, takeTogether(lanes, weigh), run).finally(() => {
        lanes.underWay -= 1
        start(db, lanes)
      })
    }
    const mayStart = () => lanes.waiting.length === 0 || (lanes.passedBulk >= runsBeforeBulk && lanes.bulkUnderWay === 0)
    while (lanes.bulk.size > 0 && lanes.bulkUnderWay < bulkAtOnce && mayStart()) {
      lanes.bulkUnderWay += 1
      lanes.passedBulk = 0
      void runApart(db, takeInTurn(lanes.bulk)).finally(() => {
        lanes.bulkUnderWay -= 1
        start(db, lanes)
      })
    }
  }
}

type Run<Item, Outcome> = (db: Db, items: readonly Item[]) => Promise<Outcome[]>

/** One call may bring more than one run holds. */
function divide<Item>(items: readonly Item[], weigh: (item: Item) => number): Item[][] {
  const parts: Item[][] = []
  let weight = Number.POSITIVE_INFINITY
  for (const item of items) {
    weight += weigh(item)
    if (weight <= 1) parts.at(-1)!.push(item)
    else {
      parts.push([item])
      weight = weigh(item)
    }
  }
  return parts
}

/** The first who wait, as many as one run may hold, and at least one; alone, who shares with no others. */
function takeTogether<Item, Outcome>(lanes: Lanes<Item, Outcome>, weigh: (item: Item) => number): Waiting<Item, Outcome>[] {
  let weight = 0
  let count = 0
  for (const { items, apart } of lanes.waiting) {
    for (const item of items) weight += weigh(item)
    if (count > 0 && (weight > 1 || apart)) break
    count += 1
    if (apart) break
  }
  const taken = lanes.waiting.splice(0, count)
  for (const { items } of taken) lanes.itemsWaiting -= items.length
  return taken
}

async function runTogether<Item, Outcome>(db: Db, together: Waiting<Item, Outcome>[], run: Run<Item, Outcome>): Promise<void> {
  if (together[0]!.apart) return runApart(db, together[0]!)
  try {
    const all = together.flatMap(({ items }) => items)
    const outcomes = await run(db, all)
    for (const { items, resolve } of together) resolve(outcomes.splice(0, items.length))
  } catch (error) {
    if (together.length === 1 || !isOfOneItem(error)) for (const { reject } of together) reject(error)
    else for (const { items, resolve, reject } of together) await run(db, items).then(resolve, reject)
  }
}

async function runApart<Item, Outcome>(db: Db, { items, apart, resolve, reject }: Waiting<Item, Outcome>): Promise<void> {
  await runHalves(db, items, apart!).then(resolve, reject)
}

/** The first of the queue whose turn it is, which then is the last to have another. */
function takeInTurn<Item, Outcome>(bulk: Map<string, Waiting<Item, Outcome>[]>): Waiting<Item, Outcome> {
  const [queue, [first, ...others]] = bulk.entries().next().value!
  bulk.delete(queue)
  if (others.length > 0) bulk.set(queue, others)
  return first!
}

/** Where it fails for what it holds, each half of it, until that is found, and fails alone. */
async function runHalves<Item, Outcome>(db: Db, items: readonly Item[], apart: Apart<Item, Outcome>): Promise<Outcome[]> {
  try {
    return await apart.run(db, items)
  } catch (error) {
    if (!isOfOneItem(error)) throw error
    if (items.length === 1) return [apart.failed(error)]
    const half = Math.ceil(items.length / 2)
    return [...(await runHalves(db, items.slice(0, half), apart)), ...(await runHalves(db, items.slice(half), apart))]
  }
}

/** A value that the database refuses, or a deadlock: another may do well. Not where the database itself is gone or in need. */
function isOfOneItem(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string }
  return name === 'PostgresError' && /^(22|23|40)/.test(code ?? '')
}
