import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { logAll, sealAll } from '../../test/seal-all.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { buildApp } from '../app.ts'
import { type Config, readConfig } from '../config.ts'
import { acceptOne } from '../delivery/accept.ts'
import type { Submission } from '../delivery/message.ts'
import { publicKeysOf } from '../evidence/attestors.ts'
import { type MakeReceipt, receiptMaker } from '../evidence/make-receipt.ts'
import { openEvidence } from '../evidence/open-evidence.ts'
import { type TrustedKeys, trustedKeysOf } from '../evidence/trusted-keys.ts'
import { type Verdict, verifyReceipt } from '../evidence/verify.ts'
import { findFile } from './find.ts'
import { open } from './open.ts'
import { findProof, findReceipt, findSentReceipt, listSentEvidence } from './proof.ts'

describe('proof of a message', () => {
  const start = new Date('2026-11-05T10:00:00Z')
  let now = start
  let testDatabase: TestDatabase
  let post: Post
  let config: Config
  let makeReceipt: MakeReceipt
  let app: FastifyInstance
  let address: string
  let trusted: TrustedKeys
  before(async () => {
    testDatabase = await createTestDatabase()
    config = readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' })
    post = await buildPost(testDatabase, config.secretKey)
    const evidence = openEvidence(config)
    makeReceipt = receiptMaker(evidence)
    app = await buildApp(config, post.db, () => now)
    address = await app.listen({ host: '127.0.0.1', port: 0 })
    await send('first')
    await sealAll(post.db, config, address, now)
    trusted = trustedKeysOf(evidence.keys, evidence.origin, await publicKeysOf(post.db, evidence.attestors))
  })
  after(async () => {
    await app.close()
    await testDatabase.drop()
  })

  const later = (seconds: number) => {
    now = new Date(now.getTime() + 1_000 * seconds)
    return now
  }
  const send = async (reference: string, more: Partial<Submission> = {}) =>
    (await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), ...more }, now)).messageId
  const seal = () => sealAll(post.db, config, address, now)
  const idOf = async (actor: Actor, messageId: string, type: string) =>
    (await findProof(post.db, actor, messageId)).evidence.find((each) => each.type === type)!.id
  const receiptOf = async (actor: Actor, messageId: string, type: string) =>
    Buffer.from(await findReceipt(post.db, actor, messageId, await idOf(actor, messageId, type), makeReceipt, now))
  const assertValid = ({ isValid, sentence }: Verdict) => assert.ok(isValid, sentence)
  const isProblem = (code: string) => (error: { code?: string }) => error.code === code

  test('is given to both sides, each with its own opening, and holds offline with the published keys', async () => {
    const files = [{ filename: 'bill.txt', mediaType: 'text/plain', content: btoa('Pay 120') }]
    const id = await send('both', { documents: [{ role: 'main', files }] })
    const { letter } = await findProof(post.db, post.rosa, id)
    later(60)
    await open(post.db, post.rosa, id, now)
    await findFile(post.db, post.rosa, id, letter.documents[0]!.files[0]!.id, now)
    await seal()
    const received = (await findProof(post.db, post.rosa, id)).evidence
    const types = ['message.accepted', 'message.available', 'message.opened', 'message.handed-over']
    assert.deepEqual(
      received.map(({ type }) => type),
      types,
    )
    const documents = [
      { name: 'bill.txt', bytes: Buffer.from('Pay 120') },
      { name: 'letter.md', bytes: Buffer.from('You have a bill.') },
    ]
    for (const type of types) {
      const [ofRosa, ofCouncil] = await Promise.all([
        receiptOf(post.rosa, id, type),
        findSentReceipt(post.db, post.council, id, received.find((each) => each.type === type)!.id, makeReceipt, now),
      ])
      const verdicts = [ofRosa, Buffer.from(ofCouncil)].map((file) => verifyReceipt(file, documents, trusted))
      for (const verdict of verdicts) assertValid(verdict)
      assert.deepEqual(
        verdicts.map(({ record }) => record?.audience),
        ['recipient', 'sender'],
      )
      assert.equal(verdicts[0]!.record?.SenderReference, undefined)
      assert.equal(verdicts[1]!.record?.SenderReference, 'both')
      assert.equal(ofCouncil.includes(ofRosa.toString().split('\n')[2]!), false, 'they are at different places of the log')
    }
  })

  test('tells each side who acted on its own, and of the other only what kind of person it was', async () => {
    const id = await send('who')
    const helper: Actor = {
      ...post.rosa,
      rights: rightsOf('reader'),
      by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' },
    }
    await open(post.db, helper, id, later(1))
    await seal()
    const openedBy = async (
      evidence: Promise<{ type: string; record: { EventDetails?: { doneBy?: { name?: string; kind: string } } } }[]>,
    ) => (await evidence).find(({ type }) => type === 'message.opened')!.record.EventDetails!.doneBy
    const ofRosa = await openedBy(findProof(post.db, post.rosa, id).then(({ evidence }) => evidence))
    const ofCouncil = await openedBy(listSentEvidence(post.db, post.council, id))
    assert.deepEqual([ofRosa?.name, ofRosa?.kind], ['Arthur Sample', 'helper'])
    assert.deepEqual([ofCouncil?.name, ofCouncil?.kind], [undefined, 'helper'])
  })

  test('of one letter is not proof of another', async () => {
    const [one, other] = [await send('one', { subject: 'One' }), await send('other', { subject: 'Other' })]
    await seal()
    const id = await idOf(post.rosa, other, 'message.available')
    await assert.rejects(findReceipt(post.db, post.rosa, one, id, makeReceipt, now), isProblem('not-found'))
    assert.match(verifyReceipt(await receiptOf(post.rosa, one, 'message.available'), [], trusted).sentence, /“One”/)
  })

  test('is not there for anybody else, in the same words as what is nowhere', async () => {
    const id = await send('others')
    await seal()
    const evidenceId = await idOf(post.rosa, id, 'message.available')
    const nothing = crypto.randomUUID()
    const asks = [
      () => findProof(post.db, post.arthur, id),
      () => findProof(post.db, post.arthur, nothing),
      () => findReceipt(post.db, post.arthur, id, evidenceId, makeReceipt, now),
      () => findSentReceipt(post.db, post.arthur, id, evidenceId, makeReceipt, now),
      () => listSentEvidence(post.db, post.rosa, id),
      () => listSentEvidence(post.db, post.council, nothing),
      () => findReceipt(post.db, post.rosa, id, nothing, makeReceipt, now),
      () => findProof(post.db, post.clerk([post.parkingId]), id),
    ]
    for (const ask of asks) await assert.rejects(ask(), isProblem('not-found'))
  })

  test('is there for a helper as far as the letter is, and their look at it is noted', async () => {
    const [id, alone] = [await send('helped'), await send('alone', { recipientOnly: true })]
    await seal()
    const by = { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } as const
    const helper: Actor = { ...post.rosa, rights: rightsOf('reader', [post.serviceId]), by }
    const evidenceId = await idOf(helper, id, 'message.available')
    assertValid(verifyReceipt(Buffer.from(await findReceipt(post.db, helper, id, evidenceId, makeReceipt, now)), [], trusted))
    const looks = await post.owner`select what, by_name from look where message_id = ${id}`
    assert.deepEqual({ ...looks[0] }, { what: 'downloaded', byName: 'Arthur Sample' })
    await assert.rejects(findProof(post.db, helper, alone), isProblem('not-found'))
    const elsewhere: Actor = { ...helper, rights: rightsOf('reader', [post.parkingId]) }
    await assert.rejects(findReceipt(post.db, elsewhere, id, evidenceId, makeReceipt, now), isProblem('not-found'))
  })

  test('does not open the letter', async () => {
    const id = await send('closed')
    await seal()
    await receiptOf(post.rosa, id, 'message.available')
    assert.equal((await findProof(post.db, post.rosa, id)).letter.openedAt, null)
  })

  test('is being sealed until it is in the log and witnessed, and stamped if that does not take too long', async () => {
    const id = await send('young')
    const { evidence: listed } = await findProof(post.db, post.rosa, id)
    assert.deepEqual(
      listed.map(({ entry }) => entry),
      [undefined, undefined],
    )
    await assert.rejects(receiptOf(post.rosa, id, 'message.available'), isProblem('evidence-pending'))
    await logAll(post.db, config, now)
    assert.ok((await findProof(post.db, post.rosa, id)).evidence.every(({ entry }) => entry !== undefined))
    await assert.rejects(receiptOf(post.rosa, id, 'message.available'), isProblem('evidence-pending'))
    await seal()
    const newest = testDatabase.owner`(select max(size) from log_checkpoint)`
    await testDatabase.owner`update log_checkpoint set time_stamp = null where size = ${newest}`
    await assert.rejects(receiptOf(post.rosa, id, 'message.available'), isProblem('evidence-pending'))
    later(61)
    const verdict = verifyReceipt(await receiptOf(post.rosa, id, 'message.available'), [], trusted)
    assertValid(verdict)
    assert.match(verdict.checks.find(({ name }) => name === 'time')!.says, /^There is no time-stamp/)
  })

  test('stands on the first checkpoint that says most, however far the log has gone on', async () => {
    const id = await send('early')
    await seal()
    const before = await receiptOf(post.rosa, id, 'message.available')
    for (let i = 0; i < 3; i += 1) {
      await send(`later ${i}`)
      await seal()
    }
    assert.deepEqual(await receiptOf(post.rosa, id, 'message.available'), before)
    // A checkpoint that lacks everything is stepped over.
    await testDatabase.owner`
      update log_checkpoint set cosignatures = '{}', time_stamp = null
      where size = (select size from evidence_seal join event using (position) where message_id = ${id} limit 1)`
    const after = await receiptOf(post.rosa, id, 'message.available')
    assert.notDeepEqual(after, before)
    assertValid(verifyReceipt(after, [], trusted))
  })

  test('is had of what was rejected too, by its sender, with the reason', async () => {
    await assert.rejects(send('rejected', { recipient: { scheme: 'link', value: 'CT-9999' } }))
    await seal()
    const [event] = await post.owner`select message_id as id from event where reference = 'rejected'`
    const [listed] = await listSentEvidence(post.db, post.council, event!.id)
    assert.equal(listed?.type, 'message.rejected')
    const file = await findSentReceipt(post.db, post.council, event!.id, listed!.id, makeReceipt, now)
    const verdict = verifyReceipt(Buffer.from(file), [], trusted)
    assertValid(verdict)
    assert.match(
      verdict.sentence,
      /was refused on 5 November 2026 at \d\d:\d\d \(UK time\): Nobody is known here by this identifier/,
    )
  })

  test('holds of what a person wrote to a public body, on both sides', async () => {
    const submission: Submission = {
      reference: crypto.randomUUID(),
      serviceId: post.serviceId,
      subject: 'I have moved',
      content: [{ language: 'en', body: 'To another house.' }],
      documents: [],
      reply: { allowed: true },
    }
    const { messageId } = await acceptOne(post.db, post.keys, post.rosa, submission, now)
    await seal()
    for (const [actor, audience] of [[post.rosa, 'sender'] as const, [post.clerk([post.serviceId]), 'recipient'] as const]) {
      const verdict = verifyReceipt(await receiptOf(actor, messageId, 'message.available'), [], trusted)
      assertValid(verdict)
      assert.equal(verdict.record?.audience, audience)
      assert.match(
        verdict.sentence,
        /Rosa Example put the letter “I have moved” in the mailbox of Northfold Council, Council tax on /,
      )
    }
  })

  test('that somebody changed in the database is no proof any more', async () => {
    const id = await send('changed')
    await seal()
    await testDatabase.owner`update event set at = at - interval '1 day' where message_id = ${id} and type = 'message.available'`
    const verdict = verifyReceipt(await receiptOf(post.rosa, id, 'message.available'), [], trusted)
    assert.match(verdict.sentence, /^Not valid\. Seal: /)
  })
})
