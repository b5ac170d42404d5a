import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { safeName } from './names.ts'

test('a name keeps its letters and its ending', () => {
  assert.equal(safeName('Bil treth – “ŷ”.PDF', new Set()), 'Bil treth ŷ.pdf')
  assert.equal(safeName('CON.pdf', new Set()), '_CON.pdf')
  assert.equal(safeName('...', new Set()), 'file')
})

test('two of the same name are told apart, whatever their capitals', () => {
  const taken = new Set<string>()
  assert.deepEqual(
    ['Bill.pdf', 'bill.pdf', 'BILL.PDF'].map((name) => safeName(name, taken)),
    ['Bill.pdf', 'bill (2).pdf', 'BILL (3).pdf'],
  )
})

test('whatever a file is called, every system can have the name, once', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 20 }), (names) => {
      const taken = new Set<string>()
      const safe = names.map((name) => safeName(name, taken))
      assert.equal(new Set(safe.map((name) => name.toLowerCase())).size, names.length)
      for (const name of safe) {
        assert.ok(name.length > 0 && name.length <= 100, name)
        assert.doesNotMatch(name, /[<>:"/\\|?*\p{Cc}\p{Cf}]|^[. ]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu)
      }
    }),
  )
})
