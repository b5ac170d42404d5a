import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  decodeBase64,
  formatNote,
  formatVerifierKey,
  keyId,
  type NoteSignature,
  noteBytesMax,
  parseNote,
  parseVerifierKey,
  signatureTypes,
  signNote,
  type VerifierKey,
  verifierKey,
  verifyEd25519,
  verifyNote,
} from './note.ts'

const [log, other] = ['example.com/log', 'example.com/other'].map((name) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { name, privateKey, key: verifierKey(name, signatureTypes.ed25519, publicKey) }
}) as [Signer, Signer]
type Signer = { name: string; privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']; key: VerifierKey }

const text = 'A text\n\nof three lines\n'
const signed = (...signers: Signer[]) =>
  formatNote({ text, signatures: signers.map((s) => signNote(text, s.name, s.privateKey)) })
const opened = (note: string | Uint8Array, ...keys: VerifierKey[]) => {
  const parsed = parseNote(note)
  return parsed && verifyNote(parsed, keys)
}
const name = fc.stringMatching(/^[a-z0-9./é-]{1,20}$/)
const line = fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll(/\p{Cc}/gu, '.'))
const someText = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => `${lines.join('\n')}\n`)

/** The example of Go's golang.org/x/mod/sumdb/note, whose documentation gives key and note. */
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const goNote = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`

describe('a note', () => {
  test('made by another program is read and verified', () => {
    const key = parseVerifierKey(goKey)!
    assert.equal(formatVerifierKey(key), goKey)
    assert.deepEqual(opened(goNote, key), { signers: [key], unknown: [] })
    assert.deepEqual(opened(Buffer.from(goNote), key), { signers: [key], unknown: [] })
    assert.equal(opened(goNote.replace('know', 'knew'), key), undefined)
  })

  test('that was signed is read as it was, and written the same again', () => {
    fc.assert(
      fc.property(someText, name, (text, name) => {
        const note = { text, signatures: [signNote(text, name, log.privateKey), signNote(text, 'x', other.privateKey)] }
        const written = formatNote(note)
        assert.deepEqual(parseNote(written), note)
        assert.deepEqual(parseNote(Buffer.from(written)), note)
        assert.ok(verifyNote(note, [verifierKey(name, signatureTypes.ed25519, log.privateKey)]))
      }),
    )
  })

  test('is not verified once any byte is another', () => {
    const bytes = Buffer.from(signed(log))
    for (const at of bytes.keys()) {
      for (const bit of [1, 2, 32, 128]) {
        const changed = Buffer.from(bytes)
        changed[at]! ^= bit
        assert.equal(opened(changed, log.key), undefined, `byte ${at}`)
      }
    }
  })

  test('is verified by each of its known signatures, and gives back the others apart', () => {
    const note = signed(log, other)
    assert.deepEqual(opened(note, log.key, other.key), { signers: [log.key, other.key], unknown: [] })
    const verified = opened(note, log.key)!
    assert.deepEqual(verified.signers, [log.key])
    assert.deepEqual(
      verified.unknown.map(({ name, id }) => [name, id]),
      [[other.name, other.key.id]],
    )
    assert.deepEqual(opened(signed(log, log), log.key)!.signers, [log.key])
  })

  test('that no known key signed is refused, also where the name or the id alone is known', () => {
    assert.equal(opened(signed(other), log.key), undefined)
    assert.equal(opened(signed(other)), undefined)
    const [sameName, sameId] = [
      { ...log.key, id: log.key.id ^ 1 },
      { ...log.key, name: 'example.com/another' },
    ]
    assert.equal(opened(signed(log), { ...sameName, id: sameName.id >>> 0 }), undefined)
    assert.equal(opened(signed(log), sameId), undefined)
  })

  test('is refused where the signature of one known key is wrong, though another is right', () => {
    const right = signNote(text, log.name, log.privateKey)
    const wrong = { ...signNote(`${text}more\n`, other.name, other.privateKey) }
    const note = { text, signatures: [right, wrong] }
    assert.equal(verifyNote(note, [log.key, other.key]), undefined)
    assert.ok(verifyNote(note, [log.key]))
  })

  test('is not verified by a key of another type', () => {
    const { publicKey } = log.key
    const key = { name: log.name, id: log.key.id, type: signatureTypes.cosignature, publicKey }
    assert.equal(opened(signed(log), key), undefined)
  })

  test('is nothing where it is not written just so', () => {
    const note = signed(log)
    const signature = note.slice(text.length + 1)
    const base64 = signature.slice(0, -1).split(' ')[2]!
    const wrong = [
      ...[
        '',
        '\n',
        '\n\n',
        text,
        `${text}\n`,
        `\n${signature}`,
        signature,
        `${text}${signature}`,
        note.slice(0, -1),
        `${note}\n`,
      ],
      ...[`${note}x`, `${note}x\n`, `${note} `, note.replace('— ', '- '), note.replace('— ', '—  '), note.replace('— ', ' — ')],
      ...[
        note.replaceAll('\n', '\r\n'),
        `\0${note}`,
        `\t${note}`,
        note.replace(/\n$/, ' \n'),
        note.replace(base64, `${base64} x`),
      ],
      ...[note.replace(base64, ''), note.replace(base64, 'AAAA'), note.replace(base64, 'AAAAAA=='), `\ud800${note}`],
      ...[base64.slice(0, -1), `${base64}=`, `${base64.slice(0, 4)}\u00a0${base64.slice(4)}`].map((b) => note.replace(base64, b)),
      ...['', 'a b', 'a+b', 'a\u00a0b', 'a\u2003b', 'a\u0085b'].map((name) => note.replace(log.name, name)),
    ]
    for (const input of wrong) assert.equal(parseNote(input), undefined, JSON.stringify(input))
    assert.equal(parseNote(Buffer.from(note).subarray(0, -2)), undefined)
    assert.equal(parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from(note)])), undefined)
    assert.equal(parseNote(Buffer.concat([Buffer.of(0xc0, 0x8a), Buffer.from(note)])), undefined)
  })

  test('keeps a byte order mark, which is signed too', () => {
    const text = '\ufeffA text\n'
    const note = formatNote({ text, signatures: [signNote(text, log.name, log.privateKey)] })
    assert.equal(parseNote(Buffer.from(note))!.text, text)
    assert.ok(opened(Buffer.from(note), log.key))
  })

  test('has one spelling only: what is read is written the same again', () => {
    const alphabet = fc.constantFrom(
      '\n',
      '\n\n',
      '— ',
      ' ',
      'a',
      '+',
      '=',
      'AAAAAAA=',
      'AAAAAAB=',
      '\n\n— a AAAAAAA=\n',
      '\u00a0',
      '\r',
    )
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
        const parsed = parseNote(parts.join(''))
        if (parsed) assert.equal(formatNote(parsed), parts.join(''))
      }),
      { numRuns: 2_000 },
    )
  })

  test('has at most a hundred signatures and a million bytes', () => {
    const many = (count: number) =>
      formatNote({ text, signatures: Array<NoteSignature>(count).fill(parseNote(signed(log))!.signatures[0]!) })
    assert.equal(parseNote(many(100))!.signatures.length, 100)
    assert.equal(parseNote(many(101)), undefined)
    const note = signed(log)
    const padded = (bytes: number) => 'é'.repeat((bytes - Buffer.byteLength(note)) / 2) + note
    const even = noteBytesMax - ((noteBytesMax - Buffer.byteLength(note)) % 2)
    assert.ok(parseNote(padded(even)))
    assert.equal(parseNote(padded(even + 2)), undefined)
    assert.equal(parseNote(Buffer.from(padded(even + 2))), undefined)
    for (const hostile of ['\n', '— ', '— a AAAAAAA=\n', ' ', '\n\n— ']) {
      assert.equal(parseNote(hostile.repeat(noteBytesMax / Buffer.byteLength(hostile))), undefined)
    }
  })

  test('is not signed where nobody could read it', () => {
    for (const bad of ['', 'no newline', 'a\r\n', 'a\0\n', '\ud800\n', 'a'.repeat(noteBytesMax)]) {
      assert.throws(() => signNote(bad, log.name, log.privateKey), /ends in a newline/)
    }
    for (const name of ['', 'a b', 'a+b', 'a\n']) assert.throws(() => signNote(text, name, log.privateKey), /name of a key/)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    assert.throws(() => signNote(text, log.name, privateKey), /Ed25519/)
  })
})

describe('a verifier key', () => {
  test('made by another program has the id that it says', () => {
    const sum = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
    assert.equal(parseVerifierKey(sum)!.id, 0x033de0ae)
  })

  test('is read as it was written', () => {
    const types = fc.constantFrom(...Object.values(signatureTypes))
    fc.assert(
      fc.property(name, types, fc.uint8Array({ minLength: 32, maxLength: 32 }), (name, type, bytes) => {
        const publicKey = Buffer.from(bytes)
        const key = { name, id: keyId(name, type, publicKey), type, publicKey }
        assert.deepEqual(parseVerifierKey(formatVerifierKey(key)), key)
        assert.equal(verifyEd25519('text', key, Buffer.alloc(64)), false)
      }),
    )
  })

  test('has another id under another name, type or key', () => {
    const { publicKey } = log.key
    const ids = [keyId('a', 1, publicKey), keyId('b', 1, publicKey), keyId('a', 4, publicKey), keyId('a', 1, other.key.publicKey)]
    assert.equal(new Set(ids).size, 4)
  })

  test('is nothing where it is not written just so', () => {
    const vkey = formatVerifierKey(log.key)
    const [, id, base64] = /^[^+]+\+([^+]+)\+(.+)$/.exec(vkey)!
    const wrong = [
      ...['', '+', '++', vkey.slice(0, -1), `${vkey}=`, `${vkey}\n`, ` ${vkey}`, `${vkey}+`, vkey.toUpperCase(), `x${vkey}`],
      ...[vkey.replace(id!, `0${id}`), vkey.replace(id!, ''), vkey.replace(id!, '00000000'), vkey.replace(base64!, '')],
      ...[`B${base64!.slice(1)}`, `${base64}AAAA`, Buffer.alloc(33).toString('base64')].map((b) => vkey.replace(base64!, b)),
      ...['+'.repeat(1_000_000), `${'a'.repeat(1_000_000)}+${id}+${base64}`, `a+${id}+${'A'.repeat(1_000_000)}`],
    ]
    for (const text of wrong) assert.equal(parseVerifierKey(text), undefined, text.slice(0, 200))
  })
})

describe('base64', () => {
  test('is read only as it would be written', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.stringMatching(/^[A-Da-d+/=-]{0,9}$/), (bytes, text, likely) => {
        assert.deepEqual(decodeBase64(Buffer.from(bytes).toString('base64')), Buffer.from(bytes))
        for (const s of [text, likely]) assert.ok([undefined, s].includes(decodeBase64(s)?.toString('base64')))
      }),
    )
    for (const wrong of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA=', 'AA==\n', ' AA==', '-_8=', 'AA==AA==']) {
      assert.equal(decodeBase64(wrong), undefined, wrong)
    }
  })
})
