import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { v4 as newId } from 'uuid'
import { createTestDatabase, settle, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Fragment } from '../database/connect.ts'
import { connectOwner } from '../database/roles.ts'
import { acceptOne } from '../delivery/accept.ts'
import { appendToUpload } from '../delivery/append-upload.ts'
import { createUpload } from '../delivery/create-upload.ts'
import { recall } from '../delivery/recall.ts'
import { open } from '../mailbox/open.ts'
import { audit } from './audit.ts'
import { deriveEvidenceKeys, logVerifierKeys } from './keys.ts'
import { type SequenceOptions, sequence } from './sequence.ts'

const now = new Date('2026-11-20T10:00:00Z')
const keys = deriveEvidenceKeys(Buffer.alloc(32, 7))
const options: SequenceOptions = {
  origin: 'post.example/log',
  issuer: { name: 'Digital Post', uri: 'https://post.example', people: 'p', staff: 's', systems: 'y' },
  isAttested: false,
}
const auditKeys = { sealKeys: keys.sealKeys, logKeys: logVerifierKeys(keys, options.origin) }
const pdf = Buffer.from('%PDF-1.7\nhello\n%%EOF').toString('base64')

describe('the auditor', () => {
  let test_: TestDatabase
  let post: Post
  let owner: ReturnType<typeof connectOwner>
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    owner = connectOwner(test_.url, 2)
    const upload = await uploadLeaflet()
    for (let batch = 0; batch < 3; batch += 1) {
      for (let n = 0; n < 3; n += 1) {
        const documents = [
          { role: 'main' as const, files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf }] },
        ]
        const shared = { role: 'additional' as const, files: [{ filename: 'leaflet.pdf', upload }] }
        const submission = { ...post.letter(`${batch}-${n}`), documents: [...documents, shared] }
        const letter = await acceptOne(post.db, post.keys, post.council, submission, now)
        if (n === 0) await open(post.db, post.rosa, letter.messageId, now)
      }
      if (batch === 0) await withhold()
      await settle(owner)
      await sequence(post.db, keys, options, now)
    }
  })
  after(async () => {
    await owner.end()
    await test_.drop()
  })

  async function uploadLeaflet(): Promise<string> {
    const bytes = Buffer.from(pdf, 'base64')
    const wanted = { serviceId: post.serviceId, mediaType: 'application/pdf', size: bytes.length }
    const { upload } = await createUpload(post.db, post.council, wanted, { bytes: bytes.length, days: 1 }, now)
    const part = { id: upload.id, offset: 0, length: bytes.length, bytes: Readable.from([bytes]) }
    await appendToUpload(post.db, post.council, part)
    return upload.id
  }

  /** One that is to come later, and one that was taken back. */
  async function withhold() {
    const availableFrom = new Date(now.getTime() + 86_400_000).toISOString()
    await acceptOne(post.db, post.keys, post.council, { ...post.letter('later'), availableFrom }, now)
    const { messageId } = await acceptOne(post.db, post.keys, post.council, post.letter('recalled'), now)
    await recall(post.db, post.council, { messageId, reason: 'A mistake' }, now)
  }

  const run = async () => (await audit(owner, auditKeys, 7, new Date(now.getTime() + 120_000))).findings.map(({ what }) => what)

  /** What it finds in a copy of the database in which something was changed behind the program's back. */
  async function findingsAfter(change: (sql: typeof owner) => Fragment): Promise<string[]> {
    const name = new URL(test_.url).pathname.slice(1)
    const copy = `audit_${newId().replaceAll('-', '')}`
    const admin = connectOwner(at('postgres'), 1)
    await Promise.all([post.db, owner, test_.owner].map((pool) => pool.end()))
    await admin.unsafe(`create database ${copy} template ${name}`)
    owner = connectOwner(at(copy), 2)
    try {
      await change(owner)
      return await run()
    } finally {
      await owner.end()
      await admin.unsafe(`drop database ${copy} with (force)`)
      await admin.end()
      owner = connectOwner(test_.url, 2)
    }
  }

  function at(database: string): string {
    const url = new URL(test_.url)
    url.pathname = `/${database}`
    return url.href
  }

  test('finds nothing where nothing was changed', async () => {
    const { events, checkpoints, findings } = await audit(owner, auditKeys, 7, now)
    assert.deepEqual(findings, [])
    assert.deepEqual({ events, checkpoints }, { events: 25, checkpoints: 3 })
  })

  const changes: [name: string, change: (sql: ReturnType<typeof connectOwner>) => Fragment, found: RegExp][] = [
    [
      'an event with another time',
      (sql) => sql`update event set at = at - interval '1 day' where type = 'message.available' and reference = '1-1'`,
      /not as it was when it was sealed/,
    ],
    [
      'an event with other facts',
      (sql) =>
        sql`update event set facts = jsonb_set(facts, '{recipientName}', '"Somebody"') where type = 'message.accepted' and reference = '1-1'`,
      /not as it was/,
    ],
    [
      'an event that is gone',
      (sql) => sql`delete from event where type = 'message.opened' and reference = '1-0'`,
      /not in the database any more/,
    ],
    [
      'an event that is gone with its seal',
      (sql) =>
        sql`with gone as (delete from event where type = 'message.opened' and reference = '1-0' returning position) delete from evidence_seal using gone where evidence_seal.position = gone.position`,
      /sealed 7 events, and the database has 6/,
    ],
    [
      'an event that was put in',
      (sql) =>
        sql`insert into event (sender_id, type, message_id, reference, at) select sender_id, 'message.opened', message_id, reference, at from event where type = 'message.accepted' and reference = '1-1'`,
      /not in the log/,
    ],
    [
      'a letter that is gone',
      (sql) => sql`delete from message where id = (select message_id from ledger where reference = '1-1')`,
      /not in its mailbox any more/,
    ],
    [
      'a letter with another text',
      (sql) =>
        sql`update message set content = jsonb_set(content, '{0,body}', '"Pay more."') where id = (select message_id from ledger where reference = '1-1')`,
      /text of a message is not as it was sealed/,
    ],
    [
      'a file with other bytes',
      (sql) =>
        sql`update file set bytes = 'other' where bytes is not null and message_id = (select message_id from ledger where reference = '1-1')`,
      /file of a message is not as it was sealed/,
    ],
    [
      'a document that was uploaded with other bytes',
      (sql) => sql`update upload_chunk set bytes = 'other'`,
      /document that was uploaded is not as it was checked/,
    ],
    [
      'a file that is another upload',
      (sql) => sql`update upload set sha256 = 'other'`,
      /file of a message is not as it was sealed/,
    ],
    [
      'a ledger with another time of opening',
      (sql) => sql`update ledger set opened_at = opened_at - interval '1 hour' where reference = '1-0'`,
      /opened at another time/,
    ],
    ['a ledger that is gone', (sql) => sql`delete from ledger where reference = '1-1'`, /its ledger is gone/],
    [
      'an entry of the log',
      (sql) => sql`update log_entries set bytes = set_byte(bytes, 40, (get_byte(bytes, 40) + 1) % 256) where index = 1`,
      /root of the checkpoint/,
    ],
    [
      'a tile of the log',
      (sql) =>
        sql`update log_tile set bytes = set_byte(bytes, 40, (get_byte(bytes, 40) + 1) % 256) where level = 0 and index = 1`,
      /tile 0\/1 of the log/,
    ],
    ['a checkpoint that is gone', (sql) => sql`delete from log_checkpoint where size = 512`, /does not continue/],
    [
      'the last batch, all of it',
      (sql) =>
        sql`with c as (delete from log_checkpoint where size = 768), e as (delete from log_entries where index = 2), s as (delete from evidence_seal where size = 768) select 1`,
      /not in the log/,
    ],
    [
      'a root that fits other entries',
      (sql) => sql`update log_checkpoint set root = sha256('other') where size = 512`,
      /not the one that was sealed/,
    ],
  ]
  for (const [name, change, found] of changes) {
    test(`finds ${name}`, async () => {
      const findings = await findingsAfter(change)
      assert.ok(
        findings.some((what) => found.test(what)),
        findings.join('\n') || 'nothing was found',
      )
    })
  }

  test('finds a log that somebody without the keys has written', async () => {
    const others = deriveEvidenceKeys(Buffer.alloc(32, 8))
    const { findings } = await audit(
      owner,
      { sealKeys: others.sealKeys, logKeys: logVerifierKeys(others, options.origin) },
      7,
      now,
    )
    assert.ok(findings.some(({ what }) => /no seal of ours/.test(what)))
    assert.equal((await run()).length, 0)
  })
})
