import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Db } from '../database/connect.ts'
import { shareStatements } from './share-statements.ts'

/** Stands for a pool: all that is asked of it is that it can begin transactions. */
const pool = () => ({ begin: () => undefined }) as unknown as Db
const postgresError = (code: string) => Object.assign(new Error('refused'), { name: 'PostgresError', code })

describe('sharing statements', () => {
  test('gives every caller the outcomes of its own items, in order, whatever came together and however large', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }), { maxLength: 20 }),
        async (calls) => {
          const runs: number[] = []
          const share = shareStatements(
            async (_db, items: readonly number[]) => {
              runs.push(items.reduce((sum, item) => sum + item, 0))
              await new Promise(setImmediate)
              return items.map((item) => item * 2)
            },
            (item) => item / 10,
          )
          const db = pool()
          const outcomes = await Promise.all(calls.map((items) => share(db, items)))
          assert.deepEqual(
            outcomes,
            calls.map((items) => items.map((item) => item * 2)),
          )
          assert.ok(runs.every((weight) => weight <= 10))
        },
      ),
    )
  })

  test('lets those share who arrive while others are under way, and at most three runs be under way', async () => {
    const sizes: number[] = []
    const started: (() => void)[] = []
    const mayEnd = Promise.withResolvers<void>()
    const share = shareStatements(
      async (_db, items: readonly number[]) => {
        sizes.push(items.length)
        started.shift()?.()
        await mayEnd.promise
        return [...items]
      },
      () => 0.01,
    )
    const db = pool()
    const calls: Promise<number[]>[] = []
    for (const item of [1, 2, 3]) {
      const { promise, resolve } = Promise.withResolvers<void>()
      started.push(resolve)
      calls.push(share(db, [item]))
      await promise
    }
    for (let item = 4; item <= 33; item += 1) calls.push(share(db, [item]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(sizes, [1, 1, 1], 'no fourth run while three are under way')
    mayEnd.resolve()
    await Promise.all(calls)
    assert.deepEqual(sizes, [1, 1, 1, 30])
  })

  test('where one item is at fault, fails that one alone', async () => {
    const share = shareStatements(
      async (_db, items: readonly number[]) => {
        if (items.includes(13)) throw postgresError('22P02')
        return [...items]
      },
      () => 0.01,
    )
    const db = pool()
    const outcomes = await Promise.allSettled([share(db, [1]), share(db, [13]), share(db, [2, 3])])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  test('where the database is gone, asks it once and not for each', async () => {
    let runs = 0
    const share = shareStatements(
      async (): Promise<number[]> => {
        runs += 1
        throw postgresError('57P01')
      },
      () => 0.01,
    )
    const db = pool()
    const outcomes = await Promise.allSettled([share(db, [1]), share(db, [2]), share(db, [3])])
    assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']))
    assert.equal(runs, 1)
  })

  describe('with what is sent in bulk', () => {
    /** Runs that end when they are told to, in the order in which they began. */
    const openLanes = () => {
      const began: string[] = []
      const ends: (() => void)[] = []
      const run = async (_db: Db, items: readonly string[]) => {
        began.push(items.join())
        await new Promise<void>((resolve) => ends.push(resolve))
        return [...items]
      }
      const share = shareStatements(
        run,
        () => 1,
        10,
        (name) => name.startsWith('urgent'),
      )
      const db = pool()
      const failed = () => 'failed'
      return {
        began,
        single: (name: string) => share(db, [name]),
        bulk: (queue: string, name: string) => share(db, [name], { lane: 'bulk', queue, run, failed }),
        endOne: async () => {
          ends.shift()!()
          await settle()
        },
      }
    }
    const settle = async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    }

    test('starts nothing in bulk while a single letter waits, and two at most', async () => {
      const { began, single, bulk, endOne } = openLanes()
      for (const name of ['1', '2', '3', '4', '5']) void single(name)
      await settle()
      for (const name of ['a', 'b', 'c']) void bulk('tax', name)
      await settle()
      assert.deepEqual(began, ['1', '2', '3'])
      await endOne()
      await endOne()
      assert.deepEqual(began, ['1', '2', '3', '4', '5', 'a', 'b'])
      await endOne()
      assert.deepEqual(began.length, 7, 'a place among the single letters is none in bulk')
    })

    test('gives senders turns', async () => {
      const { began, bulk, endOne } = openLanes()
      for (const name of ['t1', 't2', 't3', 't4']) void bulk('tax', name)
      for (const name of ['p1', 'p2']) void bulk('parking', name)
      for (let end = 0; end < 4; end += 1) await endOne()
      assert.deepEqual(began, ['t1', 't2', 't3', 'p1', 't4', 'p2'])
    })

    test('goes on slowly where single letters wait all the time', async () => {
      const { began, single, bulk, endOne } = openLanes()
      for (let place = 0; place < 5; place += 1) void single('s')
      await settle()
      void bulk('tax', 'b')
      for (let turn = 0; turn < 30; turn += 1) {
        void single('s')
        await endOne()
      }
      assert.equal(began.filter((name) => name === 'b').length, 1)
    })

    test('sends away at once who comes when too many wait', async () => {
      const { single } = openLanes()
      for (let place = 0; place < 10; place += 1) void single('s')
      await assert.rejects(() => single('more'), { code: 'busy' })
    })

    test('lets what is urgent go before all that waits, in its order, and takes it while twice as many wait', async () => {
      const { began, single, endOne } = openLanes()
      for (let place = 0; place < 9; place += 1) void single('s')
      for (const name of ['urgent 1', 'urgent 2']) void single(name)
      await assert.rejects(() => single('more'), { code: 'busy' })
      await settle()
      assert.deepEqual(began, ['urgent 1', 'urgent 2', 's'])
      void single('urgent 3')
      await endOne()
      assert.equal(began.at(-1), 'urgent 3')
      for (let place = 0; place < 13; place += 1) void single('urgent').catch(() => {})
      await assert.rejects(() => single('urgent'), { code: 'busy' })
    })

    test('finds the one item that the database refuses, and takes the others', async () => {
      const runs: number[] = []
      const share = shareStatements(
        async (_db: Db, items: readonly number[]) => [...items],
        () => 1,
      )
      const run = async (_db: Db, items: readonly number[]) => {
        runs.push(items.length)
        if (items.includes(13)) throw postgresError('22003')
        return [...items]
      }
      const items = Array.from({ length: 20 }, (_, item) => item)
      const outcomes = await share(pool(), items, { lane: 'bulk', queue: 'tax', run, failed: () => -1 })
      assert.deepEqual(
        outcomes,
        items.map((item) => (item === 13 ? -1 : item)),
      )
      assert.ok(runs.length < 12)
    })
  })
})
