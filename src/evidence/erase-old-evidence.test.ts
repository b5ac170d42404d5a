import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, settle, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { connectOwner } from '../database/roles.ts'
import { acceptOne } from '../delivery/accept.ts'
import { open } from '../mailbox/open.ts'
import { audit } from './audit.ts'
import { eraseOldEvidence } from './erase-old-evidence.ts'
import { deriveEvidenceKeys, logVerifierKeys } from './keys.ts'
import { type SequenceOptions, sequence } from './sequence.ts'

const keys = deriveEvidenceKeys(Buffer.alloc(32, 7))
const options: SequenceOptions = {
  origin: 'post.example/log',
  issuer: { name: 'Digital Post', uri: 'https://post.example', people: 'p', staff: 's', systems: 'y' },
  isAttested: false,
}
const at = (text: string) => new Date(`${text}T10:00:00Z`)

describe('erasing evidence that was kept long enough', () => {
  let test_: TestDatabase
  let post: Post
  let owner: ReturnType<typeof connectOwner>
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    owner = connectOwner(test_.url, 2)
    const old = await acceptOne(post.db, post.keys, post.council, post.letter('old'), at('2019-01-01'))
    await acceptOne(post.db, post.keys, post.council, post.letter('unread'), at('2019-01-01'))
    await settle(owner)
    await sequence(post.db, keys, options, at('2019-01-01'))
    await open(post.db, post.rosa, old.messageId, at('2024-01-01'))
    await acceptOne(post.db, post.keys, post.council, post.letter('new'), at('2024-01-01'))
    await settle(owner)
    await sequence(post.db, keys, options, at('2024-01-01'))
  })
  after(async () => {
    await owner.end()
    await test_.drop()
  })

  const left = async () =>
    (await owner<{ reference: string }[]>`select distinct reference from event order by 1`).map((row) => row.reference)
  const findings = async (now: Date) =>
    (await audit(owner, { sealKeys: keys.sealKeys, logKeys: logVerifierKeys(keys, options.origin) }, 7, now)).findings

  test('erases nothing before its time', async () => {
    assert.equal(await eraseOldEvidence(post.db, 7, at('2025-12-31')), 0)
    assert.deepEqual(await left(), ['new', 'old', 'unread'])
  })

  test('erases a message’s evidence as a whole, counted from the last that happened to it; the log stays as it is', async () => {
    assert.equal(await eraseOldEvidence(post.db, 7, at('2026-01-02')), 2)
    assert.equal(await eraseOldEvidence(post.db, 7, at('2026-01-02')), 0)
    assert.deepEqual(await left(), ['new', 'old'])
    const [gone] = await owner`select count(*)::int as n from evidence_seal where erased_at is not null and salts is null`
    assert.equal(gone!.n, 2)
    assert.deepEqual(await findings(at('2026-01-02')), [])
  })

  test('keeps a public body’s for as long as that wants, and an erasure before its time is found', async () => {
    await owner`update organisation set evidence_years = 10`
    assert.equal(await eraseOldEvidence(post.db, 7, at('2031-06-01')), 0)
    assert.equal(await eraseOldEvidence(post.db, 7, at('2034-06-01')), 5)
    assert.deepEqual(await left(), [])
    assert.deepEqual(await findings(at('2034-06-01')), [])
    assert.match((await findings(at('2026-06-01')))[0]!.what, /erased before its time/)
  })
})
