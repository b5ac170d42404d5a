import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Value } from 'typebox/value'
import { addBatch } from '../../test/log.ts'
import { startServer, type TestServer } from '../../test/server.ts'
import { parseCheckpoint } from '../evidence/checkpoint.ts'
import { completeCheckpoints } from '../evidence/complete-checkpoints.ts'
import { verifyCosignatures } from '../evidence/cosignature.ts'
import { parseNote, parseVerifierKey, verifyNote } from '../evidence/note.ts'
import { openEvidence } from '../evidence/open-evidence.ts'
import { EvidenceRecord } from '../evidence/record.ts'
import { decodeEntries } from '../evidence/tile.ts'
import { leafHash, rootOf } from '../evidence/tree.ts'
import { readTrustedKeys } from '../evidence/trusted-keys.ts'

const now = new Date('2026-11-26T10:00:00Z')

describe('the log of evidence', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({}, () => now)
  })
  after(() => server.stop())

  // As it is written: fetch would tidy an address up.
  const get = (url: string) => server.app.inject({ url })
  const grow = () => addBatch(server.test.database, server.config, now)
  const readNote = async () => {
    const note = parseNote((await get('/log/checkpoint')).body)!
    return { note, checkpoint: parseCheckpoint(note.text)! }
  }
  const readKeys = async () => (await get('/log/keys.json')).json()
  const keysIn = (texts: string[]) => texts.map((text) => parseVerifierKey(text)!)

  test('has no checkpoint before the first, and says so as a problem', async () => {
    const answer = await get('/log/checkpoint')
    assert.equal(answer.statusCode, 404)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    assert.equal((await get('/log/tile/0/000')).statusCode, 404)
    assert.equal((await readKeys()).origin, `${new URL(server.baseUrl).host}/log`)
  })

  test('shows its newest checkpoint, signed by its key and by who cosigned it', async () => {
    await grow()
    const size = await grow()
    await completeCheckpoints(server.test.database, openEvidence(server.config).attestors, now)
    const { headers, statusCode } = await get('/log/checkpoint')
    assert.deepEqual([statusCode, headers['content-type']], [200, 'text/plain; charset=utf-8'])
    assert.deepEqual([headers['cache-control'], headers['access-control-allow-origin']], ['no-cache', '*'])
    const { note, checkpoint } = await readNote()
    const { origin, log, witnesses } = await readKeys()
    assert.deepEqual([checkpoint.size, checkpoint.origin], [size, origin])
    assert.equal(verifyNote(note, keysIn(log))?.signers.length, 1)
    assert.equal(verifyCosignatures(note, keysIn(witnesses))?.cosignatures.length, 1)
  })

  test('serves tiles and entries, from which anybody can work out its root', async () => {
    const { checkpoint } = await readNote()
    const bundles = await Promise.all(Array.from({ length: checkpoint.size / 256 }, (_, n) => get(`/log/tile/entries/00${n}`)))
    const leaves = bundles.flatMap(({ rawPayload }) => decodeEntries(rawPayload)!).map(leafHash)
    assert.equal(leaves.length, checkpoint.size)
    assert.deepEqual(rootOf(leaves), checkpoint.root)
    const { headers, rawPayload } = await get('/log/tile/0/001')
    assert.deepEqual(rawPayload, Buffer.concat(leaves.slice(256, 512)))
    assert.equal(headers['content-type'], 'application/octet-stream')
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.equal(headers['access-control-allow-origin'], '*')
    const above = (await get(`/log/tile/1/000.p/${checkpoint.size / 256}`)).rawPayload
    assert.deepEqual(above.subarray(0, 32), rootOf(leaves.slice(0, 256)))
  })

  test('gives part of what has become wider, as it was', async () => {
    const { checkpoint } = await readNote()
    const address = `/log/tile/1/000.p/${checkpoint.size / 256}`
    const before = (await get(address)).rawPayload
    await grow()
    assert.deepEqual((await get(address)).rawPayload, before)
    assert.deepEqual((await get('/log/tile/1/000.p/1')).rawPayload, before.subarray(0, 32))
    const [whole, part] = [await get('/log/tile/entries/000'), await get('/log/tile/entries/000.p/3')]
    assert.deepEqual(decodeEntries(part.rawPayload), decodeEntries(whole.rawPayload)!.slice(0, 3))
    assert.equal((await get('/log/tile/0/000.p/7')).rawPayload.length, 7 * 32)
  })

  test('has nothing at any other address, nor beyond its checkpoint', async () => {
    const { checkpoint } = await readNote()
    const tiles = checkpoint.size / 256
    const beyond = [
      `0/00${tiles}`,
      `0/00${tiles}.p/1`,
      `entries/00${tiles}`,
      '1/000',
      `1/000.p/${tiles + 1}`,
      '2/000.p/1',
      '0/x001/000',
    ]
    const misspelt = [
      '0/0',
      '0/000/',
      '00/000',
      '0/000.p/0',
      '0/000.p/256',
      '0/000.p/01',
      '64/000',
      '-1/000',
      '0/000.p/',
      '0/x000/000',
    ]
    const others = ['0/%30%30%30', '0/..%2f0/000', 'entries/000.p', 'data/000', '', '0', '0/00a', '0/000%00', "0/000'--"]
    for (const path of [...beyond, ...misspelt, ...others]) {
      const { statusCode, headers } = await get(`/log/tile/${path}`)
      assert.deepEqual([path, statusCode], [path, 404])
      assert.match(String(headers['content-type']), /^application\/problem\+json/)
      assert.doesNotMatch(String(headers['cache-control']), /immutable/)
    }
    assert.equal((await get('/log')).statusCode, 404)
    assert.equal((await get('/log/')).statusCode, 404)
    assert.equal((await get('/log/tile/0/000?cached=no')).statusCode, 200)
  })

  test('names the keys by which its evidence is checked, as the verifier takes them', async () => {
    const keys = await readKeys()
    assert.ok(typeof readTrustedKeys(keys) !== 'string')
    assert.deepEqual(Object.keys(keys), ['origin', 'seal', 'log', 'witnesses', 'timeStampAuthorities'])
    assert.deepEqual([keys.seal.length, keys.log.length, keys.witnesses.length, keys.timeStampAuthorities.length], [1, 1, 1, 1])
    assert.doesNotMatch(JSON.stringify(keys), /PRIVATE|"d"/)
  })

  test('describes the records that it seals', async () => {
    const { $schema, title, ...schema } = (await get('/log/record-schema.json')).json()
    assert.match($schema, /2020-12/)
    assert.equal(title, 'Evidence record')
    assert.deepEqual(schema, JSON.parse(JSON.stringify(EvidenceRecord)))
    assert.ok(Value.Check(EvidenceRecord, {}) === false && schema.required.includes('EventTime'))
  })
})
