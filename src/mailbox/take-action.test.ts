import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { accept, acceptOne } from '../delivery/accept.ts'
import { findSent } from '../delivery/sent.ts'
import type { NewAction } from '../documents/action.ts'
import { readEvents } from '../evidence/events.ts'
import { Problem } from '../problems.ts'
import { addActionHost } from '../registry/action-hosts.ts'
import { listFolder } from './list.ts'
import { listActions, listDone } from './list-actions.ts'
import { takeAction } from './take-action.ts'
import { visitAction } from './visit-action.ts'

const now = new Date('2026-11-23T10:00:00Z')
const at = (days: number) => new Date(now.getTime() + days * 86_400_000)
const refuses = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

const confirm: NewAction = {
  kind: 'confirm',
  label: { en: 'Confirm who lives with you', cy: 'Cadarnhau' },
  until: at(3).toISOString(),
}
const meet: NewAction = {
  kind: 'book',
  label: { en: 'Your appointment' },
  appointment: { start: at(20).toISOString(), end: at(21).toISOString(), place: 'Northfold Town Hall' },
}
const form: NewAction = { kind: 'self-service', label: { en: 'Fill in the form' }, url: 'https://forms.northfold.example/form/1' }
const prepare: NewAction = { kind: 'prepare', label: { en: 'Find your meter reading' }, until: at(-1).toISOString() }

