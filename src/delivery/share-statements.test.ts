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
})
