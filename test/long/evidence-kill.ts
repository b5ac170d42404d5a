import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { auditKeysOf } from '../../src/evidence/audit.ts'
import { openEvidence } from '../../src/evidence/open-evidence.ts'
import { createTestDatabase } from '../database.ts'
import { judgeEvidence } from '../judge-evidence.ts'
import { runUnderKills } from '../kill-programs.ts'

const kills = 40
const seed = Math.floor(Math.random() * 2 ** 31)

for (const programs of [1, 2, 3]) {
  test(`killed ${kills} times, ${programs} at once leave one record of each event (seed ${seed})`, {
    timeout: 1_800_000,
  }, async () => {
    const test_ = await createTestDatabase()
    try {
      const told = await runUnderKills(test_, { programs, kills, seed })
      const keys = await auditKeysOf(test_.owner, openEvidence(readConfig({ DEMO: 'true' })))
      assert.deepEqual(await judgeEvidence(test_.owner, keys, told), [])
      console.log(`${told.accepted.size} letters, ${told.opened.size} opened, ${told.checkpoints.size} checkpoints served`)
    } finally {
      await test_.drop()
    }
  })
}
