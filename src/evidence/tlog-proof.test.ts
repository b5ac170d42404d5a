import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { noteBytesMax } from './note.ts'
import { extraBytesMax, formatTlogProof, parseTlogProof, tlogProofBytesMax } from './tlog-proof.ts'

const hash = (n: number) => Buffer.alloc(32, n)
const note = {
  text: formatCheckpoint({ origin: 'example.com/log', size: 7, root: hash(1) }),
  signatures: [{ name: 'example.com/log', id: 5, signature: Buffer.alloc(64, 2) }],
}
const proof = { extra: Buffer.from('extra'), index: 5, path: [hash(3), hash(4)], note }
const noteText = `example.com/log\n7\n${hash(1).toString('base64')}\n\n— example.com/log ${Buffer.from(`00000005${'02'.repeat(64)}`, 'hex').toString('base64')}\n`
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))

describe('a proof', () => {
  test('is written as the specification lays it out', () => {
    const [three, four] = [3, 4].map((n) => hash(n).toString('base64'))
    assert.equal(formatTlogProof(proof), `c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 5\n${three}\n${four}\n\n${noteText}`)
    const without = { index: 0, path: [], note }
    assert.equal(formatTlogProof(without), `c2sp.org/tlog-proof@v1\nindex 0\n\n${noteText}`)
    assert.equal(formatTlogProof({ ...without, extra: Buffer.alloc(0) }), formatTlogProof(without))
  })

  test('is read as it was written', () => {
    const extra = fc.option(fc.uint8Array({ minLength: 1 }).map(Buffer.from), { nil: undefined })
    fc.assert(
      fc.property(extra, fc.maxSafeNat(), fc.array(bytes32, { maxLength: 63 }), (extra, index, path) => {
        const written = formatTlogProof({ extra, index, path, note })
        const { checkpoint, ...read } = parseTlogProof(Buffer.from(written))!
        assert.deepEqual(read, extra ? { extra, index, path, note } : { index, path, note })
        assert.deepEqual(checkpoint, { origin: 'example.com/log', size: 7, root: hash(1), extensions: [] })
      }),
    )
  })

  test('has one spelling only: what is read is written the same again', () => {
    const text = formatTlogProof(proof)
    const edit = fc.tuple(
      fc.nat(text.length),
      fc.nat(2),
      fc.constantFrom('', '\n', ' ', '=', 'A', '0', 'index 5\n', 'extra AA==\n', '\r', 'é'),
    )
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
        const changed = edits.reduce((t, [at, drop, insert]) => t.slice(0, at) + insert + t.slice(at + drop), text)
        const parsed = parseTlogProof(changed)
        if (parsed) assert.equal(formatTlogProof(parsed), changed)
      }),
      { numRuns: 3_000 },
    )
  })

  test('is nothing where it is not written just so', () => {
    const text = formatTlogProof(proof)
    const path = hash(3).toString('base64')
    const wrong = [
      ...[
        '',
        '\n\n',
        'c2sp.org/tlog-proof@v1',
        noteText,
        `${text}\n`,
        `${text}x`,
        `${text} `,
        `\n${text}`,
        `\ufeff${text}`,
        text.slice(0, -1),
      ],
      ...[
        text.replace('@v1', '@v2'),
        text.replace('@v1', '@v1 '),
        text.replaceAll('\n', '\r\n'),
        text.replace('\n\n', '\n'),
        text.replace('7', '07'),
      ],
      ...[
        'extra ',
        'extra',
        'extra  ZXh0cmE=',
        'extra ZXh0cmE',
        'extra ZXh0cmF=',
        'extra ZXh0 cmE=',
        'Extra ZXh0cmE=',
        'extra ZXh0cmE= ',
      ].map((line) => text.replace('extra ZXh0cmE=', line)),
      ...[
        'index',
        'index ',
        'index 05',
        'index -1',
        'index +5',
        'index 5 ',
        'index 5.0',
        'index 9007199254740992',
        'index 5\nindex 5',
        'size 5',
      ].map((line) => text.replace('index 5', line)),
      ...[path.slice(1), `${path}=`, `${path} `, ` ${path}`, path.replaceAll('M', '-'), Buffer.alloc(31).toString('base64')].map(
        (line) => text.replace(path, line),
      ),
      ...[Buffer.alloc(33).toString('base64'), '', `${path}\n`].map((line) => text.replace(path, line)),
      text.replace('extra ZXh0cmE=\nindex 5', 'index 5\nextra ZXh0cmE='),
      text.replace('extra ZXh0cmE=', 'extra ZXh0cmE=\nextra ZXh0cmE='),
    ]
    for (const input of wrong) assert.equal(parseTlogProof(input), undefined, JSON.stringify(input))
    assert.equal(parseTlogProof(Buffer.concat([Buffer.from(text), Buffer.of(0xff)])), undefined)
  })

  test('has at most 63 hashes and a million bytes of extra data', () => {
    const path = Array(63).fill(hash(3))
    assert.ok(parseTlogProof(formatTlogProof({ ...proof, path, extra: Buffer.alloc(extraBytesMax) })))
    assert.throws(() => formatTlogProof({ ...proof, path: [...path, hash(3)] }), /within the limits/)
    assert.throws(() => formatTlogProof({ ...proof, extra: Buffer.alloc(extraBytesMax + 1) }), /within the limits/)
    assert.throws(() => formatTlogProof({ ...proof, index: -1 }), /within the limits/)
    for (const hostile of ['\n', 'AAAA\n', 'extra ', '\n\n', 'é']) {
      const much = hostile.repeat(tlogProofBytesMax / Buffer.byteLength(hostile))
      assert.equal(parseTlogProof(much), undefined)
      assert.equal(parseTlogProof(`c2sp.org/tlog-proof@v1\nindex 5\n${much}`.slice(0, noteBytesMax)), undefined)
    }
  })
})
