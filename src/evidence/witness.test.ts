import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { cosign, verifyCosignatures } from './cosignature.ts'
import { formatSignature, type Note, parseNote, signatureTypes, signNote, verifierKey } from './note.ts'
import { appendLeaves, hashesIn } from './tile.ts'
import { consistencyProof, emptyRoot, leafHash, rootAt } from './tree.ts'
import {
  addCheckpointBytesMax,
  answerAddCheckpoint,
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseWitnessReply,
} from './witness.ts'

const keyPair = (name: string) => ({ name, ...generateKeyPairSync('ed25519') })
const [log, stranger, witness] = [keyPair('example.com/log'), keyPair('example.com/log'), keyPair('witness.example/w1')]
const logKeys = [verifierKey(log.name, signatureTypes.ed25519, log.publicKey)]
const witnessKeys = [verifierKey(witness.name, signatureTypes.cosignature, witness.publicKey)]
const now = new Date('2026-11-26T10:00:00Z')
const seconds = now.getTime() / 1_000

const history = (prefix: string) => {
  const { tiles } = appendLeaves(
    [],
    0,
    Array.from({ length: 200 }, (_, i) => leafHash(Buffer.from(`${prefix} ${i}`))),
  )
  const hashAt = hashesIn(tiles)
  return {
    treeOf: (size: number) => ({ size, root: rootAt(size, hashAt) }),
    proof: (a: number, b: number) => consistencyProof(a, b, hashAt),
  }
}
const [ours, another] = [history('ours'), history('another')]

function signed(tree: { size: number; root: Buffer }, { name, privateKey } = log): Note {
  const text = formatCheckpoint({ origin: log.name, ...tree })
  return { text, signatures: [signNote(text, name, privateKey)] }
}
type Request = Parameters<typeof formatAddCheckpoint>[0]
const requestOf = (oldSize: number, size: number, change: Partial<Request> = {}): Request => ({
  oldSize,
  proof: ours.proof(oldSize, size),
  note: signed(ours.treeOf(size)),
  ...change,
})
const answer = (body: string, known?: { size: number; root: Buffer }, keys: typeof logKeys | undefined = logKeys) =>
  answerAddCheckpoint(parseAddCheckpoint(body), keys, known, witness, now)
const answerTo = (request: Request, known?: { size: number; root: Buffer }) => answer(formatAddCheckpoint(request), known)
const read = (answered: ReturnType<typeof answer>, { text }: Note) => parseWitnessReply(answered, text, witnessKeys)

