import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { letterDocument, letterText, type Sample, sampleReceipt } from '../../test/sample-receipt.ts'
import { compactJws, signJws } from './jws.ts'
import { deriveEvidenceKeys } from './keys.ts'
import { formatReceipt, parseReceipt, type Receipt, receiptBytesMax } from './receipt.ts'
import { canonical, evidenceEvents } from './record.ts'
import { readTrustedKeys } from './trusted-keys.ts'
import { checkNames, documentsBytesMax, type Verdict, verifyReceipt } from './verify.ts'

const failing = ({ checks }: Verdict) => checks.filter(({ isPassed }) => !isPassed).map(({ name }) => name)

/** Issued anew, with its digest: as one does who wants to deceive. */
const verifyWith = ({ receipt, trusted }: Sample, change: Partial<Receipt>, isTrusted = true) =>
  verifyReceipt(Buffer.from(formatReceipt({ ...receipt, ...change })), [], isTrusted ? trusted : undefined)

describe('a receipt', async () => {
  const sample = await sampleReceipt()
  const { file, receipt, trusted } = sample

  test('is valid, says in one line what it proves and what not, and by whose keys', () => {
    const bill = { name: 'bill.pdf', bytes: letterDocument }
    const verdict = verifyReceipt(file, [bill], trusted)
    assert.deepEqual(failing(verdict), [])
    assert.deepEqual(
      verdict.checks.map(({ name }) => name),
      checkNames,
    )
    assert.equal(
      verdict.sentence,
      'Valid. Northfold Council (Council tax) put the letter “Your bill” in Rosa Example’s mailbox on 5 November 2026 at 10:00 (UK time), where it could be read from then on. ' +
        'Proved: who sent what to whom, when and that the document given belongs to it. ' +
        'Not proved: that anybody read it and what any document says that was not compared.',
    )
    const own = verifyReceipt(file, [])
    assert.equal(own.isValid, true)
    assert.match(own.sentence, /The keys came from the receipt itself, so compare \S{43} with the seal keys/)
    assert.ok(own.sentence.includes(receipt.keys.seal.kid))
  })

  test('tells of every event, in a sentence without a gap', async () => {
    const events = Object.keys(evidenceEvents) as (keyof typeof evidenceEvents)[]
    for (const type of events) {
      const audience = type === 'message.rejected' || type.startsWith('service.') ? 'sender' : 'recipient'
      const facts = {
        by: { kind: 'helper', id: '1', name: 'Mel', onBehalfOf: 'Rosa Example' } as const,
        reasons: [{ code: 'a-code', reason: 'It was so' }],
        parts: [],
        senderName: 'Northfold Council',
        serviceName: 'Council tax',
        addressedBy: 'link',
        isToService: false,
        door: 'citizen-pages',
        action: { id: 'a', kind: 'pay', label: 'Pay your bill', state: 'done', digest: 'd'.repeat(64) } as const,
      }
      const { file, trusted } = await sampleReceipt({ type, audience, ...(type === 'message.accepted' ? {} : { facts }) })
      const verdict = verifyReceipt(file, [], trusted)
      assert.deepEqual(failing(verdict), [], type)
      assert.match(verdict.sentence, /^Valid\. [A-Z“][^\n]*5 November 2026[^\n]* Proved: [^\n]*\.$/, type)
      assert.doesNotMatch(verdict.sentence, /undefined| {2}/, type)
    }
  })

  test('of which any byte is changed is refused, and the check that failed is named', () => {
    const wrong: string[] = []
    for (let place = 0; place < file.length; place += 1) {
      for (const change of [1, 0x20, 0x80]) {
        const changed = Buffer.from(file)
        changed[place]! ^= change
        const read = parseReceipt(changed)
        // Either makes the form fail; what the other checks then say takes long, and is asked for some.
        const isRefused = typeof read === 'string' || !read.isWhole
        if (!isRefused) wrong.push(`${place} ^ ${change}`)
        if ((place + change) % 10 !== 0) continue
        const verdict = verifyReceipt(changed, [], change === 1 ? trusted : undefined)
        if (verdict.isValid || !failing(verdict).includes('form') || !/^Not valid\. Form: /.test(verdict.sentence))
          wrong.push(`${place} ^ ${change}: ${verdict.sentence}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  test('of which a byte was added, taken out or cut off is refused', () => {
    for (let place = 0; place <= file.length; place += 37) {
      const added = Buffer.concat([file.subarray(0, place), Buffer.from('A'), file.subarray(place)])
      const taken = Buffer.concat([file.subarray(0, place), file.subarray(place + 1)])
      assert.equal(verifyReceipt(added, [], trusted).isValid, false, `added at ${place}`)
      if (place < file.length) assert.equal(verifyReceipt(taken, [], trusted).isValid, false, `taken at ${place}`)
      if (place < file.length) assert.deepEqual(failing(verifyReceipt(file.subarray(0, place), [], trusted)), [...checkNames])
    }
  })

  test('is refused with what another says, whatever its digest', async () => {
    const other = await sampleReceipt({ type: 'message.opened' })
    const cases: [string, Partial<Receipt>, string[]][] = [
      ['another record', { record: other.receipt.record }, ['seal', 'inclusion']],
      ['another salt', { salt: randomBytes(32) }, ['seal', 'inclusion']],
      ['another seal', { seal: other.receipt.seal }, ['seal']],
      ['another time-stamp', { timeStamp: other.receipt.timeStamp! }, ['time']],
      ['another place', { index: 42 }, ['seal', 'inclusion']],
      ['another path', { path: other.receipt.path }, ['inclusion']],
      ['another checkpoint', { note: other.receipt.note }, ['time', 'inclusion']],
      ['a path too short', { path: receipt.path.slice(1) }, ['inclusion']],
      ['no cosignature', { note: { ...receipt.note, signatures: receipt.note.signatures.slice(0, 1) } }, ['cosignatures']],
      ['no log’s signature', { note: { ...receipt.note, signatures: receipt.note.signatures.slice(1) } }, ['inclusion']],
    ]
    for (const [what, change, expected] of cases) assert.deepEqual(failing(verifyWith(sample, change)), expected, what)
  })

  test('is refused where its record is changed at all, or is not spelled canonically', () => {
    const value = JSON.parse(receipt.record)
    for (const key of Object.keys(value)) {
      const changed = canonical({ ...value, [key]: typeof value[key] === 'string' ? `${value[key]}x` : 7 })
      assert.equal(verifyWith(sample, { record: changed }).isValid, false, key)
    }
    assert.deepEqual(failing(verifyWith(sample, { record: `${receipt.record} ` })), [...checkNames])
    assert.deepEqual(failing(verifyWith(sample, { record: canonical({ ...value, more: 1 }) })), [...checkNames])
  })

  test('of one side is not one of the other', async () => {
    const sender = await sampleReceipt({ audience: 'sender' })
    assert.equal(verifyReceipt(sender.file, [], sender.trusted).isValid, true)
    const swapped = verifyWith(sample, { record: sender.receipt.record, salt: sender.receipt.salt })
    assert.deepEqual(failing(swapped), ['seal', 'inclusion'])
  })

  test('is sealed where its commitment stands in its place among the entries that the seal is over', async () => {
    const entries = Buffer.from(receipt.seal.split('.')[1]!, 'base64url')
    const { seal } = deriveEvidenceKeys(Buffer.alloc(32, 7))
    const failingWith = async (payload: Buffer) => {
      const signature = await signJws(seal, 'dp-evidence+jws', payload)
      return failing(verifyWith(sample, { seal: compactJws(seal.keyId, 'dp-evidence+jws', payload, signature) }))
    }
    assert.deepEqual(await failingWith(entries), [])
    assert.deepEqual(
      await failingWith(Buffer.concat([entries.subarray(32), entries.subarray(0, 32)])),
      ['seal'],
      'in another place',
    )
    assert.deepEqual(await failingWith(entries.subarray(0, 1023)), ['seal'], 'cut off')
    assert.deepEqual(await failingWith(Buffer.concat([entries, Buffer.alloc(32)])), ['seal'], 'too long')
    assert.deepEqual(await failingWith(Buffer.alloc(0)), ['seal'])
  })

  test('counts only with keys that are trusted, where somebody says which', async () => {
    const forged = await sampleReceipt({ secret: Buffer.alloc(32, 9) })
    assert.equal(verifyReceipt(forged.file, []).isValid, true)
    assert.deepEqual(failing(verifyReceipt(forged.file, [], trusted)), ['seal', 'inclusion', 'cosignatures'])
    assert.deepEqual(failing(verifyReceipt(file, [], { ...trusted, timeStampAuthorities: [] })), ['time'])
    assert.deepEqual(failing(verifyReceipt(file, [], { ...trusted, witnesses: [] })), ['cosignatures'])
    assert.deepEqual(failing(verifyReceipt(file, [], { ...trusted, log: [] })), ['inclusion', 'cosignatures'])
    // A seal key under the name of another.
    const keys = { ...forged.receipt.keys, seal: { ...forged.receipt.keys.seal, kid: receipt.keys.seal.kid } }
    assert.ok(failing(verifyWith(forged, { keys }, false)).includes('form'))
  })

  test('takes its time from the time-stamp, or else from the witnesses, and never from before the event', async () => {
    const at = new Date('2026-11-05T10:00:00.123Z')
    const verdictOf = async (options: Parameters<typeof sampleReceipt>[0]) => {
      const { file, trusted } = await sampleReceipt({ at, ...options })
      return verifyReceipt(file, [], trusted)
    }
    const unstamped = await verdictOf({ stampedAt: undefined })
    assert.equal(unstamped.isValid, true)
    assert.match(unstamped.checks.find(({ name }) => name === 'time')!.says, /There is no time-stamp.*5 November 2026 at 10:00/)
    assert.deepEqual(failing(await verdictOf({ stampedAt: undefined, cosignedAt: undefined })), ['time', 'cosignatures'])
    const hourBefore = new Date(at.getTime() - 3_600_000)
    assert.deepEqual(failing(await verdictOf({ stampedAt: hourBefore })), ['time'])
    assert.deepEqual(failing(await verdictOf({ cosignedAt: hourBefore })), ['time'])
  })

  test('is held against documents: those of the letter, in whatever order, and no other', () => {
    const check = (...documents: { name: string; bytes: Buffer }[]) =>
      verifyReceipt(file, documents, trusted).checks.find(({ name }) => name === 'content')!
    const [text, bill] = [
      { name: 'letter.md', bytes: letterText },
      { name: 'any name.pdf', bytes: letterDocument },
    ]
    assert.match(check(bill, text).says, /“any name.pdf” is the main document of the letter, “bill.pdf”.*“letter.md” is the text/)
    assert.match(check().says, /No document was given/)
    const other = { name: 'other.pdf', bytes: Buffer.concat([letterDocument, Buffer.from(' ')]) }
    assert.deepEqual(failing(verifyReceipt(file, [text, other], trusted)), ['content'])
    assert.match(check(text, other).says, /“other.pdf” is no part of this letter/)
    const large = { name: 'large', digest: hash('sha256', letterDocument), size: documentsBytesMax + 1 }
    assert.deepEqual(failing(verifyReceipt(file, [large], trusted)), ['content'])
  })
})

describe('what is no receipt', async () => {
  const { file, receipt, trusted } = await sampleReceipt()
  const extraOf = (value: object) => {
    const lines = file.toString().split('\n')
    lines[1] = `extra ${Buffer.from(JSON.stringify(value)).toString('base64')}`
    return Buffer.from(lines.join('\n'))
  }
  const hostile: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(100_000)],
    ['a hundred megabytes', Buffer.alloc(100_000_000, file.subarray(0, 23))],
    ['the largest that is read', Buffer.concat([file.subarray(0, 23), Buffer.alloc(receiptBytesMax - 23, 'A\n')])],
    ['no extra', Buffer.from(file.toString().replace(/extra .*\n/, ''))],
    ['an extra of another kind', extraOf({ format: 'something' })],
    ['an extra that is deep', extraOf(JSON.parse(`${'{"record":'.repeat(2_000)}1${'}'.repeat(2_000)}`))],
    [
      'an extra that is deeper',
      Buffer.from(file.toString().replace(/extra .*/, `extra ${Buffer.from('['.repeat(600_000)).toString('base64')}`)),
    ],
    [
      'an extra with __proto__',
      Buffer.from(file.toString().replace(/extra .*/, `extra ${Buffer.from('{"__proto__":{}}').toString('base64')}`)),
    ],
    ['a second file after it', Buffer.concat([file, file])],
    ['line ends of Windows', Buffer.from(file.toString().replaceAll('\n', '\r\n'))],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), file])],
  ]

  test('ends in a sentence, soon', () => {
    for (const [what, bytes] of hostile) {
      const start = performance.now()
      const verdict = verifyReceipt(bytes, [], trusted)
      assert.equal(verdict.isValid, false, what)
      assert.match(verdict.sentence, /^Not valid\. Form: The file .+\.$/, what)
      assert.ok(performance.now() - start < 10_000, what)
    }
    for (let i = 0; i < 500; i += 1) {
      const noise = Buffer.concat([file.subarray(0, i % 2 === 0 ? 0 : 23 + 7 * i), randomBytes(10 * i)])
      assert.equal(verifyReceipt(noise, [], trusted).isValid, false)
    }
  })

  test('ends in a sentence too where all that can be hostile is', () => {
    const key = receipt.keys.seal
    const changes: Partial<Receipt>[] = [
      { seal: '' },
      { seal: '..' },
      { seal: `${Buffer.from('null').toString('base64url')}.a.b` },
      { seal: `${'a'.repeat(500_000)}.a.b` },
      { timeStamp: randomBytes(60_000) },
      { timeStamp: Buffer.from('30803080', 'hex') },
      { keys: { ...receipt.keys, seal: { ...key, x: 'AAAA' } } },
      { keys: { ...receipt.keys, log: '+'.repeat(1_000) } },
      { keys: { ...receipt.keys, witnesses: Array(100).fill('x') } },
      { keys: { ...receipt.keys, timeStampAuthority: '-----BEGIN CERTIFICATE-----' } },
      { path: Array.from({ length: 63 }, () => randomBytes(32)) },
      { index: Number.MAX_SAFE_INTEGER },
      { note: { ...receipt.note, signatures: Array(100).fill({ name: 'witness.example', id: 1, signature: Buffer.alloc(72) }) } },
    ]
    for (const change of changes) {
      for (const trust of [trusted, undefined]) {
        const verdict = verifyReceipt(Buffer.from(formatReceipt({ ...receipt, ...change })), [], trust)
        const isHarmless = trust !== undefined && change.keys !== undefined
        assert.equal(verdict.isValid, isHarmless, Object.keys(change).join())
        assert.match(verdict.sentence, /^(Not valid|Valid)\. .+\.$/)
      }
    }
  })

  test('puts nothing into its sentence that moves a cursor or turns a text round', async () => {
    const nasty = '\u001b[2JValid.\u202e\nabc\u0000'
    const { file, trusted } = await sampleReceipt({
      type: 'message.rejected',
      audience: 'sender',
      facts: {
        by: { kind: 'system', id: 'x', name: nasty },
        parts: [],
        subject: nasty.repeat(100),
        senderName: nasty,
        serviceName: nasty,
        addressedBy: 'link',
        isToService: false,
        door: 'sender-api',
        reasons: [{ code: nasty, reason: nasty }],
      },
    })
    const { isValid, sentence } = verifyReceipt(file, [], trusted)
    assert.equal(isValid, true)
    assert.doesNotMatch(sentence, /[\p{Cc}\u202e]/u)
    assert.ok(sentence.length < 3_000)
  })
})

test('a receipt is read back as it was written, and has one spelling', async () => {
  const { receipt, file } = await sampleReceipt()
  const { isWhole, checkpoint, ...read } = parseReceipt(file) as Exclude<ReturnType<typeof parseReceipt>, string>
  assert.deepEqual(read, receipt)
  assert.equal(isWhole, true)
  assert.equal(checkpoint.size, 300)
  assert.equal(formatReceipt(read), file.toString())
})

test('the example in the documentation is valid as it is described there', () => {
  const read = (name: string) => readFileSync(path.join(import.meta.dirname, '../../docs/evidence-example', name))
  const trusted = readTrustedKeys(JSON.parse(read('keys.json').toString()))
  assert.ok(typeof trusted !== 'string', String(trusted))
  const verdict = verifyReceipt(read('receipt.tlog-proof'), [{ name: 'letter.md', bytes: read('letter.md') }], trusted)
  assert.ok(verdict.isValid, verdict.sentence)
})
