import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { changeGrant } from './change-grant.ts'
import { endGrant } from './end-grant.ts'
import { enterGrant } from './enter-grant.ts'
import { listGiven } from './list-grants.ts'

const now = new Date('2026-11-23T12:00:00Z')
const later = new Date('2026-11-24T12:00:00Z')
const letter = { filename: 'order.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF') }

describe('ending access', () => {
  let test_: TestDatabase
  let post: Post
  let world: GrantWorld
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    world = buildGrantWorld(post, now)
  })
  after(() => test_.drop())

  let people = 0
  const somebody = () => post.addPerson(`P-${people++}`)
  const ending = async (grantId: string) => {
    const [row] = await post.owner`select ended_at, ended_by_name, end_reason from access_grant where id = ${grantId}`
    return [row!.endedAt, row!.endedByName, row!.endReason]
  }
  const looksOf = async (partyId: string) =>
    (await post.owner`select what, by_kind, by_name, reason from look where party_id = ${partyId} order by id`).map(
      ({ what, byKind, byName, reason }) => [what, byKind, byName, reason],
    )

  test('by the owner is at once, and again changes nothing', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const grantId = await world.give(giver, holder)
    await endGrant(post.db, giver, { grantId }, now)
    await endGrant(post.db, giver, { grantId }, later)
    assert.deepEqual(await ending(grantId), [now, giver.by.name, null])
    assert.deepEqual(await looksOf(giver.partyId), [])
  })

  test('by the holder, from whichever mailbox is open, is told to the owner', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const grantId = await world.give(giver, holder)
    const other = await world.give(await somebody(), holder)
    const elsewhere = world.inMailboxOf(post.rosa, holder, other)
    await endGrant(post.db, elsewhere, { grantId }, now)
    assert.deepEqual(await ending(grantId), [now, holder.by.name, null])
    assert.deepEqual(await looksOf(giver.partyId), [['grant-ended', 'helper', holder.by.name, null]])
  })

  test('is not for anybody else: a stranger, another helper, or a service', async () => {
    const [giver, holder, helper] = [await somebody(), await somebody(), await somebody()]
    const grantId = await world.give(giver, holder)
    const others = world.inMailboxOf(giver, helper, await world.give(giver, helper))
    for (const stranger of [post.arthur, others]) {
      await assert.rejects(endGrant(post.db, stranger, { grantId }, now), { code: 'not-found' })
      await assert.rejects(endGrant(post.db, stranger, { grantId: newId() }, now), { code: 'not-found' })
    }
    await assert.rejects(endGrant(post.db, post.council, { grantId }, now), { code: 'scope-missing' })
    assert.deepEqual(await ending(grantId), [null, null, null])
  })

  test('by a registrar has a reason, which the owner sees', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const grantId = await world.give(giver, holder)
    await assert.rejects(endGrant(post.db, world.registrar, { grantId, reason: ' ' }, now), { code: 'grant-incomplete' })
    assert.deepEqual(await ending(grantId), [null, null, null])
    await endGrant(post.db, world.registrar, { grantId, reason: 'Abuse' }, now)
    assert.deepEqual(await ending(grantId), [now, 'Reg Istrar', 'Abuse'])
    assert.deepEqual(await looksOf(giver.partyId), [['grant-ended', 'registrar', 'Reg Istrar', 'Abuse']])
    await assert.rejects(endGrant(post.db, world.registrar, { grantId: newId(), reason: 'x' }, now), { code: 'not-found' })
  })

  test('of what is by law is not for the owner: a registrar ends it, or the holder gives it up', async () => {
    const [ward, guardian] = [await somebody(), await somebody()]
    const entry = {
      giverId: ward.partyId,
      holderId: guardian.partyId,
      kind: 'guardian',
      role: 'reader',
      isAdministrator: false,
    } as const
    const enter = () =>
      enterGrant(post.db, world.registrar, { ...entry, endsAt: later, reason: 'Court order', document: letter }, now)
    const { grantId } = await enter()
    await assert.rejects(endGrant(post.db, ward, { grantId }, now), { code: 'grant-by-law' })
    await endGrant(post.db, guardian, { grantId }, now)
    const again = await enter()
    await endGrant(post.db, world.registrar, { grantId: again.grantId, reason: 'Lifted' }, now)
    assert.deepEqual(await ending(again.grantId), [now, 'Reg Istrar', 'Lifted'])
  })

  test('a business keeps an administrator, also where two end each other at once', async () => {
    const [anna, ben] = [await somebody(), await somebody()]
    const business = await world.addBusiness('Two Ltd')
    const first = await world.addAdministrator(business, anna)
    await assert.rejects(endGrant(post.db, first, { grantId: first.by.grantId! }, now), { code: 'last-administrator' })
    await assert.rejects(endGrant(post.db, anna, { grantId: first.by.grantId! }, now), { code: 'last-administrator' })
    for (let round = 0; round < 5; round += 1) {
      const several = await world.addBusiness('Several Ltd')
      const [one, two] = [await world.addAdministrator(several, anna), await world.addAdministrator(several, ben)]
      const outcomes = await Promise.allSettled([
        endGrant(post.db, one, { grantId: two.by.grantId! }, now),
        endGrant(post.db, two, { grantId: one.by.grantId! }, now),
      ])
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      const left = await post.owner`select from access_grant where giver_id = ${several.partyId} and ended_at is null`
      assert.equal(left.length, 1)
    }
  })

  test('a change ends the grant as it was, and another begins in its place', async () => {
    const [anna, ben] = [await somebody(), await somebody()]
    const business = await world.addBusiness('Change Ltd')
    const administrator = await world.addAdministrator(business, anna)
    const before = await world.give(administrator, ben, { kind: 'employee', role: 'writer', isAdministrator: true })
    const change = { kind: 'employee', role: 'reader', isAdministrator: false, grantId: before } as const
    await assert.rejects(changeGrant(post.db, administrator, { ...change, serviceIds: [post.parkingId] }, later), {
      code: 'grant-not-possible',
    })
    const { grantId } = await changeGrant(post.db, administrator, { ...change, endsAt: new Date('2027-01-01') }, later)
    assert.deepEqual(await ending(before), [later, anna.by.name, null])
    const [now_] = await listGiven(post.db, administrator)
    assert.deepEqual(
      [now_?.id, now_?.holderId, now_?.role, now_?.isAdministrator, now_?.acceptedAt],
      [grantId, ben.partyId, 'reader', false, later],
    )
    const again = { ...change, grantId }
    await assert.rejects(changeGrant(post.db, post.rosa, again, later), { code: 'not-found' })
    await assert.rejects(changeGrant(post.db, administrator, change, later), { code: 'not-found' })
    await assert.rejects(changeGrant(post.db, administrator, { ...change, grantId: administrator.by.grantId! }, later), {
      code: 'grant-to-oneself',
    })
  })
})
