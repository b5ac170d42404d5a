import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { within } from '../database/scope.ts'
import { acceptOne } from '../delivery/accept.ts'
import { open } from '../mailbox/open.ts'
import { type Actor, narrowTo } from './actor.ts'
import { listLooks, looksPageSize } from './list-looks.ts'
import { type Look, noteLooks } from './look.ts'
import { rightsOf } from './rights.ts'

describe('the owner’s view of every look', () => {
  const at = (time: string) => new Date(`2026-11-${time}:00Z`)
  const system = { kind: 'system', id: 'billing', name: 'Billing' } as const
  const registrar = { kind: 'registrar', id: newId(), name: 'Bo Dummyname' } as const
  let data: TestDatabase
  let post: Post
  let tax: string
  let parking: string
  let secret: string
  before(async () => {
    data = await createTestDatabase()
    post = await buildPost(data)
    const send = async (reference: string, more: object = {}) =>
      (await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), ...more }, at('20T10:00'))).messageId
    tax = await send('tax')
    parking = await send('parking', { subject: 'Your permit' })
    await data.owner`update message set service_id = ${post.parkingId}, category = 'general' where id = ${parking}`
    secret = await send('secret', { subject: 'For you alone' })
    await data.owner`update message set recipient_only = true where id = ${secret}`
  })
  after(() => data.drop())

  const note = (look: Omit<Look, 'partyId'>, when: Date, partyId = post.rosa.partyId) =>
    within(post.db, { party: partyId }, (sql) => noteLooks(sql, [{ partyId, ...look }], when))
  const helper = (more: Partial<Actor> = {}): Actor => ({
    ...post.rosa,
    rights: rightsOf('reader'),
    by: { kind: 'helper', id: post.arthur.partyId, name: 'Arthur Sample', grantId: newId() },
    ...more,
  })
  const all = async (actor: Actor, othersOnly = false) => (await listLooks(post.db, actor, { page: 1, othersOnly })).looks
  const inShort = async (actor: Actor, othersOnly = false) =>
    (await all(actor, othersOnly)).map(({ what, byName, letter }) => [what, byName, letter?.subject])

  test('has who did what, when and why, the newest first', async () => {
    await note({ by: registrar, what: 'record-viewed', reason: 'A letter' }, at('21T09:00'))
    const by = helper().by
    await note({ by, what: 'opened', messageId: tax, serviceId: post.serviceId }, at('21T10:00'))
    await note({ by, what: 'downloaded', messageId: parking, serviceId: post.parkingId }, at('21T11:00'))
    const [downloaded, opened, viewed] = await all(post.rosa)
    assert.deepEqual(
      [downloaded!.what, downloaded!.at, downloaded!.serviceName, downloaded!.organisationName, downloaded!.letter?.subject],
      ['downloaded', at('21T11:00'), 'Parking', 'Northfold Council', 'Your permit'],
    )
    assert.deepEqual(opened!.letter, { id: tax, subject: 'Your bill', isSent: false })
    assert.deepEqual(
      [viewed!.byName, viewed!.byKind, viewed!.reason, viewed!.letter],
      ['Bo Dummyname', 'registrar', 'A letter', undefined],
    )
  })

  test('has what the owner opened, and leaves it out where only others are asked for', async () => {
    await open(post.db, post.rosa, secret, at('21T12:00'))
    assert.deepEqual((await inShort(post.rosa))[0], ['opened', 'Rosa Example', 'For you alone'])
    assert.equal((await all(post.rosa))[0]!.isOwn, true)
    const others = await all(post.rosa, true)
    assert.deepEqual(
      others.map(({ isOwn, what }) => [isOwn, what]),
      [
        [false, 'downloaded'],
        [false, 'opened'],
        [false, 'record-viewed'],
      ],
    )
  })

  test('has what the owner wrote', async () => {
    const written = { ...post.letter('mine'), recipient: undefined, subject: 'A question' }
    await acceptOne(post.db, post.keys, post.rosa, written, at('21T13:00'))
    const [first] = await all(post.rosa)
    assert.deepEqual(
      [first!.what, first!.letter?.subject, first!.letter?.isSent, first!.isOwn],
      ['wrote', 'A question', true, true],
    )
    await data.owner`delete from ledger where sender_id = ${post.rosa.partyId}`
  })

  test('shows a helper nothing of a letter that is for the recipient alone', async () => {
    await note(
      { by: post.clerk([post.serviceId]).by, what: 'read', messageId: secret, serviceId: post.serviceId },
      at('21T14:00'),
    )
    assert.equal((await all(post.rosa)).filter(({ letter }) => letter?.id === secret).length, 2)
    const seen = await inShort(helper())
    assert.deepEqual(seen, [
      ['downloaded', 'Arthur Sample', 'Your permit'],
      ['opened', 'Arthur Sample', 'Your bill'],
      ['record-viewed', 'Bo Dummyname', undefined],
    ])
    assert.deepEqual(await inShort(helper(), true), [['record-viewed', 'Bo Dummyname', undefined]])
  })

  test('shows a helper who is let read some services or categories only what is about those', async () => {
    assert.deepEqual(await inShort(narrowTo(helper(), [post.parkingId])), [['downloaded', 'Arthur Sample', 'Your permit']])
    assert.deepEqual(await inShort(helper({ categories: ['other'] })), [])
    assert.equal((await inShort(helper({ categories: ['general'] }))).length, 2)
  })

  test('shows who manages a business’s people that there was a letter, and not which', async () => {
    const looks = await all(helper({ rights: rightsOf('administrator') }))
    assert.deepEqual(
      looks.map(({ what, isAboutLetter, letter }) => [what, isAboutLetter, letter]),
      [
        ['downloaded', true, undefined],
        ['opened', true, undefined],
        ['record-viewed', false, undefined],
      ],
    )
  })

  test('has the look-ups of one service on one day, by London’s clock, as one with their number', async () => {
    const lookUp = (time: string) => note({ by: system, what: 'looked-up', serviceId: post.serviceId }, at(time))
    for (const time of ['22T00:10', '22T12:00', '22T23:50', '23T00:10']) await lookUp(time)
    const lookUps = (await all(post.rosa)).filter(({ what }) => what === 'looked-up')
    assert.deepEqual(
      lookUps.map(({ at: last, count, serviceName }) => [last, count, serviceName]),
      [
        [at('23T00:10'), 1, 'Council tax'],
        [at('22T23:50'), 3, 'Council tax'],
      ],
    )
  })

  test('has nothing of anybody else’s', async () => {
    assert.deepEqual(await all(post.arthur), [])
    await note({ by: registrar, what: 'record-viewed', reason: 'Arthur asked' }, at('23T09:00'), post.arthur.partyId)
    assert.ok(!(await all(post.rosa)).some(({ reason }) => reason === 'Arthur asked'))
    assert.equal((await all(post.arthur)).length, 1)
  })

  test('comes in pages', async () => {
    for (let minute = 0; minute < looksPageSize; minute++) {
      await note(
        { by: registrar, what: 'record-viewed', reason: `No. ${minute}` },
        new Date(at('25T10:00').getTime() + minute * 60_000),
        post.arthur.partyId,
      )
    }
    const first = await listLooks(post.db, post.arthur, { page: 1, othersOnly: false })
    const second = await listLooks(post.db, post.arthur, { page: 2, othersOnly: false })
    assert.deepEqual([first.looks.length, first.pages, second.looks.length], [looksPageSize, 2, 1])
    assert.equal(second.looks[0]!.reason, 'Arthur asked')
  })

  test('is for those who have the right', async () => {
    await assert.rejects(all({ ...post.rosa, rights: new Map() }), { code: 'scope-missing' })
  })
})
