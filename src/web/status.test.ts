import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settle } from '../../test/database.ts'
import { type Pages, startPages } from '../../test/pages.ts'
import { startServer } from '../../test/server.ts'
import { readConfig } from '../config.ts'
import { acceptOne } from '../delivery/accept.ts'
import { completeCheckpoints } from '../evidence/complete-checkpoints.ts'
import { noteAlive } from '../evidence/note-alive.ts'
import { openEvidence } from '../evidence/open-evidence.ts'
import { sequenceAll } from '../evidence/sequence.ts'
import { verifyReceipt } from '../evidence/verify.ts'

describe('the status page', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const { keys, origin, issuer } = openEvidence(readConfig({ DEMO: 'true' }))
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
  })
  after(() => pages.stop())

  const sequence = async () => {
    await settle(pages.post.owner)
    await sequenceAll(pages.post.db, keys, { origin, issuer, isAttested: true }, now.at)
  }
  const noteAt = (time: string) => {
    now.at = new Date(time)
    return noteAlive(pages.post.db, { outageSeconds: 60 }, now.at)
  }
  const read = async () => (await pages.get('nobody', '/status')).body

  test('says before the first letter that it works, without anybody signing in', async () => {
    const answer = await pages.get('nobody', '/status')
    assert.equal(answer.statusCode, 200)
    assert.match(answer.body, /The service is working.*Nothing is in the log yet.*None\./s)
  })

  test('shows the newest checkpoint, and what is missing once it should be there', async () => {
    const { db, keys: identifierKeys, council, letter } = pages.post
    await acceptOne(db, identifierKeys, council, letter('one'), now.at)
    await sequence()
    assert.match(await read(), /Newest checkpoint.*23 November 2026 at 10:00am.*Entries.*256.*Complete.*Complete/s)
    await pages.post.owner`update log_checkpoint set missing = 'The witness one.example refused, with status 500.'`
    now.at = new Date('2026-11-23T10:02:00Z')
    assert.match(
      await read(),
      /Not all of them.*missing since 23 November 2026 at 10:00am.*<span lang="en">The witness one\.example refused/s,
    )
    const codes = [{ code: 'witness-refused', witness: 'two.example', status: 500 }, { code: 'stopping' }]
    await pages.post.owner`update log_checkpoint set missing_codes = ${pages.post.owner.json(codes)}`
    const body = await read()
    assert.match(body, /The witness two\.example refused, with status 500\. The program was stopping\. The log itself is whole/)
    assert.doesNotMatch(body, /one\.example/, 'once, by its code')
    await pages.post.owner`update log_checkpoint set missing = null, missing_codes = null, ask_again_at = null`
    assert.doesNotMatch(await read(), /Not all of them/)
  })

  test('shows outages with begin, end, length and proof, and none that ended over a year ago', async () => {
    await noteAt('2025-11-01T10:00:00Z')
    await noteAt('2025-11-02T10:00:00Z')
    await noteAt('2026-11-23T10:59:58Z')
    await pages.post.owner`delete from outage where began_at = '2025-11-02T10:00:00Z'`
    await noteAt('2026-11-23T11:04:03Z')
    await sequence()
    const body = await read()
    assert.match(body, /10:59:58am.*11:04:03am.*4 minutes and 5 seconds.*The program did not run/s)
    const proofs = [...body.matchAll(/href="(\/status\/outages\/[^"]+)"/g)].map(([, href]) => href!)
    assert.equal(proofs.length, 2)
    // What vouches for the log from outside is not asked in this test.
    const unproved = await pages.get('nobody', proofs[0]!)
    assert.ok(unproved.statusCode >= 400 && unproved.statusCode < 500, String(unproved.statusCode))
    const [one] = await pages.post.owner`select id, message_id from event where type = 'message.accepted'`
    const outageId = proofs[0]!.split('/')[3]
    for (const url of [`/status/outages/${one!.messageId}/${one!.id}`, `/status/outages/${outageId}/${one!.id}`])
      assert.equal((await pages.get('nobody', url)).statusCode, 404, 'nobody’s letter')
  })

  test('says so where the program answers and nothing notes that it works', async () => {
    now.at = new Date('2026-11-23T11:06:00Z')
    assert.match(
      await read(),
      /may not be working as it should.*last known to take and to show letters on 23 November 2026 at 11:04am/s,
    )
  })

  test('says so where the database does not answer', async () => {
    await pages.post.owner`alter table outage rename to outage_away`
    const answer = await pages.get('nobody', '/status')
    await pages.post.owner`alter table outage_away rename to outage`
    assert.equal(answer.statusCode, 503)
    assert.match(answer.body, /The service is not working at this moment/)
  })
})

test('an outage’s begin and end can be proved to anybody, from what the status page offers', async () => {
  const server = await startServer()
  const { database, owner } = server.test
  const { keys, origin, issuer, attestors } = openEvidence(server.config)
  try {
    const sequence = async () => {
      await settle(owner)
      await sequenceAll(database, keys, { origin, issuer, isAttested: true }, new Date())
    }
    await sequence()
    await owner`update log_state set alive_at = ${new Date(Date.now() - 300_000)}`
    await noteAlive(database, { outageSeconds: 60 }, new Date())
    await sequence()
    await completeCheckpoints(database, attestors, new Date())
    const body = await (await fetch(`${server.baseUrl}/status`)).text()
    const proofs = [...body.matchAll(/href="(\/status\/outages\/[^"]+)"/g)].map(([, href]) => href!)
    const verdicts = await Promise.all(
      proofs.map(async (proof) => {
        const response = await fetch(server.baseUrl + proof)
        assert.match(response.headers.get('content-disposition')!, /\.tlog-proof"$/)
        return verifyReceipt(Buffer.from(await response.arrayBuffer()), [])
      }),
    )
    assert.deepEqual(
      verdicts.map(({ isValid, record }) => [isValid, record?.ERDSEventId]),
      [
        [true, 'urn:x-digital-post:event:ServiceInterrupted'],
        [true, 'urn:x-digital-post:event:ServiceRestored'],
      ],
      JSON.stringify(verdicts),
    )
  } finally {
    await server.stop()
  }
})
