import type { Db } from '../database/connect.ts'

/**
 * So that some are on their way while another is written to the disk. Measured side by side in one run, with eight senders:
 * one, two or four were slower than three by a few in a hundred, and eight by a third, as they then share too little.
 */
const statementsAtOnce = 3

type Waiting<Item, Outcome> = { items: readonly Item[]; resolve: (outcomes: Outcome[]) => void; reject: (error: unknown) => void }
type Lane<Item, Outcome> = { waiting: Waiting<Item, Outcome>[]; underWay: number }

/**
 * Lets calls that arrive while others are under way share the next one: under load each costs a part of a way to the
 * database and of a commit, and alone it waits for nobody. Every caller has the outcomes of its own items, in order. Where a
 * shared run fails for what it holds, each call is tried alone, so that none fails with its neighbour; `run` must therefore be safe to try
 * again. Inside somebody's transaction nothing is shared. `weigh` says how much of one run an item takes up; a run holds 1.
 */
export function shareStatements<Item, Outcome>(
  run: (db: Db, items: readonly Item[]) => Promise<Outcome[]>,
  weigh: (item: Item) => number,
): (db: Db, items: readonly Item[]) => Promise<Outcome[]> {
  const lanes = new WeakMap<Db, Lane<Item, Outcome>>()

  return async (db, items) => {
    const outcomes = await Promise.all(divide(items).map((part) => ('begin' in db ? wait(db, part) : run(db, part))))
    return outcomes.flat()
  }

  /** One call may bring more than one run holds. */
  function divide(items: readonly Item[]): Item[][] {
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

  function wait(db: Db, items: readonly Item[]): Promise<Outcome[]> {
    const lane = lanes.get(db) ?? { waiting: [], underWay: 0 }
    lanes.set(db, lane)
    const { promise, resolve, reject } = Promise.withResolvers<Outcome[]>()
    // What the network has brought by now is read before the first of it leaves: senders who were answered together write
    // together. Two turns of the event loop, some microseconds, were worth a tenth of the rate against one.
    if (lane.waiting.length === 0) setImmediate(() => setImmediate(start, db, lane))
    lane.waiting.push({ items, resolve, reject })
    return promise
  }

  function start(db: Db, lane: Lane<Item, Outcome>): void {
    while (lane.underWay < statementsAtOnce && lane.waiting.length > 0) {
      lane.underWay += 1
      void runTogether(db, takeTogether(lane.waiting)).finally(() => {
        lane.underWay -= 1
        start(db, lane)
      })
    }
  }

  /** The first who wait, as many as one run may hold, and at least one. */
  function takeTogether(waiting: Waiting<Item, Outcome>[]): Waiting<Item, Outcome>[] {
    let weight = 0
    let count = 0
    for (const { items } of waiting) {
      for (const item of items) weight += weigh(item)
      if (count > 0 && weight > 1) break
      count += 1
    }
    return waiting.splice(0, count)
  }

  async function runTogether(db: Db, together: Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const all = together.flatMap(({ items }) => items)
      const outcomes = await run(db, all)
      for (const { items, resolve } of together) resolve(outcomes.splice(0, items.length))
    } catch (error) {
      if (together.length === 1 || !isOfOneItem(error)) for (const { reject } of together) reject(error)
      else for (const { items, resolve, reject } of together) await run(db, items).then(resolve, reject)
    }
  }
}

/** A value that the database refuses, or a deadlock: another may do well. Not where the database itself is gone or in need. */
function isOfOneItem(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string }
  return name === 'PostgresError' && /^(22|23|40)/.test(code ?? '')
}