describe('what a letter asks to do', () => {
  let test_: TestDatabase
  let post: Post
  let helper: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const asker = { organisationId: post.council.partyId, name: 'Mel' }
    await addActionHost(post.db, asker, { host: 'forms.northfold.example', demo: false }, now)
    const by = { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample', grantId: 'one' } as const
    helper = { ...post.rosa, rights: rightsOf('writer', [post.parkingId]), by }
  })
  after(() => test_.drop())

  const send = async (reference: string, actions: NewAction[], more = {}) => {
    const { messageId } = await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), actions, ...more }, now)
    const [sent] = await findSent(post.db, post.council, { messageId })
    return { messageId, actions: sent!.actions }
  }
  const asks = (reference: string, actions: NewAction[]) =>
    accept(post.db, post.keys, post.council, [{ ...post.letter(reference), actions }], now)
  const stateOf = async (messageId: string) =>
    (await findSent(post.db, post.council, { messageId }))[0]!.actions.map(({ state }) => state)

  test('is there with the letter, in its order, open; and the same again makes nothing more', async () => {
    const { messageId, actions } = await send('order', [confirm, meet, form])
    assert.deepEqual(
      actions.map(({ kind, state, label }) => [kind, state, label.en]),
      [
        ['confirm', 'open', 'Confirm who lives with you'],
        ['book', 'open', 'Your appointment'],
        ['self-service', 'open', 'Fill in the form'],
      ],
    )
    assert.equal((await send('order', [confirm, meet, form])).messageId, messageId)
    const [other] = await asks('order', [confirm])
    assert.ok(other instanceof Problem && other.code === 'reference-used')
  })

  test('leads only to sites that are registered, and says of nobody who they are', async () => {
    const cases: [string, string][] = [
      ['https://elsewhere.example/form', 'action-address-not-allowed'],
      ['http://forms.northfold.example/form', 'action-address-not-allowed'],
      ['https://forms.northfold.example:8443/form', 'action-address-not-allowed'],
      ['https://forms.northfold.example@elsewhere.example/', 'action-address-not-allowed'],
      ['javascript:alert(1)', 'action-address-not-allowed'],
      ['https://forms.northfold.example/?who=rosa%40example.com', 'action-address-personal'],
      ['https://forms.northfold.example/?n=AB%2012%2034%2056%20C', 'action-address-personal'],
      ['https://forms.northfold.example/?account=ct_1', 'ok'],
    ]
    for (const [index, [url, code]] of cases.entries()) {
      const [outcome] = await asks(`address ${index}`, [{ ...form, url }])
      if (outcome instanceof Problem) {
        assert.equal(outcome.code, code, url)
        assert.deepEqual(outcome.fields?.[0]?.field, '/actions/0/url')
      } else assert.equal('ok', code, url)
    }
  })

  test('is refused where it lacks what its kind needs, with every field that is wrong', async () => {
    const [outcome] = await asks('misfit', [
      { kind: 'pay', label: { en: 'Pay' } },
      { kind: 'confirm', label: { en: 'Confirm' }, amount: 5 },
    ])
    assert.ok(outcome instanceof Problem && outcome.code === 'action-not-valid')
    assert.deepEqual(
      outcome.fields!.map(({ field }) => field),
      ['/actions/0/amount', '/actions/0/reference', '/actions/1/amount'],
    )
    const [unpaid] = await asks('unpaid', [{ kind: 'pay', label: { en: 'Pay' }, amount: 5, reference: 'one' }])
    assert.ok(unpaid instanceof Problem && unpaid.code === 'payments-not-set-up')
  })

  test('is confirmed once, for good: two at once make one event, which the sender is told', async () => {
    const { messageId, actions } = await send('confirm', [confirm])
    const asked = { messageId, actionId: actions[0]!.id, event: 'complete' } as const
    await Promise.all([takeAction(post.db, post.rosa, asked, now), takeAction(post.db, post.rosa, asked, now)])
    assert.deepEqual(await stateOf(messageId), ['done'])
    await assert.rejects(takeAction(post.db, post.rosa, { ...asked, event: 'undo' }, now), refuses('action-not-possible'))
    const events = await readEvents(post.db, [post.serviceId], '0', 500)
    const told = events.filter((event) => event.messageId === messageId)
    assert.deepEqual(
      told.map(({ type }) => type),
      ['message.accepted', 'message.available', 'message.opened', 'message.action'],
    )
    assert.deepEqual(told.at(-1)!.action?.state, 'done')
  })

  test('an appointment is accepted, and declined after all', async () => {
    const { messageId, actions } = await send('meet', [meet])
    const asked = { messageId, actionId: actions[0]!.id }
    await takeAction(post.db, post.rosa, { ...asked, event: 'complete' }, now)
    assert.equal((await listActions(post.db, post.rosa, now)).coming.length, 1)
    await takeAction(post.db, post.rosa, { ...asked, event: 'decline' }, now)
    assert.deepEqual(await stateOf(messageId), ['cancelled'])
    assert.equal((await listActions(post.db, post.rosa, now)).coming.length, 0)
  })

  test('what is done elsewhere is begun by going there, marked by hand, and the mark can be taken back', async () => {
    const { messageId, actions } = await send('form', [form])
    const asked = { messageId, actionId: actions[0]!.id }
    assert.equal(await visitAction(post.db, post.rosa, asked, now), form.url)
    assert.equal(await visitAction(post.db, post.rosa, asked, now), form.url)
    assert.deepEqual(await stateOf(messageId), ['started'])
    await takeAction(post.db, post.rosa, { ...asked, event: 'complete' }, now)
    await takeAction(post.db, post.rosa, { ...asked, event: 'undo' }, now)
    assert.deepEqual(await stateOf(messageId), ['open'])
  })

  test('is not done before its time', async () => {
    const { messageId, actions } = await send('later', [{ ...confirm, from: at(1).toISOString() }])
    const asked = { messageId, actionId: actions[0]!.id, event: 'complete' } as const
    await assert.rejects(takeAction(post.db, post.rosa, asked, now), refuses('action-not-yet'))
    await takeAction(post.db, post.rosa, asked, at(1))
  })

  test('is somebody else’s for everybody else, and for a helper who may not see its letter', async () => {
    const { messageId, actions } = await send('others', [confirm])
    const asked = { messageId, actionId: actions[0]!.id, event: 'complete' } as const
    for (const actor of [post.arthur, helper]) await assert.rejects(takeAction(post.db, actor, asked, now), refuses('not-found'))
    const other = await send('others-2', [confirm])
    const mixed = { ...asked, messageId: other.messageId }
    await assert.rejects(takeAction(post.db, post.rosa, mixed, now), refuses('not-found'))
    const reader = { ...post.rosa, rights: rightsOf('reader') }
    await assert.rejects(takeAction(post.db, reader, asked, now), refuses('scope-missing'))
    assert.deepEqual(await listActions(post.db, helper, now), {
      waiting: { overdue: [], soon: [], later: [], undated: [] },
      coming: [],
    })
    assert.deepEqual((await listFolder(post.db, helper, { folder: 'inbox' }, now)).due, { overdue: 0, soon: 0 })
  })

  test('is listed across senders by date, and is overdue by the clock alone', async () => {
    const person = await post.addPerson('CT-3')
    const recipient = { scheme: 'link', value: 'CT-3' }
    const labels = (actions: { said: NewAction }[]) => actions.map(({ said }) => said.label.en)
    await send('list', [form, prepare, meet, confirm], { recipient })
    assert.deepEqual((await listFolder(post.db, person, { folder: 'inbox' }, now)).due, { overdue: 1, soon: 1 })
    const { waiting } = await listActions(post.db, person, now)
    assert.deepEqual(Object.fromEntries(Object.entries(waiting).map(([name, list]) => [name, labels(list)])), {
      overdue: ['Find your meter reading'],
      soon: ['Confirm who lives with you'],
      later: ['Your appointment'],
      undated: ['Fill in the form'],
    })
    assert.deepEqual(labels((await listActions(post.db, person, at(4))).waiting.overdue), [
      'Find your meter reading',
      'Confirm who lives with you',
    ])
    assert.deepEqual((await listDone(post.db, person, 1)).actions, [])
    await post.owner`update message set folder = 'bin', binned_at = ${now} where mailbox_id = ${person.mailboxId}`
    assert.deepEqual((await listFolder(post.db, person, { folder: 'inbox' }, now)).due, { overdue: 0, soon: 0 })
    const { waiting: thrownAway } = await listActions(post.db, person, now)
    assert.deepEqual(Object.values(thrownAway).flat(), [], 'who has thrown a letter away is not reminded of it')
  })
})
