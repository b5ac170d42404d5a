import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { cosign, verifyCosignatures } from './cosignature.ts'
import { formatNote, parseNote, signatureTypes, signNote, verifierKey, verifyNote } from './note.ts'

const [log, witness, other] = ['example.com/log', 'witness.example/w1', 'witness.example/w2'].map((name) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const keyOf = (type: 1 | 4) => verifierKey(name, type, publicKey)
  return { name, privateKey, publicKey, noteKey: keyOf(signatureTypes.ed25519), key: keyOf(signatureTypes.cosignature) }
}) as [Party, Party, Party]
type Party = Record<'privateKey' | 'publicKey', ReturnType<typeof generateKeyPairSync>['privateKey']> & {
  name: string
  noteKey: ReturnType<typeof verifierKey>
  key: ReturnType<typeof verifierKey>
}

const text = formatCheckpoint({ origin: log.name, size: 7, root: Buffer.alloc(32, 1) })
const now = new Date('2026-11-26T10:00:00.999Z')
const seconds = Date.parse('2026-11-26T10:00:00Z') / 1_000
const cosignedBy = ({ name, privateKey }: Party, at = now) => cosign(text, name, privateKey, at)
const logSignature = signNote(text, log.name, log.privateKey)

describe('a cosignature', () => {
  test('signs the header, the time and the whole text of the checkpoint', () => {
    const extended = formatCheckpoint({ origin: log.name, size: 7, root: Buffer.alloc(32, 1), extensions: ['more'] })
    const { name, id, signature } = cosign(extended, witness.name, witness.privateKey, now)
    assert.deepEqual([name, id], [witness.name, witness.key.id])
    assert.equal(signature.length, 72)
    assert.equal(signature.readBigUInt64BE(), BigInt(seconds))
    const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${extended}`)
    assert.ok(verify(null, message, witness.publicKey, signature.subarray(8)))
  })

  test('is found beside the signature of the log, with its time', () => {
    const note = parseNote(formatNote({ text, signatures: [logSignature, cosignedBy(witness), cosignedBy(other)] }))!
    const verified = verifyCosignatures(note, [witness.key, other.key])!
    assert.deepEqual(
      verified.cosignatures.map(({ key, timestamp }) => [key, timestamp]),
      [
        [witness.key, seconds],
        [other.key, seconds],
      ],
    )
    assert.deepEqual(verified.unknown, [logSignature])
  })

  test('of nobody unknown: what the log and its witnesses leave over is nothing', () => {
    const note = { text, signatures: [logSignature, cosignedBy(witness), cosignedBy(other)] }
    const { unknown } = verifyNote(note, [log.noteKey])!
    assert.deepEqual(verifyCosignatures({ text, signatures: unknown }, [witness.key, other.key])!.unknown, [])
    assert.deepEqual(verifyCosignatures({ text, signatures: unknown }, [witness.key])!.unknown, [cosignedBy(other)])
  })

  test('of a witness that is not known counts for nothing', () => {
    const verified = verifyCosignatures({ text, signatures: [cosignedBy(other)] }, [witness.key])!
    assert.deepEqual([verified.cosignatures.length, verified.unknown.length], [0, 1])
  })

  test('is wrong once a bit of it, or the time, or the checkpoint is another', () => {
    const cosignature = cosignedBy(witness)
    for (let bit = 0; bit < 72 * 8; bit += 1) {
      const signature = Buffer.from(cosignature.signature)
      signature[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(verifyCosignatures({ text, signatures: [{ ...cosignature, signature }] }, [witness.key]), undefined)
    }
    for (const end of [1, 7, 8, 71]) {
      const cut = { ...cosignature, signature: cosignature.signature.subarray(0, end) }
      assert.equal(verifyCosignatures({ text, signatures: [cut] }, [witness.key]), undefined)
    }
    const larger = formatCheckpoint({ origin: log.name, size: 8, root: Buffer.alloc(32, 1) })
    assert.equal(verifyCosignatures({ text: larger, signatures: [cosignature] }, [witness.key]), undefined)
  })

  test('that is wrong spoils those that are right', () => {
    const wrong = { ...cosignedBy(other), signature: cosignedBy(witness).signature }
    assert.equal(verifyCosignatures({ text, signatures: [cosignedBy(witness), wrong] }, [witness.key, other.key]), undefined)
  })

  test('is no signature of a note, nor the other way round, though the key be the same', () => {
    const cosignature = { ...cosignedBy(witness), id: witness.noteKey.id }
    assert.equal(verifyNote({ text, signatures: [cosignature] }, [witness.noteKey]), undefined)
    const signature = signNote(text, witness.name, witness.privateKey)
    assert.notEqual(signature.id, witness.key.id)
    assert.deepEqual(verifyCosignatures({ text, signatures: [signature] }, [witness.key])!.cosignatures, [])
    assert.deepEqual(verifyCosignatures({ text, signatures: [signature] }, [witness.noteKey])!.cosignatures, [])
  })

  test('is made again at any time since 1970, of a checkpoint only', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), noInvalidDate: true }), (at) => {
        const verified = verifyCosignatures({ text, signatures: [cosignedBy(witness, at)] }, [witness.key])!
        assert.equal(verified.cosignatures[0]!.timestamp, Math.floor(at.getTime() / 1_000))
      }),
      { numRuns: 30 },
    )
    for (const at of [new Date(-1_000), new Date(Number.NaN)]) assert.throws(() => cosignedBy(witness, at), /since 1970/)
    assert.throws(() => cosign('a text\n', witness.name, witness.privateKey, now), /of a checkpoint/)
    assert.equal(verifyCosignatures({ text: 'a text\n', signatures: [cosignedBy(witness)] }, [witness.key]), undefined)
  })
})
