import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { readConfig } from '../config.ts'
import { makeKeysFile, publicLogKeys } from './keys.ts'
import { formatVerifierKey, signatureTypes, verifierKey } from './note.ts'
import { openEvidence } from './open-evidence.ts'

const demo = readConfig({ DEMO: 'true' })
const open = (change: Partial<(typeof demo)['evidence']>) => openEvidence({ ...demo, evidence: { ...demo.evidence, ...change } })

type KeysFile = Record<'seal' | 'log', { privateKey: string }> & Record<'formerSealKeys' | 'formerLogKeys', string[]>

describe('the settings of evidence', () => {
  test('make the same keys and witness for every start of a demo, and others for another secret', () => {
    const known = (config: typeof demo) => {
      const { keys, attestors } = openEvidence(config)
      return [keys.seal.keyId, ...publicLogKeys(keys, 'x'), ...attestors.witnesses.map(({ key }) => formatVerifierKey(key))]
    }
    assert.deepEqual(known(demo), known(readConfig({ DEMO: 'true', PORT: '8080' })))
    const other = known(readConfig({ DEMO: 'true', SECRET_KEY: Buffer.alloc(32, 9).toString('base64') }))
    assert.equal(new Set([...known(demo), ...other]).size, 6)
    assert.equal(openEvidence(readConfig({ DEMO: 'true', BASE_URL: 'https://post.example' })).origin, 'post.example/log')
  })

  test('take the keys of a file, and those of before beside them', () => {
    const [before, now] = [makeKeysFile() as KeysFile, makeKeysFile() as KeysFile]
    const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const { keys } = open({ keys: { ...now, formerSealKeys: [before.seal.privateKey], formerLogKeys: [publicKey] } })
    const former = open({ keys: before }).keys
    assert.deepEqual([...keys.sealKeys.keys()], [keys.seal.keyId, former.seal.keyId])
    assert.equal(publicLogKeys(keys, 'post.example/log').length, 2)
  })

  test('name a key once that was announced before it was used', () => {
    const file = makeKeysFile() as KeysFile
    const { keys } = open({ keys: { ...file, formerSealKeys: [file.seal.privateKey], formerLogKeys: [file.log.privateKey] } })
    assert.deepEqual([keys.sealKeys.size, publicLogKeys(keys, 'post.example/log').length], [1, 1])
  })

  test('stop the start with a sentence where a key is none, and never repeat it', () => {
    const file = makeKeysFile() as KeysFile
    const swapped = { ...file, seal: file.log }
    for (const keys of [
      null,
      {},
      swapped,
      { ...file, log: file.seal },
      { ...file, more: 1 },
      { ...file, formerSealKeys: ['-----BEGIN X'] },
      { ...file, formerSealKeys: [file.log.privateKey] },
      { ...file, formerLogKeys: [file.seal.privateKey] },
    ]) {
      assert.throws(
        () => open({ keys }),
        ({ message }: Error) => /^EVIDENCE_KEYS_FILE is wrong: .+\.$/.test(message) && !message.includes('PRIVATE KEY'),
      )
    }
    const { publicKey } = generateKeyPairSync('ed25519')
    const ofNotes = formatVerifierKey(verifierKey('witness.example', signatureTypes.ed25519, publicKey))
    const otherId = formatVerifierKey(verifierKey('witness.example', signatureTypes.cosignature, publicKey)).replace(
      'example+',
      'example+0',
    )
    for (const key of [ofNotes, otherId, 'nothing']) {
      assert.throws(() => open({ witnesses: [{ url: 'https://witness.example', key }] }), /^Error: LOG_WITNESSES is wrong: .+\.$/)
    }
  })
})
