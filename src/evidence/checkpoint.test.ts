import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint, parseCheckpoint, parseDecimal } from './checkpoint.ts'

const root = Buffer.alloc(32, 0xa5)
const base64 = root.toString('base64')
const line = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .map((s) => s.replaceAll(/\p{Cc}/gu, '.'))
  .filter((s) => s !== '')

describe('a checkpoint', () => {
  test('is three lines and those of its extensions', () => {
    assert.equal(formatCheckpoint({ origin: 'example.com/log', size: 7, root }), `example.com/log\n7\n${base64}\n`)
    const extended = formatCheckpoint({ origin: 'example.com/log', size: 0, root, extensions: ['a', 'b c'] })
    assert.equal(extended, `example.com/log\n0\n${base64}\na\nb c\n`)
  })

  test('is read as it was written', () => {
    fc.assert(
      fc.property(
        line,
        fc.maxSafeNat(),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.array(line),
        (origin, size, bytes, extensions) => {
          const checkpoint = { origin, size, root: Buffer.from(bytes), extensions }
          assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), checkpoint)
        },
      ),
    )
  })

  test('is nothing where it is not written just so', () => {
    const good = `a\n7\n${base64}\n`
    assert.ok(parseCheckpoint(good))
    const wrong = [
      ...[
        '',
        '\n',
        'a\n',
        'a\n7\n',
        `a\n7\n${base64}`,
        `\n${good}`,
        `${good}\n`,
        `${good}x`,
        `${good}x\n\ny\n`,
        `\n7\n${base64}\n`,
      ],
      ...['', '07', '+7', '-7', '7.0', '0x7', '7e1', ' 7', '7 ', '٧', '9007199254740992', '99999999999999999999'].map(
        (size) => `a\n${size}\n${base64}\n`,
      ),
      ...['', base64.slice(0, -1), `${base64}=`, Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64')].map(
        (hash) => `a\n7\n${hash}\n`,
      ),
      ...[base64.replace(/.=$/, 'V='), base64.replaceAll('/', '_'), ` ${base64}`].map(
        (hash) => `a\n7\n${hash === base64 ? '' : hash}\n`,
      ),
      ...[good.replaceAll('\n', '\r\n'), good.replace('a', '\0'), good.replace('a', '\ud800'), 'a\n7\n'.padEnd(2_000_000, '\n')],
    ]
    for (const text of wrong) assert.equal(parseCheckpoint(text), undefined, JSON.stringify(text.slice(0, 100)))
    assert.equal(parseCheckpoint(good.replace('7', '9007199254740991'))!.size, Number.MAX_SAFE_INTEGER)
  })

  test('has one spelling only: what is read is written the same again', () => {
    const part = fc.constantFrom('a', '\n', '7', '0', base64, `${base64}\n`, 'a\n7\n', ' ', '=')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
        const parsed = parseCheckpoint(parts.join(''))
        if (parsed) assert.equal(formatCheckpoint(parsed), parts.join(''))
      }),
      { numRuns: 1_000 },
    )
  })

  test('is not written where it would be read as another', () => {
    const good = { origin: 'a', size: 7, root, extensions: ['b'] }
    const changes = [{ origin: '' }, { origin: 'a\nb' }, { origin: 'a\r' }, { size: -1 }, { size: 0.5 }, { size: 2 ** 53 }]
    const more = [{ root: Buffer.alloc(31) }, { extensions: [''] }, { extensions: ['b\nc'] }, { extensions: ['b\0'] }]
    for (const change of [...changes, ...more]) assert.throws(() => formatCheckpoint({ ...good, ...change }), /no empty line/)
  })
})

describe('a decimal', () => {
  test('is what a safe integer is written as, and nothing else', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.stringMatching(/^[0-9+. -]{0,20}$/), (number, text) => {
        assert.equal(parseDecimal(`${number}`), number)
        const parsed = parseDecimal(text)
        if (parsed !== undefined) assert.equal(`${parsed}`, text)
      }),
    )
  })
})
