import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Letter, mayBeAnswered } from './letter.ts'

test('a letter may be answered by who received it, where the sender takes answers, up to the last moment', () => {
  const by = new Date('2026-12-01T00:00:00Z')
  const [before, after] = [new Date(by.getTime() - 1), new Date(by.getTime() + 1)]
  //     isSent replyAllowed replyBy now     may be answered
  const table = [
    [false, true, null, after, true],
    [false, true, by, before, true],
    [false, true, by, by, true],
    [false, true, by, after, false],
    [false, false, null, before, false],
    [true, true, null, before, false],
  ] as const
  for (const [isSent, replyAllowed, replyBy, now, expected] of table) {
    assert.equal(mayBeAnswered({ isSent, replyAllowed, replyBy, recalledAt: null } as Letter, now), expected)
  }
  assert.equal(mayBeAnswered({ isSent: false, replyAllowed: true, replyBy: null, recalledAt: before } as Letter, after), false)
})
