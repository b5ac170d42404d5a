import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { faults } from './faults/faults.ts'
import { runFault } from './faults/run.ts'

/** All others: npm run test:faults. */
const quick = [faults.sameReference, faults.cutConnections]

describe('letters are sent while something fails, and none is lost or there twice', () => {
  for (const fault of quick) {
    test(fault.name, { timeout: 1_800_000 }, async (context) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      context.diagnostic(`seed ${seed}`)
      assert.deepEqual((await runFault(fault, { seed, times: 1, limitMs: 300_000 })).findings, [])
    })
  }
})
