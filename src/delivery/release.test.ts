import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { auditPost } from '../evidence/audit-post.ts'
import { readEvents } from '../evidence/events.ts'
import { find } from '../mailbox/find.ts'
import { listInbox } from '../mailbox/list.ts'
import { listActions } from '../mailbox/list-actions.ts'
import { hashIdentifier } from '../registry/identifier.ts'
import { endLink } from '../registry/link-end.ts'
import { mergeParties } from '../registry/merge-parties.ts'
import { acceptOne } from './accept.ts'
import { acceptBatch } from './accept-batch.ts'
import { createBatch } from './create-batch.ts'
import { findBatch } from './find-batches.ts'
import { recall } from './recall.ts'
import { releaseAll } from './release.ts'
import { findSent } from './sent.ts'
import { findWithheld } from './withheld.ts'
import type { Accepted } from './write.ts'

const now = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-24T10:00:00Z')

describe('a letter for a later time', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const send = (reference: string, more: object = {}, at = now) =>
    acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), ...more }, at)
  const isThere = async (messageId: string) => (await listInbox(post.db, post.rosa, 1)).letters.some(({ id }) => id === messageId)
  const eventsOf = async (messageId: string) =>
    (await readEvents(post.db, [post.serviceId], '0', 1_000))
      .filter((event) => event.messageId === messageId)
      .map(({ type }) => type)

  test('is accepted, and in nobody’s mailbox before it is due', async () => {
    const { messageId, availableAt } = await send('later-1', { availableFrom: later.toISOString() })
    assert.equal(availableAt, null)
    await releaseAll(post.db, () => new Date(later.getTime() - 1))
    assert.equal(await isThere(messageId), false)
    await assert.rejects(find(post.db, post.rosa, messageId), { code: 'not-found' })
    assert.deepEqual(await eventsOf(messageId), ['message.accepted'])
    const [sent] = await findSent(post.db, post.council, { messageId })
    assert.equal(sent!.pendingBecause, 'scheduled')
    assert.equal((await findWithheld(post.db, post.council, messageId)).subject, 'Your bill')
    await assert.rejects(findWithheld(post.db, post.rosa, messageId), { code: 'not-found' })
  })

  test('is available when it is due, once, whoever makes it so', async () => {
    const { messageId } = await send('later-2', { availableFrom: later.toISOString() })
    await Promise.all([releaseAll(post.db, () => later), releaseAll(post.db, () => later), releaseAll(post.db, () => later)])
    assert.equal(await isThere(messageId), true)
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.available'])
    const [sent] = await findSent(post.db, post.council, { messageId })
    assert.deepEqual([sent!.availableAt, sent!.pendingBecause], [later, null])
    await assert.rejects(findWithheld(post.db, post.council, messageId), { code: 'not-found' })
  })

  test('is available at once where its time has passed', async () => {
    const { messageId } = await send('later-3', { availableFrom: '2026-11-22T10:00:00Z' })
    assert.equal(await isThere(messageId), true)
  })

  test('brings its documents when it comes', async () => {
    const file = { filename: 'note.txt', mediaType: 'text/plain', content: Buffer.from('hello').toString('base64') }
    const documents = [{ role: 'main', files: [file] }]
    const { messageId } = await send('later-4', { availableFrom: later.toISOString(), documents })
    await releaseAll(post.db, () => later)
    const letter = await find(post.db, post.rosa, messageId)
    assert.equal(letter.documents[0]?.files[0]?.filename, 'note.txt')
  })

  test('keeps what it asks to do with it, until it comes', async () => {
    const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' }, until: '2026-12-01T10:00:00Z' }]
    const { messageId } = await send('later-asks', { availableFrom: later.toISOString(), actions })
    const rows = () => post.owner`select ordinal, kind, state, state_at from action where message_id = ${messageId}`
    const asked = async () => Object.values((await listActions(post.db, post.rosa, now)).waiting).flat()
    assert.deepEqual([...(await rows())], [])
    assert.deepEqual(await asked(), [])
    assert.deepEqual(await auditPost(post.owner, new Date(0)), [])
    await releaseAll(post.db, () => later)
    assert.deepEqual([...(await rows())], [{ ordinal: 0, kind: 'confirm', state: 'open', stateAt: later }])
    assert.deepEqual(
      (await asked()).map((action) => [action.messageId, action.said.label.en]),
      [[messageId, 'Confirm who lives with you']],
    )
    assert.deepEqual(await auditPost(post.owner, new Date(0)), [])
  })

  test('of a batch comes as any other, and one for at once beside it is there at once', async () => {
    const lines = ['in-batch-1', 'in-batch-2', 'in-batch-3'].map((reference, place) => ({
      line: place + 1,
      reference,
      submission: { ...post.letter(reference), ...(place === 1 ? {} : { availableFrom: later.toISOString() }) },
    }))
    const of = { serviceId: post.serviceId, reference: 'batch', name: 'Batch', lane: 'bulk', hold: false } as const
    const batch = await createBatch(post.db, post.council, of, now)
    const outcomes = (await acceptBatch(post.db, post.keys, post.council, batch, lines, 10, now)) as Accepted[]
    assert.deepEqual(
      outcomes.map(({ availableAt }) => availableAt),
      [null, now, null],
    )
    const areThere = () => Promise.all(outcomes.map(({ messageId }) => isThere(messageId)))
    assert.deepEqual(await areThere(), [false, true, false])
    await releaseAll(post.db, () => later)
    assert.deepEqual(await areThere(), [true, true, true])
    const { accepted, progress } = await findBatch(post.db, post.council, batch.id)
    assert.deepEqual([accepted, progress?.available], [3, 3])
    assert.deepEqual(await eventsOf(outcomes[0]!.messageId), ['message.accepted', 'message.available'])
  })

  test('that is an answer is one when it comes, and who is answered knows nothing of it before', async () => {
    const written = { ...post.letter('question'), recipient: undefined }
    const question = (await acceptOne(post.db, post.keys, post.rosa, written, now)).messageId
    const answeredAt = async () => (await findSent(post.db, post.rosa, { messageId: question }))[0]!.answeredAt
    const answers = async () =>
      (await readEvents(post.db, [post.rosa.partyId], '0', 100)).filter(({ type }) => type === 'message.answered')
    const answer = { availableFrom: later.toISOString(), recipient: undefined, answersId: question }
    const sent = [await send('answer-1', answer), await send('answer-2', answer)]
    await recall(post.db, post.council, { messageId: (await send('answer-3', answer)).messageId, reason: 'A mistake' }, now)
    assert.deepEqual([await answeredAt(), await answers()], [null, []])
    await Promise.all([releaseAll(post.db, () => later), releaseAll(post.db, () => later)])
    assert.deepEqual(await answeredAt(), later)
    assert.deepEqual(
      (await answers()).map(({ messageId }) => messageId),
      [question, question],
    )
    const facts = await post.owner`select facts from event where type = 'message.answered' and message_id = ${question}`
    assert.deepEqual(
      facts.map((one) => [one.facts.by.name, one.facts.answer]).sort(),
      sent.map(({ messageId }) => ['Billing', messageId]).sort(),
    )
  })

  test('fails, and says so, where its recipient has left meanwhile', async () => {
    const leaver = await post.addPerson('CT-LEAVES')
    const recipient = { scheme: 'link', value: 'CT-LEAVES' }
    const { messageId } = await send('later-5', { availableFrom: later.toISOString(), recipient })
    await post.owner`update mailbox set registration = 'exempt' where id = ${leaver.mailboxId}`
    await releaseAll(post.db, () => later)
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.failed'])
    const [sent] = await findSent(post.db, post.council, { messageId })
    assert.deepEqual(sent!.failedAt, later)
  })

  test('fails where its recipient has unlinked the number meanwhile, and never comes to who has it then', async () => {
    const leaver = await post.addPerson('CT-UNLINKED')
    const recipient = { scheme: 'link', value: 'CT-UNLINKED' }
    const { messageId } = await send('later-unlinked', { availableFrom: later.toISOString(), recipient })
    const [link] = await post.owner`select id from link where party_id = ${leaver.partyId}`
    await endLink(post.db, leaver, { linkId: link!.id }, now)
    const next = await post.addPerson('CT-UNLINKED')
    await releaseAll(post.db, () => later)
    for (const reader of [leaver, next]) assert.deepEqual((await listInbox(post.db, reader, 1)).letters, [])
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.failed'])
  })

  test('comes where its recipient has unlinked the number and linked it again', async () => {
    const back = await post.addPerson('CT-BACK')
    const recipient = { scheme: 'link', value: 'CT-BACK' }
    const { messageId } = await send('later-back', { availableFrom: later.toISOString(), recipient })
    const [link] = await post.owner`select id from link where party_id = ${back.partyId}`
    await endLink(post.db, back, { linkId: link!.id }, now)
    await post.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
      select service_id, scheme, ${hashIdentifier(post.keys, post.serviceId, recipient)}, value_sealed, ${back.partyId}, ${now}
      from link where party_id = ${post.rosa.partyId} limit 1`
    await releaseAll(post.db, () => later)
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.available'])
  })

  test('can be taken back before it comes, and then never comes', async () => {
    const { messageId } = await send('later-6', { availableFrom: later.toISOString() })
    await recall(post.db, post.council, { messageId, reason: 'A mistake' }, now)
    await releaseAll(post.db, () => later)
    assert.equal(await isThere(messageId), false)
    assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.recalled'])
  })

  test('comes to the mailbox that its recipient’s has become part of', async () => {
    const twice = await post.addPerson('CT-TWICE')
    const { messageId } = await send('later-merged', {
      availableFrom: later.toISOString(),
      recipient: { scheme: 'link', value: 'CT-TWICE' },
    })
    const one = [twice.partyId, post.rosa.partyId]
    await post.owner`update party set name = 'Rosa Example', birth_date = '1984-05-17' where id = any(${one}::uuid[])`
    await mergeParties(post.db, { fromPartyId: twice.partyId, intoPartyId: post.rosa.partyId }, now)
    await releaseAll(post.db, () => later)
    assert.equal(await isThere(messageId), true)
  })

  test('is refused where it is more than a year away, or out of date before it is there', async () => {
    await assert.rejects(send('later-7', { availableFrom: '2028-01-01T00:00:00Z' }), { code: 'available-from-too-late' })
    const expiresAt = now.toISOString()
    await assert.rejects(send('later-8', { availableFrom: later.toISOString(), expiresAt }), { code: 'expires-too-early' })
  })

  test('is the same again under its reference', async () => {
    const first = await send('later-9', { availableFrom: later.toISOString() })
    const again = await send('later-9', { availableFrom: later.toISOString() })
    assert.deepEqual([again.messageId, again.isNew], [first.messageId, false])
    await assert.rejects(send('later-9'), { code: 'reference-used' })
  })
})
