import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { readEvents } from '../evidence/events.ts'
import { find, findThread } from '../mailbox/find.ts'
import { listInbox } from '../mailbox/list.ts'
import { open } from '../mailbox/open.ts'
import { Problem } from '../problems.ts'
import { hashIdentifier } from '../registry/identifier.ts'
import { installationNamespace } from '../registry/scheme.ts'
import { accept, acceptOne } from './accept.ts'
import type { Submission } from './message.ts'
import { findSent } from './sent.ts'

const pdf = Buffer.from('%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF').toString('base64')

describe('accepting a message', () => {
  let test_: TestDatabase
  let post: Post
  const now = new Date('2026-11-23T10:00:00Z')
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  test('puts it into the mailbox, the ledger and the events at once', async () => {
    const accepted = await acceptOne(post.db, post.keys, post.council, post.letter('whole'), now)
    assert.equal(accepted.isNew, true)
    const inbox = await listInbox(post.db, post.rosa, 1)
    assert.deepEqual(
      inbox.letters.map(({ subject, otherName, serviceName, openedAt }) => ({ subject, otherName, serviceName, openedAt })),
      [{ subject: 'Your bill', otherName: 'Northfold Council', serviceName: 'Council tax', openedAt: null }],
    )
    const [sent] = await findSent(post.db, post.council, { reference: 'whole' })
    assert.equal(sent?.messageId, accepted.messageId)
    const events = await readEvents(post.db, [post.serviceId], '0', 10)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['message.accepted', 'message.available'],
    )
  })

  test('gives the same answer to the same message again, and keeps one', async () => {
    const letter = {
      ...post.letter('twice'),
      documents: [{ role: 'main' as const, files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf }] }],
    }
    const first = await acceptOne(post.db, post.keys, post.council, letter, now)
    const second = await acceptOne(post.db, post.keys, post.council, letter, new Date(now.getTime() + 60_000))
    assert.deepEqual(second, { ...first, isNew: false })
    const [counted] = await post.owner`select count(*)::int as files from file where message_id = ${first.messageId}`
    assert.equal(counted?.files, 1)
  })

  test('refuses another message under the same reference', async () => {
    await acceptOne(post.db, post.keys, post.council, post.letter('changed'), now)
    await assert.rejects(acceptOne(post.db, post.keys, post.council, { ...post.letter('changed'), subject: 'Another' }, now), {
      code: 'reference-used',
    })
  })

  test('makes one of twenty that arrive at once under one reference', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => acceptOne(post.db, post.keys, post.council, post.letter('race'), now)),
    )
    assert.equal(new Set(outcomes.map(({ messageId }) => messageId)).size, 1)
    assert.equal(outcomes.filter(({ isNew }) => isNew).length, 1)
  })

  test('answers for each of many, in order, and a bad one harms no neighbour', async () => {
    const outcomes = await accept(
      post.db,
      post.keys,
      post.council,
      [
        post.letter('many-1'),
        { ...post.letter('many-2'), recipient: { scheme: 'link', value: 'CT-9999' } },
        post.letter('many-1'),
        { ...post.letter('many-3'), serviceId: newId() },
        post.letter('many-4'),
      ],
      now,
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome instanceof Problem ? outcome.code : outcome.isNew)),
      [true, 'recipient-not-found', false, 'service-not-found', true],
    )
  })

  test('keeps nothing of a refused message but the evidence that it was, and why', async () => {
    const count = async () =>
      (
        await post.owner`select (select count(*) from message) + (select count(*) from ledger) + (select count(*) from file) as n`
      )[0]!.n
    const refuse = () =>
      acceptOne(
        post.db,
        post.keys,
        post.council,
        { ...post.letter('refused'), recipient: { scheme: 'link', value: 'CT-9999' } },
        now,
      )
    const before = await count()
    await assert.rejects(refuse())
    await assert.rejects(refuse())
    assert.equal(await count(), before)
    const events = await post.owner`select type, sender_id, facts from event where reference = 'refused'`
    assert.deepEqual(
      events.map(({ type, senderId }) => ({ type, senderId })),
      Array(2).fill({ type: 'message.rejected', senderId: post.serviceId }),
      'each try is an event',
    )
    const { reasons, parts, serviceName } = events[0]!.facts
    assert.equal(reasons[0].code, 'recipient-not-found')
    assert.deepEqual({ parts, serviceName }, { parts: [], serviceName: 'Council tax' })
    assert.ok(!JSON.stringify(events).includes('CT-9999'), 'nobody’s identifier is in it')
  })

  test('writes nothing into the feed of a service that the sender may not act for', async () => {
    const [outcome] = await accept(
      post.db,
      post.keys,
      post.council,
      [{ ...post.letter('foreign'), serviceId: post.parkingId }],
      now,
    )
    assert.equal((outcome as Problem).code, 'service-not-found')
    assert.equal((await post.owner`select from event where reference = 'foreign'`).length, 0)
  })

  test('is the same in the other direction: a person answers, and is answered, in one thread', async () => {
    const letter = await acceptOne(post.db, post.keys, post.council, post.letter('thread'), now)
    await open(post.db, post.rosa, letter.messageId, now)
    const [later, latest] = [new Date(now.getTime() + 1_000), new Date(now.getTime() + 2_000)]
    const answer = await acceptOne(
      post.db,
      post.keys,
      post.rosa,
      { ...post.letter('answer'), recipient: undefined, answersId: letter.messageId },
      later,
    )
    const answered = await acceptOne(
      post.db,
      post.keys,
      post.council,
      { ...post.letter('back'), recipient: undefined, answersId: answer.messageId },
      latest,
    )
    for (const actor of [post.rosa, post.council]) {
      const thread = await findThread(post.db, actor, letter.threadId)
      assert.deepEqual(
        thread.map(({ id }) => id),
        [letter.messageId, answer.messageId, answered.messageId],
      )
    }
    const [sent] = await findSent(post.db, post.council, { reference: 'thread' })
    assert.deepEqual([sent?.openedAt, sent?.answeredAt], [now, later])
  })

  test('takes no answer that the sender did not ask for, or that comes too late', async () => {
    const closed = await acceptOne(post.db, post.keys, post.council, { ...post.letter('closed'), reply: { allowed: false } }, now)
    const late = await acceptOne(
      post.db,
      post.keys,
      post.council,
      { ...post.letter('late'), reply: { allowed: true, by: '2026-11-24T00:00:00Z' } },
      now,
    )
    const answer = (answersId: string, at: Date) =>
      acceptOne(post.db, post.keys, post.rosa, { ...post.letter(newId()), recipient: undefined, answersId }, at)
    await assert.rejects(answer(closed.messageId, now), { code: 'reply-not-allowed' })
    await assert.rejects(answer(late.messageId, new Date('2026-11-24T00:00:01Z')), { code: 'reply-too-late' })
    await answer(late.messageId, now)
  })

  test('lets nobody answer a letter in another’s mailbox', async () => {
    const letter = await acceptOne(post.db, post.keys, post.council, post.letter('hers'), now)
    await assert.rejects(
      acceptOne(
        post.db,
        post.keys,
        post.arthur,
        { ...post.letter('his'), recipient: undefined, answersId: letter.messageId },
        now,
      ),
      { code: 'answered-not-found' },
    )
    await assert.rejects(open(post.db, post.arthur, letter.messageId, now), { code: 'not-found' })
  })
})