describe('a witness', () => {
  test('cosigns what follows on what it knows, and remembers it', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 6 }).map((s) => s.sort((a, b) => a - b))
    fc.assert(
      fc.property(sizes, (sizes) => {
        let known: { size: number; root: Buffer } | undefined
        for (const size of sizes) {
          const request = requestOf(known?.size ?? 0, size)
          const answered = answerTo(request, known)
          assert.equal(answered.status, 200)
          assert.deepEqual(answered.remember, { origin: log.name, ...ours.treeOf(size) })
          const note = parseNote(`${request.note.text}\n${answered.body}`)!
          assert.equal(verifyCosignatures(note, witnessKeys)!.cosignatures[0]!.timestamp, seconds)
          known = answered.remember
        }
      }),
      { numRuns: 30 },
    )
  })

  test('answers 400 to what is no request, and to an old size above the checkpoint', () => {
    assert.equal(answer('').status, 400)
    const request = requestOf(7, 7)
    assert.equal(answerTo({ ...request, oldSize: 8 }, ours.treeOf(8)).status, 400)
    assert.equal(answerTo({ ...request, oldSize: 8 }, ours.treeOf(7)).status, 400)
  })

  test('answers 404 about a log that it does not know, before anything else', () => {
    const body = formatAddCheckpoint({ ...requestOf(0, 7), oldSize: 9 })
    assert.equal(answerAddCheckpoint(parseAddCheckpoint(body), undefined, undefined, witness, now).status, 404)
  })

  test('answers 403 where no key of the log signed, and to any wrong signature of the log', () => {
    const note = signed(ours.treeOf(7), stranger)
    assert.equal(answerTo(requestOf(0, 7, { note })).status, 403)
    const right = signed(ours.treeOf(7))
    const wrong = { ...right.signatures[0]!, signature: Buffer.alloc(64) }
    assert.equal(answerTo(requestOf(0, 7, { note: { ...right, signatures: [wrong] } })).status, 403)
    assert.equal(answerTo(requestOf(0, 7, { note: { ...right, signatures: [...right.signatures, wrong] } })).status, 403)
    const both = { ...right, signatures: [...note.signatures, ...right.signatures] }
    assert.equal(answerTo(requestOf(0, 7, { note: both })).status, 200)
    assert.equal(answer(formatAddCheckpoint(requestOf(0, 7)), undefined, []).status, 403)
  })

  test('answers 409 with the size that it knows where the old size is another', () => {
    for (const [oldSize, known] of [[0, 5] as const, [4, 5] as const, [6, 5] as const]) {
      const answered = answerTo(requestOf(oldSize, 7), ours.treeOf(known))
      assert.deepEqual(answered, { status: 409, contentType: 'text/x.tlog.size', body: '5\n' })
    }
    assert.equal(answerTo(requestOf(3, 7)).body, '0\n')
    assert.equal(answerTo(requestOf(3, 3), ours.treeOf(5)).body, '5\n')
  })

  test('answers 409, without a size, to another root of the size that it knows', () => {
    const answered = answerTo(requestOf(7, 7, { note: signed(another.treeOf(7)) }), ours.treeOf(7))
    assert.equal(answered.status, 409)
    assert.notEqual(answered.contentType, 'text/x.tlog.size')
    const empty = answerTo(requestOf(0, 0, { note: signed({ size: 0, root: Buffer.alloc(32) }) }), ours.treeOf(0))
    assert.equal(empty.status, 409)
  })

  test('answers 422 to another history, and to a proof that does not prove', () => {
    const known = ours.treeOf(5)
    const split = { proof: another.proof(5, 7), note: signed(another.treeOf(7)) }
    const proof = ours.proof(5, 7)
    assert.equal(answerTo(requestOf(5, 7), known).status, 200)
    const wrong = [
      split,
      { ...split, proof },
      { proof: [] },
      { proof: proof.slice(1) },
      { proof: [...proof, proof[0]!] },
      { proof: proof.toReversed() },
    ]
    for (const change of wrong) assert.equal(answerTo(requestOf(5, 7, change), known).status, 422)
    assert.equal(answerTo(requestOf(5, 5, { proof }), known).status, 422)
    assert.equal(answerTo(requestOf(0, 7, { proof })).status, 422)
    assert.equal(answerTo(requestOf(0, 7, { proof }), ours.treeOf(0)).status, 422)
    assert.equal(answerTo(requestOf(0, 0, { note: signed({ size: 0, root: Buffer.alloc(32) }) })).status, 422)
    assert.equal(answerTo(requestOf(0, 0, { note: signed({ size: 0, root: emptyRoot }) })).status, 200)
  })

  test('remembers only what it cosigned', () => {
    const refused = [answer(''), answerTo(requestOf(3, 7)), answerTo(requestOf(0, 7, { note: signed(ours.treeOf(7), stranger) }))]
    for (const { remember } of refused) assert.equal(remember, undefined)
  })
})

