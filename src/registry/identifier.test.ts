import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { deriveIdentifierKeys, hashIdentifier, openIdentifier, sealIdentifier } from './identifier.ts'

const keys = deriveIdentifierKeys(Buffer.alloc(32, 1))
const otherKeys = deriveIdentifierKeys(Buffer.alloc(32, 2))
const one = { scheme: 'link', value: 'CT-1001' }
const hash = (service: string, identifier: { scheme: string; value: string }, withKeys = keys) =>
  hashIdentifier(withKeys, service, identifier).toString('hex')

describe('an identifier', () => {
  test('is found by service, scheme and value together, under one key', () => {
    const hashes = [
      hash('tax', one),
      hash('parking', one),
      hash('tax', { ...one, scheme: 'nino' }),
      hash('tax', { ...one, value: 'CT-1002' }),
      hash('tax', { ...one, value: 'ct-1001' }),
      hash('tax', one, otherKeys),
      // The parts cannot run into each other.
      hash('ta', { scheme: 'xlink', value: 'CT-1001' }),
      hash('tax', { scheme: 'lin', value: 'kCT-1001' }),
    ]
    assert.equal(new Set(hashes).size, hashes.length)
    assert.equal(hash('tax', { ...one }), hashes[0])
  })

  test('is the same with spaces around it, and however its accents are written', () => {
    assert.equal(hash('tax', { ...one, value: ' CT-1001 ' }), hash('tax', one))
    assert.equal(hash('tax', { ...one, value: 'Siân'.normalize('NFD') }), hash('tax', { ...one, value: 'Siân'.normalize('NFC') }))
  })

  test('comes out of its seal as it went in but for spaces around it, and is sealed differently each time', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit: 'grapheme' }), (service, value) => {
        const sealed = sealIdentifier(keys, service, value)
        assert.equal(openIdentifier(keys, service, sealed), value.trim().normalize('NFC'))
        assert.notDeepEqual(sealIdentifier(keys, service, value), sealed)
      }),
    )
  })

  test('stays sealed to another service, with another key, and once a bit has changed', () => {
    const sealed = sealIdentifier(keys, 'tax', 'CT-1001')
    assert.throws(() => openIdentifier(keys, 'parking', sealed))
    assert.throws(() => openIdentifier(otherKeys, 'tax', sealed))
    assert.throws(() => openIdentifier({ ...keys, seal: keys.hash.export() }, 'tax', sealed))
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.nat(7), (place, bit) => {
        const changed = Buffer.from(sealed)
        changed[place]! ^= 1 << bit
        assert.throws(() => openIdentifier(keys, 'tax', changed))
      }),
    )
  })

  test('cannot be read in its hash or its seal', () => {
    for (const stored of [hashIdentifier(keys, 'tax', one), sealIdentifier(keys, 'tax', one.value)])
      assert.ok(!stored.includes('CT-1001'))
  })
})
