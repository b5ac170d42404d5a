import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fastify from 'fastify'
import { answerTimeStampRequest, makeTimeStampAuthorityKeys } from '../../demo/time-stamp-authority.ts'
import { addBatch } from '../../test/log.ts'
import { startServer, type TestServer } from '../../test/server.ts'
import { buildApp } from '../app.ts'
import { readConfig } from '../config.ts'
import { askTimeStamp } from '../evidence/ask-time-stamp.ts'
import { publicKeysOf } from '../evidence/attestors.ts'
import { formatCheckpoint } from '../evidence/checkpoint.ts'
import { verifyCosignatures } from '../evidence/cosignature.ts'
import { deriveEvidenceKeys } from '../evidence/keys.ts'
import { formatVerifierKey, parseNote, signNote } from '../evidence/note.ts'
import { openEvidence } from '../evidence/open-evidence.ts'
import { appendLeaves, hashesIn } from '../evidence/tile.ts'
import { verifyTimeStamp } from '../evidence/time-stamp.ts'
import { consistencyProof, leafHash, rootAt } from '../evidence/tree.ts'
import { formatAddCheckpoint } from '../evidence/witness.ts'
import { registerEvidenceStandIns } from './evidence-stand-ins.ts'

const now = new Date('2026-11-26T10:00:00Z')

/** A log that somebody with our key could make: entries with another beginning are another history. */
const history = (beginning: string) => {
  const leaves = Array.from({ length: 300 }, (_, place) => leafHash(Buffer.from(`${beginning} ${place}`)))
  return hashesIn(appendLeaves([], 0, leaves).tiles)
}

let server: TestServer
before(async () => {
  server = await startServer({}, () => now)
})
after(() => server.stop())

describe('the stand-in for a witness', () => {
  let origin: string
  before(async () => {
    await addBatch(server.test.database, server.config, now)
    ;({ origin } = openEvidence(server.config))
  })

  const request = (
    hashAt: ReturnType<typeof history>,
    oldSize: number,
    size: number,
    signedBy = deriveEvidenceKeys(server.config.secretKey).log,
  ) => {
    const text = formatCheckpoint({ origin, size, root: rootAt(size, hashAt) })
    const note = { text, signatures: [signNote(text, origin, signedBy)] }
    return formatAddCheckpoint({ oldSize, proof: consistencyProof(oldSize, size, hashAt), note })
  }
  const ask = async (body: string) => {
    const response = await fetch(`${server.baseUrl}/demo/witness/add-checkpoint`, { method: 'POST', body })
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  }
  const statusOf = async (body: string) => (await ask(body)).status

  test('cosigns what follows on what it has seen, and refuses a log that forks', async () => {
    const [ours, forked] = [history('ours'), history('forked')]
    const { status, text } = await ask(request(ours, 0, 100))
    assert.equal(status, 200)
    const note = parseNote(`${request(ours, 0, 100).split('\n\n').slice(1).join('\n\n')}${text}`)!
    assert.equal(verifyCosignatures(note, [openEvidence(server.config).attestors.witnesses[0]!.key])?.cosignatures.length, 1)

    assert.equal(await statusOf(request(forked, 100, 100)), 409, 'the same size, and another root')
    assert.equal(await statusOf(request(forked, 100, 200)), 422, 'more, on another beginning')
    assert.deepEqual(
      await ask(request(forked, 0, 200)),
      { status: 409, type: 'text/x.tlog.size', text: '100\n' },
      'as if it were the first',
    )
    assert.equal(await statusOf(request(ours, 100, 200)), 200)
    assert.equal(await statusOf(request(ours, 50, 100)), 409, 'and none that is smaller')
  })

  test('remembers across restarts, and whichever process is asked', async () => {
    const another = await buildApp(server.config, server.test.database, () => now)
    const forked = request(history('forked'), 0, 250)
    const answer = await another.inject({ method: 'POST', url: '/demo/witness/add-checkpoint', payload: forked })
    assert.deepEqual([answer.statusCode, answer.body], [409, '200\n'])
    await another.close()
  })

  test('cosigns one of many that come at once and do not continue each other', async () => {
    await server.test.owner`delete from stand_in_memory where name like 'witness%'`
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => statusOf(request(history(`history ${n}`), 0, 100 + n))))
    assert.deepEqual(answers.sort(), [200, 409, 409, 409, 409, 409, 409, 409])
  })

  test('knows our log only, by its own key', async () => {
    const ours = history('ours')
    assert.equal(await statusOf(request(ours, 0, 10).replaceAll(origin, 'other.example/log')), 404)
    assert.equal(await statusOf(request(ours, 0, 10, deriveEvidenceKeys(Buffer.alloc(32, 9)).log)), 403)
    for (const body of ['', 'old 0\n', 'nothing', '\0']) assert.equal(await statusOf(body), 400)
  })
})

describe('the stand-in for a time-stamp authority', () => {
  const data = randomBytes(100)
  const stamp = async (baseUrl: string) => {
    const token = await askTimeStamp(`${baseUrl}/demo/time-stamp`, data)
    assert.ok(token instanceof Uint8Array, JSON.stringify(token))
    const { attestors } = openEvidence(server.config)
    return verifyTimeStamp(token, data, (await publicKeysOf(server.test.database, attestors)).timeStampAuthorities)
  }

  test('makes its key once, however many ask at first, and keeps it', async () => {
    const verdicts = await Promise.all(Array.from({ length: 5 }, () => stamp(server.baseUrl)))
    const another = await buildApp(server.config, server.test.database, () => now)
    verdicts.push(await stamp(await another.listen({ host: '127.0.0.1', port: 0 })))
    await another.close()
    for (const verdict of verdicts) {
      assert.ok(typeof verdict !== 'string', String(verdict))
      assert.deepEqual(verdict.at, now)
    }
  })

  test('answers what is no request with a rejection', async () => {
    const response = await fetch(`${server.baseUrl}/demo/time-stamp`, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: 'nothing',
    })
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/timestamp-reply'])
    assert.ok((await response.arrayBuffer()).byteLength < 30)
  })
})

describe('the stand-ins for who vouches for the log', () => {
  const authority = { make: makeTimeStampAuthorityKeys, answer: answerTimeStampRequest }

  test('cannot be there outside demo', () => {
    const { config, test } = server
    const options = { database: test.database, keys: deriveEvidenceKeys(config.secretKey), authority, clock: () => now }
    assert.throws(() => registerEvidenceStandIns(fastify(), { ...options, config: { ...config, demo: false } }), /demo only/)
  })

  test('are not there where others are configured, in demo too', async () => {
    const { evidence } = readConfig({ DEMO: 'true' })
    const [witness] = openEvidence(server.config).attestors.witnesses
    const others = {
      ...evidence,
      witnesses: [{ url: 'https://witness.example', key: formatVerifierKey(witness!.key) }],
      timeStamp: undefined,
    }
    const app = await buildApp({ ...server.config, evidence: others }, server.test.database)
    for (const url of ['/demo/witness/add-checkpoint', '/demo/time-stamp']) {
      assert.equal((await app.inject({ method: 'POST', url })).statusCode, 404)
    }
    await app.close()
  })
})