describe('an add-checkpoint request', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), (oldSize, more) => {
        const request = requestOf(oldSize, oldSize + more)
        const { checkpoint, ...parsed } = parseAddCheckpoint(Buffer.from(formatAddCheckpoint(request)))!
        assert.deepEqual(parsed, request)
        assert.equal(checkpoint.size, oldSize + more)
      }),
    )
  })

  test('is nothing where it is not written just so', () => {
    const body = formatAddCheckpoint(requestOf(5, 7))
    const proof = ours.proof(5, 7)[0]!.toString('base64')
    const wrong = [
      ...[
        '',
        'old 5',
        'old 5\n\n',
        body.slice(0, -1),
        `${body}\n`,
        `\n${body}`,
        body.replaceAll('\n', '\r\n'),
        body.slice(body.indexOf('\n') + 1),
      ],
      ...['old', 'old ', 'old 05', 'old -5', 'old +5', 'old  5', 'Old 5', 'old 5 ', 'old 9007199254740992'].map((line) =>
        body.replace('old 5', line),
      ),
      ...['', 'AAAA', `${proof} `, `${proof}=`, Buffer.alloc(33).toString('base64')].map((line) => body.replace(proof, line)),
      formatAddCheckpoint(requestOf(5, 7, { proof: Array(64).fill(Buffer.alloc(32)) })),
      formatAddCheckpoint(requestOf(5, 7, { note: { text: 'no checkpoint\n', signatures: signed(ours.treeOf(7)).signatures } })),
      ...['\n', 'old 5\n', 'AAAA\n', '\n\n'].map((hostile) => hostile.repeat(addCheckpointBytesMax / hostile.length)),
    ]
    for (const input of wrong) assert.equal(parseAddCheckpoint(input), undefined, JSON.stringify(input.slice(0, 300)))
    assert.ok(parseAddCheckpoint(formatAddCheckpoint(requestOf(5, 7, { proof: Array(63).fill(Buffer.alloc(32)) }))))
  })
})

describe('the log reads from a witness', () => {
  const { note } = requestOf(0, 7)
  const reply = (body: string | Uint8Array, status = 200, contentType = 'text/plain') =>
    parseWitnessReply({ status, contentType, body }, note.text, witnessKeys)
  const line = formatSignature(cosign(note.text, witness.name, witness.privateKey, now))

  test('its cosignatures, and leaves out those of others', () => {
    const elsewhere = keyPair('witness.example/w2')
    const foreign = formatSignature(cosign(note.text, elsewhere.name, elsewhere.privateKey, now))
    for (const body of [line, foreign + line, line + foreign, Buffer.from(line)]) {
      const read = reply(body)
      assert.ok(read.kind === 'cosigned')
      assert.deepEqual(
        read.cosignatures.map(({ key, timestamp }) => [key, timestamp]),
        [[witnessKeys[0], seconds]],
      )
    }
    assert.deepEqual(reply(foreign), { kind: 'refused', status: 200 })
  })

  test('the size from which to ask again, and then is cosigned', () => {
    const known = ours.treeOf(5)
    const first = read(answerTo(requestOf(0, 7), known), note)
    assert.deepEqual(first, { kind: 'other-size', size: 5 })
    assert.equal(read(answerTo(requestOf(5, 7), known), note).kind, 'cosigned')
    assert.deepEqual(reply('5\n', 409, 'Text/X.tlog.size; charset=utf-8'), first)
  })

  test('that it was refused, whatever else is not to the letter', () => {
    const refused = (status: number) => ({ kind: 'refused', status })
    for (const status of [400, 403, 404, 422, 500, 201, 204]) assert.deepEqual(reply(line, status), refused(status))
    for (const body of ['5', '05\n', '-5\n', ' 5\n', '5\n\n', '', 'x\n', '9007199254740992\n']) {
      assert.deepEqual(reply(body, 409, 'text/x.tlog.size'), refused(409))
    }
    assert.deepEqual(reply('5\n', 409), refused(409))
    const wrongTime = formatSignature(cosign(note.text.replace('7', '8'), witness.name, witness.privateKey, now))
    for (const body of [
      '',
      '\n',
      line.slice(0, -1),
      `${line}\n`,
      `\n${line}`,
      `more\n\n${line}`,
      line + wrongTime,
      Buffer.of(0xff),
    ]) {
      assert.deepEqual(reply(body), refused(200))
    }
    assert.deepEqual(reply(line.repeat(20_000)), refused(200))
  })

  test('that another root of the same size is refused, and not what size to try', () => {
    const split = signed(another.treeOf(7))
    assert.deepEqual(read(answerTo(requestOf(7, 7, { note: split }), ours.treeOf(7)), split), { kind: 'refused', status: 409 })
  })
})
