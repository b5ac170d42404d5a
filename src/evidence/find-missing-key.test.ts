import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addBatch } from '../../test/log.ts'
import { readConfig } from '../config.ts'
import { findMissingKey } from './find-missing-key.ts'
import { makeKeysFile, readEvidenceKeys } from './keys.ts'

type KeysFile = Record<'seal' | 'log', { privateKey: string }>

const demo = readConfig({ DEMO: 'true' })
const [old, next] = [makeKeysFile() as KeysFile, makeKeysFile() as KeysFile]

describe('keys, where the log was begun with others', () => {
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  const find = (keys: object) => findMissingKey(test_.database, readEvidenceKeys(keys))

  test('lack nothing as long as the log is empty', async () => {
    assert.equal(await find(next), undefined)
  })

  test('lack the one by which it was sealed or signed last, unless that is in its list', async () => {
    await addBatch(test_.database, { ...demo, evidence: { ...demo.evidence, keys: old } }, new Date('2026-11-26T10:00:00Z'))
    const [seals, logs] = [{ formerSealKeys: [old.seal.privateKey] }, { formerLogKeys: [old.log.privateKey] }]
    assert.equal(await find(old), undefined)
    assert.equal(await find({ ...next, ...logs }), 'formerSealKeys')
    assert.equal(await find({ ...next, ...seals }), 'formerLogKeys')
    assert.equal(await find({ ...next, ...seals, ...logs }), undefined)
    // Each key in its place: the new one for one of the two only.
    assert.equal(await find({ ...old, log: next.log }), 'formerLogKeys')
  })
})