describe('who a message reaches', () => {
  let test_: TestDatabase
  let post: Post
  const now = new Date('2026-11-23T10:00:00Z')
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    await post.owner`insert into category (slug, name) values ('bills', '{"en": "Bills"}')`
  })
  after(() => test_.drop())

  /** Somebody new, whose mailbox is so; and a letter to them. */
  const send = async (link: string, mailbox: Record<string, unknown>, more: Partial<Submission> = {}) => {
    const person = await post.addPerson(link)
    if (Object.keys(mailbox).length > 0)
      await post.owner`update mailbox set ${post.owner(mailbox)} where id = ${person.mailboxId}`
    const letter = { ...post.letter(link), recipient: { scheme: 'link', value: link }, ...more }
    return { person, letter, accept: () => acceptOne(post.db, post.keys, post.council, letter, now) }
  }

  test('an exempt person, a closed mailbox and a new business are refused, each with its reason', async () => {
    const cases = [
      ['exempt', { registration: 'exempt' }, 'recipient-exempt'],
      ['closed', { registration: 'closed' }, 'recipient-closed'],
      ['new', { reachable_from: new Date('2026-11-24T00:00:00Z') }, 'recipient-not-yet'],
    ] as const
    for (const [link, mailbox, code] of cases) {
      const { accept: send_ } = await send(link, mailbox)
      await assert.rejects(send_(), { code })
    }
    const [kept] =
      await post.owner`select count(*)::int as letters from message where mailbox_id in (select id from mailbox where registration <> 'registered')`
    assert.equal(kept?.letters, 0)
  })

  test('each of a batch has its own answer: one who is exempt keeps no other from their letter', async () => {
    const { letter } = await send('exempt-too', { registration: 'exempt' })
    const others = [post.letter('before'), letter, post.letter('after')]
    const outcomes = await accept(post.db, post.keys, post.council, others, now)
    assert.deepEqual(
      outcomes.map((outcome) => (outcome instanceof Problem ? outcome.code : outcome.isNew)),
      [true, 'recipient-exempt', true],
    )
  })

  test('what was accepted before is answered the same after the recipient has left', async () => {
    const { person, accept: send_ } = await send('leaving', {})
    const first = await send_()
    await post.owner`update mailbox set registration = 'closed' where id = ${person.mailboxId}`
    assert.deepEqual(await send_(), { ...first, isNew: false })
  })

  test('a mailbox that was opened by consent takes the categories that are consented to, and no other', async () => {
    const { person, letter } = await send('consenting', { by_consent: true })
    await post.owner`
      insert into consent (party_id, id, category, given_at, wording, language)
      values (${person.partyId}, ${newId()}, 'bills', ${now}, 'I agree to get bills here.', 'en')`
    const of = (category: string) =>
      acceptOne(post.db, post.keys, post.council, { ...letter, reference: category, category }, now)
    assert.equal((await of('bills')).isNew, true)
    await assert.rejects(of('general'), { code: 'consent-missing' })
    await assert.rejects(of('unheard-of'), { code: 'category-not-found' })
    await post.owner`update consent set withdrawn_at = ${now} where party_id = ${person.partyId}`
    const again = { ...letter, reference: 'after withdrawal', category: 'bills' }
    await assert.rejects(acceptOne(post.db, post.keys, post.council, again, now), { code: 'consent-missing' })
  })

  test('an identifier without the form of its scheme is named, and one of a scheme that the service may not use is nobody’s', async () => {
    const to = (scheme: string, value: string) =>
      acceptOne(post.db, post.keys, post.council, { ...post.letter(`${scheme} ${value}`), recipient: { scheme, value } }, now)
    await assert.rejects(to('nhs-number', '943 476 5918'), { code: 'identifier-invalid' })
    const identifier = { scheme: 'nhs-number', value: '943 476 5919' }
    const hash = hashIdentifier(post.keys, post.serviceId, identifier)
    await post.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${installationNamespace}, 'nhs-number', ${hash}, ${hash}, ${post.rosa.partyId})`
    await assert.rejects(to(identifier.scheme, identifier.value), { code: 'recipient-not-found' })
    await post.owner`insert into service_scheme (service_id, scheme) values (${post.serviceId}, 'nhs-number')`
    assert.equal((await to(identifier.scheme, identifier.value)).isNew, true)
  })

  test('a letter for the recipient only is not there for a helper, and neither are its files, its thread or its count', async () => {
    const { person, letter } = await send('helped', {}, { recipientOnly: true })
    const { messageId, threadId } = await acceptOne(post.db, post.keys, post.council, letter, now)
    const helper: Actor = { ...person, by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } }
    assert.equal((await listInbox(post.db, person, 1)).total, 1)
    assert.deepEqual(await listInbox(post.db, helper, 1), { letters: [], page: 1, pages: 1, total: 0, unread: 0 })
    await assert.rejects(open(post.db, helper, messageId, now), { code: 'not-found' })
    assert.deepEqual(await findThread(post.db, helper, threadId), [])
    const answer = { ...letter, reference: 'answer', answersId: messageId, recipient: undefined, recipientOnly: false }
    await assert.rejects(acceptOne(post.db, post.keys, helper, answer, now), { code: 'answered-not-found' })
  })

  test('a letter for the recipient only is for a business’s employees, and not for its adviser', async () => {
    const { person, letter } = await send('bakery', {}, { recipientOnly: true })
    await acceptOne(post.db, post.keys, post.council, letter, now)
    const as = (isEmployee: boolean): Actor => ({
      ...person,
      by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample', isEmployee },
    })
    assert.deepEqual([(await listInbox(post.db, as(true), 1)).total, (await listInbox(post.db, as(false), 1)).total], [1, 0])
  })

  test('what a helper writes says so, and the owner can see that they did', async () => {
    const { messageId } = await acceptOne(post.db, post.keys, post.council, post.letter('to be answered'), now)
    const helper: Actor = { ...post.rosa, by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } }
    const answer = { ...post.letter('helped answer'), recipient: undefined, answersId: messageId }
    const { messageId: answerId } = await acceptOne(post.db, post.keys, helper, answer, now)
    const [written] = await post.owner`select sender_name, written_by_name from message where id = ${answerId}`
    assert.deepEqual({ ...written }, { senderName: 'Rosa Example', writtenByName: 'Arthur Sample' })
    const [look] = await post.owner`select party_id, by_kind, by_name, what from look where message_id = ${answerId}`
    assert.deepEqual({ ...look }, { partyId: post.rosa.partyId, byKind: 'helper', byName: 'Arthur Sample', what: 'answered' })
  })

  test('what a helper of some categories writes is of the first of them, unless it answers or says another', async () => {
    await post.owner`insert into category (slug, name) values ('health', '{"en": "Health"}')`
    const by = { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample' } as const
    const helper: Actor = { ...post.rosa, by, categories: ['bills', 'health'] }
    const categoryOf = async (actor: Actor, submission: Partial<Submission>) => {
      const written = { ...post.letter(newId()), recipient: undefined, ...submission }
      const { messageId } = await acceptOne(post.db, post.keys, actor, written, now)
      const [message] = await post.owner`select category from message where id = ${messageId}`
      return { messageId, category: message?.category }
    }
    const { messageId, category } = await categoryOf(helper, {})
    assert.equal(category, 'bills')
    assert.equal((await find(post.db, helper, messageId)).isSent, true, 'they see it themselves')
    assert.equal((await categoryOf(post.rosa, {})).category, 'general')
    const letter = await categoryOf(post.council, { recipient: { scheme: 'link', value: 'CT-1' }, category: 'health' })
    assert.equal((await categoryOf(helper, { answersId: letter.messageId })).category, 'health')
    const general = await categoryOf(post.council, { recipient: { scheme: 'link', value: 'CT-1' } })
    await assert.rejects(categoryOf(helper, { answersId: general.messageId }), { code: 'answered-not-found' })
  })
})
