import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, settle, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { accept, acceptOne } from '../delivery/accept.ts'
import { open } from '../mailbox/open.ts'
import { checkBatch } from './batch.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { deriveEvidenceKeys, logVerifierKeys } from './keys.ts'
import { parseNote, verifyNote } from './note.ts'
import { type SequenceOptions, sequence } from './sequence.ts'
import { decodeEntries } from './tile.ts'
import { leafHash, rootOf } from './tree.ts'

const now = new Date('2026-11-20T10:00:00Z')
const keys = deriveEvidenceKeys(Buffer.alloc(32, 7))
const options: SequenceOptions = {
  origin: 'post.example/log',
  issuer: {
    name: 'Digital Post',
    uri: 'https://post.example',
    people: 'https://people.example/',
    staff: 'https://staff.example/',
    systems: 'https://post.example',
  },
  isAttested: false,
}

describe('sequencing', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const beat = () => sequence(post.db, keys, options, now)
  const settledBeat = () => settle(test_.owner).then(beat)
  const send = (reference: string) => acceptOne(post.db, post.keys, post.council, post.letter(reference), now)

  test('seals every event once, in whole tiles, and signs what comes of it', async () => {
    const letter = await send('one')
    await open(post.db, post.rosa, letter.messageId, now)
    await accept(
      post.db,
      post.keys,
      post.council,
      [{ ...post.letter('nobody'), recipient: { scheme: 'link', value: 'CT-9' } }],
      now,
    )
    assert.equal(await settledBeat(), 4)
    assert.equal(await beat(), 0)
    const seals = await test_.owner`
      select event.type, ordinal, previous_id is null as is_first, recipient_leaf is null as is_for_sender_only
      from evidence_seal join event using (position) order by position`
    assert.deepEqual(
      seals.map((seal) => ({ ...seal })),
      [
        { type: 'message.accepted', ordinal: 1, isFirst: true, isForSenderOnly: false },
        { type: 'message.available', ordinal: 2, isFirst: false, isForSenderOnly: false },
        { type: 'message.opened', ordinal: 3, isFirst: false, isForSenderOnly: false },
        { type: 'message.rejected', ordinal: 1, isFirst: true, isForSenderOnly: true },
      ],
    )
  })

  test('continues the tree, whose root anybody can work out from the entries', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, n) => send(`many-${n}`)))
    assert.equal(await settledBeat(), 300)
    const [checkpoint] = await test_.owner<{ size: string; note: string; batch: string }[]>`
      select size, note, batch from log_checkpoint order by size desc limit 1`
    const note = parseNote(checkpoint!.note)!
    assert.equal(verifyNote(note, logVerifierKeys(keys, options.origin))?.signers.length, 1)
    const { size, root } = parseCheckpoint(note.text)!
    assert.equal(size, 256 + 768)
    const bundles = await test_.owner<{ bytes: Buffer }[]>`select bytes from log_entries order by index`
    const entries = bundles.flatMap(({ bytes }) => decodeEntries(bytes)!)
    assert.equal(new Set(entries.map((entry) => entry.toString('hex'))).size, 1024)
    assert.deepEqual(rootOf(entries.map(leafHash)), root)
    assert.equal(checkBatch(checkpoint!.batch, keys.sealKeys)?.events, 300)
  })

  test('loses nothing and takes nothing twice where many write and many sequence at once', async () => {
    let writing = true
    const sequencers = [1, 2, 3].map(async () => {
      while (writing) await beat()
    })
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 40 }, (_, n) => send(`race-${round}-${n}`)))
    }
    writing = false
    await Promise.all(sequencers)
    await settledBeat()
    const [counts] = await test_.owner`
      select (select count(*)::int from event) as events, (select count(*)::int from evidence_seal) as seals,
             (select count(distinct event_id)::int from evidence_seal) as sealed, (select count(*)::int from log_checkpoint c
               where size_before <> 0 and not exists (select from log_checkpoint b where b.size = c.size_before)) as loose`
    assert.equal(counts!.events, counts!.seals)
    assert.equal(counts!.sealed, counts!.seals)
    assert.equal(counts!.loose, 0)
  })

  test('never sees the log as it was before another sequencer had its turn', async () => {
    await send('before-turns')
    await settledBeat()
    // Whoever reads the cursor is slow about it, so that the other can commit in the middle.
    await test_.owner`create policy slow on log_state as restrictive using (pg_sleep(0.3)::text is not null)`
    try {
      await send('in-turn')
      await settle(test_.owner)
      const turns = await Promise.all([0, 150, 300, 450, 600, 750].map((ms) => sleep(ms).then(beat)))
      assert.equal(
        turns.reduce((sum, count) => sum + count),
        2,
      )
    } finally {
      await test_.owner`drop policy slow on log_state`
    }
  })

  test('waits for a transaction that is still under way, and then takes it', async () => {
    const release = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const slow = test_.owner.begin(async (sql) => {
      await sql`insert into event (sender_id, type, message_id, reference, at) values (${post.serviceId}, 'message.rejected', ${post.serviceId}, 'slow', ${now})`
      begun.resolve()
      await release.promise
    })
    await begun.promise
    await send('quick')
    assert.equal(await beat(), 0)
    release.resolve()
    await slow
    assert.equal(await settledBeat(), 3)
  })

  test('knows what is not sealed in a database that was restored elsewhere', async () => {
    await send('before-restore')
    await test_.owner`update log_state set cluster = 'another', xid = 9000000000`
    assert.equal(await beat(), 0)
    assert.equal(await settledBeat(), 2)
  })
})
