import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { deriveIdentifierKeys, hashIdentifier, openIdentifier, sealIdentifier } from './identifier.ts'
import { installationNamespace, namespaceOf, normalise, readSchemes, schemeName, whatIsWrong } from './scheme.ts'

const real = readSchemes(undefined, { demo: false })
const demo = readSchemes(undefined, { demo: true })
const isRight = (scheme: string, value: string) => whatIsWrong(real, scheme, value) === undefined
/** Numbers of so many digits. */
const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((list) => list.join(''))

/** What the check digits of a scheme must let through and must not: numbers published as examples, and invented ones. */
const examples: [scheme: string, right: string[], wrong: string[]][] = [
  [
    'nino',
    ['AB123456C', 'ab 12 34 56 c', 'JG-10-37-59-A'],
    ['QQ123456C', 'BG123456A', 'DA123456A', 'AO123456A', 'AB123456E', 'AB12345C', ''],
  ],
  ['nhs-number', ['9434765919', '943 476 5919', '943-476-5870'], ['9434765918', '943476591', '4505577105', 'ABCDEFGHIJ']],
  ['utr', ['1955839661', '19558 39661', '1955839661K', 'k1955839661'], ['2955839661', '195583966', '1955839662']],
  [
    'company-number',
    ['00000006', '6', 'SC123456', 'sc1234', 'NI012345', '12345678', 'R0000001'],
    ['123456789', 'XX123456', 'SC1234567', ''],
  ],
  ['vat', ['GB980780684', '980 7806 84'], ['802311781', '98078068']],
]

describe('an identifier scheme', () => {
  for (const [scheme, right, wrong] of examples) {
    test(`${scheme}: takes what has its form and check digits, and nothing else`, () => {
      for (const value of right) assert.ok(isRight(scheme, value), value)
      for (const value of wrong) assert.ok(!isRight(scheme, value), value)
    })
  }

  test('notices one wrong digit in any place of a number with a check digit', () => {
    const numbers = [
      { scheme: 'nhs-number', length: 10 },
      { scheme: 'utr', length: 10 },
    ]
    for (const { scheme, length } of numbers) {
      fc.assert(
        fc.property(digits(length), fc.nat(length - 1), fc.integer({ min: 1, max: 9 }), (value, place, more) => {
          fc.pre(isRight(scheme, value))
          const other = `${value.slice(0, place)}${(Number(value[place]) + more) % 10}${value.slice(place + 1)}`
          // A remainder of 0 and of 9 share a digit of the UTR's table, as do 1 and 10: those it cannot tell apart.
          if (scheme === 'nhs-number') assert.ok(!isRight(scheme, other), `${value} ${other}`)
        }),
        { numRuns: 300 },
      )
    }
    const rightOnes = Array.from({ length: 10_000 }, (_, number) => `1${String(number * 99_991).padStart(9, '0')}`)
    const share = rightOnes.filter((value) => isRight('utr', value)).length / rightOnes.length
    assert.ok(share > 0.05 && share < 0.25, `${share} of all numbers with a first digit have the right one`)
  })

  test('allows a number of the demo, which is nobody’s, in a demo only', () => {
    assert.equal(whatIsWrong(demo, 'nino', 'QQ123456C'), undefined)
    assert.match(whatIsWrong(real, 'nino', 'QQ123456C')!, /form of a National Insurance number/)
  })

  test('says what is wrong without repeating it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...real.keys()), fc.string({ minLength: 3, unit: 'grapheme-ascii' }), (scheme, value) => {
        fc.pre(/\d{3}|[A-Z]{3}/.test(value))
        assert.ok(!(whatIsWrong(real, scheme, value) ?? '').includes(value.trim()))
      }),
    )
  })

  test('is written in one way, however people write it, and normalising again changes nothing', () => {
    assert.equal(normalise(real, 'company-number', ' sc 1234 '), 'SC001234')
    assert.equal(normalise(real, 'vat', 'gb 980 7806 84'), '980780684')
    assert.equal(normalise(real, 'link', '  CT-1 a '), 'CT-1 a', 'a service’s own identifier is left as it is')
    fc.assert(
      fc.property(fc.constantFrom(...real.keys(), 'link', 'own'), fc.string(), (scheme, value) => {
        const once = normalise(real, scheme, value)
        fc.pre(isRight(scheme, value))
        assert.equal(normalise(real, scheme, once), once)
      }),
    )
  })

  test('of the whole installation means the same at every service; any other does not', () => {
    assert.equal(namespaceOf(real, 'tax', 'nino'), installationNamespace)
    assert.equal(namespaceOf(real, 'tax', 'link'), 'tax')
    const keys = deriveIdentifierKeys(Buffer.alloc(32, 1))
    const hash = (service: string, scheme: string, value: string) =>
      hashIdentifier(keys, service, { scheme, value }).toString('hex')
    assert.equal(hash('tax', 'nino', 'AB123456C'), hash('parking', 'nino', 'ab 12 34 56 c'))
    assert.notEqual(hash('tax', 'card', 'AB123456C'), hash('parking', 'card', 'AB123456C'))
    const sealed = sealIdentifier(keys, 'tax', 'ab 12 34 56 c', 'nino')
    assert.equal(openIdentifier(keys, 'parking', sealed, 'nino'), 'AB123456C')
    assert.throws(() => openIdentifier(keys, 'tax', sealed), 'it is no link of the service')
  })

  test('can be declared by an installation, in place of the United Kingdom’s', () => {
    const cpr = { scheme: 'cpr', name: 'CPR number', names: { cy: 'Rhif CPR' }, pattern: '^\\d{10}$' }
    const declared = readSchemes([cpr, { scheme: 'card', name: 'card number', pattern: '^\\d{16}$', check: 'luhn' }], {
      demo: false,
    })
    assert.deepEqual([...declared.keys()], ['cpr', 'card'])
    assert.equal(whatIsWrong(declared, 'cpr', '010203-0405'), undefined)
    assert.equal(whatIsWrong(declared, 'card', '4242 4242 4242 4242'), undefined)
    assert.match(whatIsWrong(declared, 'card', '4242 4242 4242 4241')!, /check digit/)
    const named = (scheme: string, language: string) => schemeName(declared.get(scheme)!, language)
    assert.deepEqual([named('cpr', 'cy'), named('cpr', 'en'), named('card', 'cy')], ['Rhif CPR', 'CPR number', 'card number'])
    const names = [{ cy: '' }, { Welsh: 'Rhif CPR' }, 'Rhif CPR'].map((each) => [{ ...cpr, names: each }])
    for (const wrong of [
      [],
      {},
      [{ ...cpr, scheme: 'link' }],
      [{ ...cpr, pattern: '(' }],
      [{ ...cpr, check: 'magic' }],
      ...names,
    ])
      assert.throws(() => readSchemes(wrong, { demo: false }), JSON.stringify(wrong))
  })
})
