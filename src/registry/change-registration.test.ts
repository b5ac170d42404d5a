import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptGrant, enterInvitationCode } from '../access/accept-grant.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { makeCalendarFeed, readCalendarFeed } from '../mailbox/calendar-feed.ts'
import { Problem } from '../problems.ts'
import { changeRegistration } from './change-registration.ts'
import { findRegistration, isClosedByDeath } from './find-registration.ts'
import { daysAfter, defaultRules } from './registration.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('changing a registration', () => {
  let test_: TestDatabase
  let post: Post
  let registrar: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    registrar = {
      ...post.rosa,
      partyId: newId(),
      rights: rightsOf('registrar'),
      by: { kind: 'registrar', id: newId(), name: 'Robin Registrar' },
      door: 'registrar-pages',
    }
  })
  after(() => test_.drop())

  const code = (expected: string) => (error: unknown) => error instanceof Problem && error.code === expected
  const looksAt = (partyId: string) =>
    test_.owner`select by_name, what, reason from look where party_id = ${partyId} order by at, id`
  const change = (actor: Actor, partyId: string, to: 'registered' | 'exempt' | 'closed', reason: string, at = now) =>
    changeRegistration(test_.database, actor, { partyId, to, reason }, at)

  test('a person becomes exempt without a reason or a proof, joins again, and both are in the history', async () => {
    const { rosa } = post
    await change(rosa, rosa.partyId, 'exempt', '')
    assert.equal((await findRegistration(test_.database, rosa)).registration, 'exempt')
    await change(rosa, rosa.partyId, 'registered', '', daysAfter(now, 1))
    const { registration, history } = await findRegistration(test_.database, rosa)
    assert.equal(registration, 'registered')
    assert.deepEqual(
      history.map(({ was, became, reason, byKind }) => [was, became, reason, byKind]),
      [
        ['exempt', 'registered', 'own-wish', 'owner'],
        ['registered', 'exempt', 'own-wish', 'owner'],
      ],
    )
    assert.deepEqual([...(await looksAt(rosa.partyId))], [], 'what one does oneself is no look')
  })

  test('nobody else changes it: not another person, not a helper, not a system', async () => {
    const { rosa, arthur, council } = post
    await assert.rejects(change(arthur, rosa.partyId, 'exempt', ''), code('not-found'))
    const helper: Actor = {
      ...rosa,
      rights: rightsOf('writer'),
      by: { kind: 'helper', id: arthur.partyId, name: 'Arthur', grantId: newId() },
    }
    await assert.rejects(change(helper, rosa.partyId, 'exempt', ''), code('scope-missing'))
    await assert.rejects(change(council, rosa.partyId, 'exempt', ''), code('scope-missing'))
    assert.equal((await findRegistration(test_.database, rosa)).registration, 'registered')
  })

  test('a person cannot close their mailbox, nor be exempt twice', async () => {
    const person = await post.addPerson('CT-10')
    await assert.rejects(change(person, person.partyId, 'closed', 'other'), code('registration-not-possible'))
    await change(person, person.partyId, 'exempt', '')
    await assert.rejects(change(person, person.partyId, 'exempt', ''), code('registration-not-possible'))
  })

  test('a registrar says why, and the owner sees it', async () => {
    const person = await post.addPerson('CT-11')
    await assert.rejects(change(registrar, person.partyId, 'exempt', '  '), code('registration-not-possible'))
    await change(registrar, person.partyId, 'exempt', 'asked at the desk')
    assert.deepEqual(
      [...(await looksAt(person.partyId))],
      [{ byName: 'Robin Registrar', what: 'registration-changed', reason: 'asked at the desk' }],
    )
    await assert.rejects(change(registrar, newId(), 'exempt', 'asked at the desk'), code('not-found'))
  })

  test('a death closes the mailbox, ends every access to it at once, and keeps the content until a day', async () => {
    const person = await post.addPerson('CT-12')
    const [grantId, offerId, otherId] = [newId(), newId(), newId()]
    await test_.owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
      values
        (${grantId}, ${person.partyId}, ${post.arthur.partyId}, 'helper', 'reader', ${now}, 'Arthur', ${now}, 'x', ${now}),
        (${offerId}, ${person.partyId}, null, 'helper', 'reader', ${now}, 'Somebody', ${now}, 'x', null),
        (${otherId}, ${post.rosa.partyId}, ${person.partyId}, 'helper', 'reader', ${now}, 'CT-12', ${now}, 'x', ${now})`
    await test_.owner`
      insert into session (id_hash, party_id, subject, id_token_sealed, created_at, last_seen_at)
      values ('\\x01', ${person.partyId}, 'somebody', '\\x01', ${now}, ${now})`
    const { secret } = await makeCalendarFeed(test_.database, person, { isDiscreet: false, language: 'en' }, now)
    const rules = { ...defaultRules, yearsKeptAfterDeath: 3 }
    const death = { partyId: person.partyId, to: 'closed' as const, reason: 'death', note: 'Certificate seen' }
    await changeRegistration(test_.database, registrar, death, now, rules)
    const ended = await test_.owner`select id from access_grant where ended_at = ${now} order by id`
    assert.deepEqual(
      ended.map(({ id }) => id),
      [grantId, offerId, otherId],
      'what they gave, what they offered, and what they held',
    )
    assert.equal(
      (await test_.owner`select from session where party_id = ${person.partyId}`).length,
      0,
      'nobody is signed in as them',
    )
    assert.equal(await readCalendarFeed(test_.database, secret, now), undefined, 'nor does anybody’s calendar read their dates')
    assert.equal(await isClosedByDeath(test_.database, person.partyId), true)
    assert.equal(await isClosedByDeath(test_.database, post.arthur.partyId), false)
    const { registration, keptUntil } = await findRegistration(test_.database, person)
    assert.deepEqual([registration, keptUntil], ['closed', '2029-11-23'])
    await assert.rejects(change(person, person.partyId, 'registered', ''), code('registration-not-possible'))
  })

  test('the end of a business ends what it has given and what it holds, and nobody acts for it any more', async () => {
    const world = buildGrantWorld(post, now)
    const firm = await world.addBusiness('Example Accountants Ltd')
    const administrator = await world.addAdministrator(firm, await post.addPerson('CT-20'))
    const client = await post.addPerson('CT-21')
    const held = await world.giveToFirm(client, administrator)
    const waiting = await world.offer(client)
    await enterInvitationCode(test_.database, world.key, administrator, waiting.code, now)
    const grants = () => test_.owner<{ id: string; isOver: boolean }[]>`
      select id, ended_at is not null as is_over from access_grant
      where ${firm.partyId} in (giver_id, holder_id) or giver_id = ${client.partyId} order by id`
    const before = await grants()
    // Whichever is first: what is accepted while it closes ends with it, or is not accepted.
    const closing = change(registrar, firm.partyId, 'closed', 'dissolved')
    await Promise.allSettled([acceptGrant(test_.database, administrator, waiting.grantId, now, 'firm'), closing])
    await closing
    const over = new Map((await grants()).map(({ id, isOver }) => [id, isOver]))
    assert.equal(before.length, 3)
    assert.deepEqual([over.get(administrator.by.grantId!), over.get(held)], [true, true])
    const [last] = await test_.owner`select holder_id, ended_at from access_grant where id = ${waiting.grantId}`
    assert.ok(last?.holderId === null || last?.endedAt !== null)
  })

  test('what was closed in error is opened again in time, and not later', async () => {
    const person = await post.addPerson('CT-13')
    const closeAndOpen = async (days: number) => {
      await change(registrar, person.partyId, 'closed', 'other')
      return change(registrar, person.partyId, 'registered', 'another person of that name', daysAfter(now, days))
    }
    await closeAndOpen(30)
    const { registration, keptUntil } = await findRegistration(test_.database, person)
    assert.deepEqual([registration, keptUntil], ['registered', null])
    await assert.rejects(closeAndOpen(31), code('registration-not-possible'))
  })

  test('of two changes at once the second sees what the first has done', async () => {
    const person = await post.addPerson('CT-14')
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => change(person, person.partyId, 'exempt', '')))
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
    assert.equal((await findRegistration(test_.database, person)).history.length, 1)
  })
})
