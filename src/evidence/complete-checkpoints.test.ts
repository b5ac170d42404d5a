import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { makeTimeStampAuthorityKeys } from '../../demo/time-stamp-authority.ts'
import { addBatch } from '../../test/log.ts'
import { freePort, startServer, type TestServer } from '../../test/server.ts'
import { type Attestors, publicKeysOf } from './attestors.ts'
import { completeCheckpoints } from './complete-checkpoints.ts'
import { verifyCosignatures } from './cosignature.ts'
import type { Missing } from './missing.ts'
import { parseNote, signatureTypes, verifierKey } from './note.ts'
import { openEvidence } from './open-evidence.ts'
import { verifyTimeStamp } from './time-stamp.ts'

const start = new Date('2026-11-26T10:00:00Z')
const later = (seconds: number) => new Date(start.getTime() + 1_000 * seconds)

describe('completing checkpoints', () => {
  let server: TestServer
  let attestors: Attestors
  let nobody: string
  before(async () => {
    server = await startServer({}, () => start)
    attestors = openEvidence(server.config).attestors
    nobody = `http://127.0.0.1:${await freePort()}`
  })
  after(() => server.stop())
  beforeEach(async () => {
    // What an earlier test left wanting.
    await server.test.owner`update log_checkpoint set ask_again_at = null`
  })

  const complete = (asked = attestors, now = start) => completeCheckpoints(server.test.database, asked, now)
  const grow = () => addBatch(server.test.database, server.config, start)
  const row = async (size: number) => {
    const [found] = await server.test.owner<
      {
        note: string
        cosignatures: string[]
        timeStamp: Buffer | null
        missing: string | null
        missingCodes: Missing[] | null
        askAgainAt: Date | null
      }[]
    >`select note, cosignatures, time_stamp, missing, missing_codes, ask_again_at from log_checkpoint where size = ${size}`
    return found!
  }
  const isComplete = async (size: number) => {
    const { cosignatures, timeStamp, missing, askAgainAt } = await row(size)
    return { cosignatures: cosignatures.length, isStamped: timeStamp !== null, missing, isAskedAgain: askAgainAt !== null }
  }

  test('gets the cosignature of each witness, and a time stamp over the text, and asks no more', async () => {
    const size = await grow()
    assert.equal(await complete(), 1)
    const { note, cosignatures, timeStamp, missing, askAgainAt } = await row(size)
    const whole = parseNote(note + cosignatures.join(''))!
    const verified = verifyCosignatures(whole, [attestors.witnesses[0]!.key])
    assert.deepEqual(
      verified?.cosignatures.map(({ timestamp }) => timestamp),
      [start.getTime() / 1_000],
    )
    const { timeStampAuthorities } = await publicKeysOf(server.test.database, attestors)
    const stamp = verifyTimeStamp(timeStamp!, Buffer.from(whole.text), timeStampAuthorities)
    assert.ok(typeof stamp !== 'string', String(stamp))
    assert.deepEqual(stamp.at, start)
    assert.deepEqual([missing, askAgainAt], [null, null])
    assert.equal(await complete(), 0)
  })

  test('asks witnesses for the newest only, who vouches for those before, and has each stamped', async () => {
    const sizes = [await grow(), await grow(), await grow()]
    assert.equal(await complete(), 3)
    const found = await Promise.all(sizes.map(isComplete))
    assert.deepEqual(
      found.map(({ cosignatures }) => cosignatures),
      [0, 0, 1],
    )
    assert.ok(found.every(({ isStamped, missing, isAskedAgain }) => isStamped && missing === null && !isAskedAgain))
  })

  test('asks once where two do it at once', async () => {
    const size = await grow()
    const looked = await Promise.all([complete(), complete(), complete()])
    assert.deepEqual(looked.sort(), [0, 0, 1])
    assert.deepEqual(await isComplete(size), { cosignatures: 1, isStamped: true, missing: null, isAskedAgain: false })
  })

  test('asks from the size that a witness names, where it has seen more or less than we know', async () => {
    const size = await grow()
    await server.test.owner`update log_checkpoint set cosignatures = '{}'`
    await complete()
    assert.equal((await isComplete(size)).cosignatures, 1, 'it had seen more')
    await server.test.owner`update stand_in_memory set value = '{}' where name like 'witness%'`
    const next = await grow()
    await complete()
    assert.equal((await isComplete(next)).cosignatures, 1, 'it had seen nothing')
  })

  test('says what is missing, asks for it again later each time, and lets the log go on', async () => {
    const [witness] = attestors.witnesses
    const broken = { witnesses: [{ ...witness!, url: nobody }], timeStamp: { ...attestors.timeStamp!, url: nobody } }
    const size = await grow()
    assert.equal(await complete(broken), 1)
    assert.deepEqual(await isComplete(size), {
      cosignatures: 0,
      isStamped: false,
      missing: 'The witness witness.example/demo could not be reached. The time-stamp authority could not be reached.',
      isAskedAgain: true,
    })
    assert.deepEqual((await row(size)).missingCodes, [
      { code: 'witness-not-reached', witness: 'witness.example/demo' },
      { code: 'stamp-not-reached' },
    ])
    const waits: number[] = []
    for (let tries = 0; tries < 14; tries += 1) {
      const asked = (await row(size)).askAgainAt!
      assert.equal(await complete(broken, new Date(asked.getTime() - 1)), 0)
      await complete(broken, asked)
      waits.push(((await row(size)).askAgainAt!.getTime() - asked.getTime()) / 1_000)
    }
    assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600])
    const next = await grow()
    await complete(attestors, later(86_400))
    assert.deepEqual(await isComplete(size), { cosignatures: 0, isStamped: true, missing: null, isAskedAgain: false })
    assert.equal((await row(size)).missingCodes, null)
    assert.deepEqual(await isComplete(next), { cosignatures: 1, isStamped: true, missing: null, isAskedAgain: false })
  })

  test('keeps what it gets where another fails', async () => {
    const [witness] = attestors.witnesses
    const { publicKey } = generateKeyPairSync('ed25519')
    const other = { url: witness!.url, key: verifierKey('witness.example/other', signatureTypes.cosignature, publicKey) }
    const { certificatePem } = await makeTimeStampAuthorityKeys(start)
    const timeStamp = { ...attestors.timeStamp!, certificates: [certificatePem] }
    const size = await grow()
    await complete({ witnesses: [other], timeStamp })
    const sentences = [
      'The witness witness.example/other refused, with status 200.',
      'The certificate that signed the time-stamp leads to none that is trusted.',
    ]
    assert.deepEqual(await isComplete(size), {
      cosignatures: 0,
      isStamped: false,
      missing: sentences.join(' '),
      isAskedAgain: true,
    })
    await complete({ witnesses: [{ ...other, url: nobody }, witness!], timeStamp: undefined }, later(5))
    assert.deepEqual(await isComplete(size), {
      cosignatures: 1,
      isStamped: false,
      missing: 'The witness witness.example/other could not be reached.',
      isAskedAgain: true,
    })
    await complete({ witnesses: [witness!], timeStamp: undefined }, later(15))
    assert.deepEqual(await isComplete(size), { cosignatures: 1, isStamped: false, missing: null, isAskedAgain: false })
  })

  test('says so where a witness has seen a larger log than there is', async () => {
    const size = await grow()
    const memory = JSON.stringify({ size: size + 256, root: Buffer.alloc(32).toString('base64') })
    await server.test.owner`update stand_in_memory set value = ${memory}::text::jsonb where name like 'witness%'`
    await complete()
    const { missing, missingCodes } = await row(size)
    assert.deepEqual(missingCodes, [{ code: 'witness-ahead', witness: 'witness.example/demo', seen: size + 256, size }])
    assert.equal(missing, `The witness witness.example/demo has seen ${size + 256} entries, where this checkpoint has ${size}.`)
  })
})
