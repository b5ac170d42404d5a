import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readConfig } from '../src/config.ts'
import { auditKeysOf } from '../src/evidence/audit.ts'
import { openEvidence } from '../src/evidence/open-evidence.ts'
import { type Broken, brokenKeys, openBroken } from './broken-evidence.ts'
import { createTestDatabase } from './database.ts'
import { judgeEvidence, nothingTold } from './judge-evidence.ts'
import { runUnderKills } from './kill-programs.ts'

/** Another one for each run; what failed says which. */
const seed = Math.floor(Math.random() * 2 ** 31)
/** One is enough nearly always. */
const brokenKillsMax = 8

describe('kill -9 again and again, as letters are sent and opened', { timeout: 1_800_000 }, () => {
  for (const [programs, kills] of [
    [1, 2],
    [2, 3],
  ] as const) {
    test(`leaves one record of each event, and one log, with ${programs} program${programs > 1 ? 's' : ''} (seed ${seed})`, async () => {
      const test_ = await createTestDatabase()
      try {
        const told = await runUnderKills(test_, { programs, kills, seed })
        const { owner } = test_
        const keys = await auditKeysOf(owner, openEvidence(readConfig({ DEMO: 'true' })))
        assert.deepEqual(await judgeEvidence(owner, keys, told), [])
      } finally {
        await test_.drop()
      }
    })
  }
})

/** The judge above is worth something only if it finds out programs that do what must not be done. */
describe('a program that is broken on purpose, killed again and again', { timeout: 1_800_000 }, () => {
  const expected: [broken: Broken, what: string, found: RegExp | undefined][] = [
    ['nothing', 'nothing, where nothing is broken', undefined],
    [
      'event-apart',
      'records that are written outside of the transaction of their letters',
      /without exactly one message.accepted/,
    ],
    ['cursor-before', 'a cursor of the log that is committed before its batch', /Events without exactly one seal/],
    ['cursor-after', 'a cursor of the log that is committed after its batch', /Events without exactly one seal/],
  ]
  for (const [broken, what, pattern] of expected) {
    test(`shows the judge ${what} (seed ${seed})`, async () => {
      const test_ = await createTestDatabase()
      try {
        const { runAndKill } = await openBroken(test_, broken, seed)
        let found: string[] = []
        const isFound = () => found.some((sentence) => pattern?.test(sentence) ?? true)
        for (let kill = 0; kill < (pattern ? brokenKillsMax : 2) && !isFound(); kill += 1) {
          await runAndKill()
          found = await judgeEvidence(test_.owner, brokenKeys, nothingTold())
        }
        if (pattern === undefined) assert.deepEqual(found, [])
        else assert.ok(isFound(), found.join('\n') || 'nothing was found')
      } finally {
        await test_.drop()
      }
    })
  }
})
