import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { faults } from './faults.ts'
import { type Fault, runFault } from './run.ts'

const times = 5
/** A run ends itself before that. */
const timeout = 8 * 60_000

/** Every fault, at moments that nobody has chosen. Run before a release: npm run test:faults. */
describe('letters are sent while something fails', () => {
  for (const fault of Object.values<Fault>(faults)) {
    const why = fault.whyNot?.()
    test(fault.name, { timeout, ...(why === undefined ? {} : { skip: why }) }, async (context) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      context.diagnostic(`seed ${seed}`)
      const { findings, accepted, slowestMs } = await runFault(fault, { seed, times })
      context.diagnostic(`${accepted} letters, the slowest answer took ${slowestMs} ms`)
      assert.deepEqual(findings, [])
    })
  }
})
