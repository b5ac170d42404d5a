import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { endingOf, type LinkEvent, type LinkState, nextState } from './link-request.ts'

describe('a link under way', () => {
  test('shows the last two or three characters of an identifier, and never more than half of it', () => {
    assert.deepEqual(['CT-1003', 'ABCD', 'A1', 'A', '12345😀'].map(endingOf), ['003', 'CD', '1', '', '45😀'])
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (value) => {
        const ending = endingOf(value)
        return value.endsWith(ending) && [...ending].length <= Math.min(3, [...value].length / 2)
      }),
    )
  })

  test('is linked only by the person’s word, after the service’s, and then it is over', () => {
    const after = (...events: LinkEvent[]) =>
      events.reduce<LinkState | undefined>((state, event) => state && nextState(state, event), 'asked')
    assert.equal(after('answer', 'confirm'), 'confirmed')
    assert.equal(after('confirm'), undefined)
    assert.equal(after('answer', 'answer'), undefined)
    assert.equal(after('answer', 'clash', 'confirm'), undefined)
    assert.equal(after('answer', 'join'), undefined)
    assert.equal(after('answer', 'clash', 'join', 'join', 'joined'), 'joined')
    for (const end of ['decline', 'misplace', 'confirm'] as const)
      for (const event of ['answer', 'confirm', 'decline', 'clash', 'join'] as const)
        assert.equal(after('answer', end, event), undefined, `${end} ${event}`)
  })
})
