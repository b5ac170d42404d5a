import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptGrant, declineGrant, enterInvitationCode, findOffer } from './accept-grant.ts'
import type { Actor } from './actor.ts'
import { endGrant } from './end-grant.ts'
import { listHeld } from './list-grants.ts'

const now = new Date('2026-11-23T12:00:00Z')
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const minutes = (count: number) => new Date(now.getTime() + count * 60_000)

describe('accepting access', () => {
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
  const rowOf = async (grantId: string) => (await post.owner`select * from access_grant where id = ${grantId}`)[0]!
  const enter = (who: Actor, code: string, at = now) => enterInvitationCode(post.db, world.key, who, code, at)

  test('the code shows what is offered, and whoever entered it may take it on', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const { grantId, code } = await world.offer(giver, { holderName: 'My daughter', role: 'writer' })
    assert.deepEqual(await enter(holder, code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')), { grantId })
    const offer = await findOffer(post.db, holder, grantId, now)
    assert.deepEqual([offer.giverName, offer.role, offer.holderId, offer.acceptedAt], [giver.by.name, 'writer', null, null])
    await acceptGrant(post.db, holder, grantId, now)
    const row = await rowOf(grantId)
    assert.deepEqual(
      [row.holderId, row.holderName, row.acceptedAt, row.invitationHash],
      [holder.partyId, holder.by.name, now, null],
    )
    assert.deepEqual(
      (await listHeld(post.db, holder)).map(({ id }) => id),
      [grantId],
    )
  })

  test('without the code nobody sees, accepts or declines it', async () => {
    const [giver, stranger, holder] = [await somebody(), await somebody(), await somebody()]
    const { grantId, code } = await world.offer(giver)
    await enter(holder, code)
    for (const attempt of [findOffer, acceptGrant, declineGrant]) {
      await assert.rejects(attempt(post.db, stranger, grantId, now), { code: 'not-found' })
    }
    // Who enters it later has it, and nobody before.
    await enter(stranger, code)
    await assert.rejects(acceptGrant(post.db, holder, grantId, now), { code: 'not-found' })
    assert.equal((await rowOf(grantId)).acceptedAt, null)
  })

  test('a code that was used, declined, taken back, is too old or was never given is refused alike', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const used = await world.offer(giver)
    await world.accept(holder, used.code)
    const declined = await world.offer(giver)
    await enter(holder, declined.code)
    await declineGrant(post.db, holder, declined.grantId, now)
    const takenBack = await world.offer(giver)
    await endGrant(post.db, giver, { grantId: takenBack.grantId }, now)
    const old = await world.offer(giver, {}, days(-14))
    const another = await somebody()
    for (const code of [used.code, declined.code, takenBack.code, old.code, 'ABCD-EFGH-JKMN', '']) {
      await assert.rejects(enter(another, code), { code: 'invitation-not-valid' })
    }
    await assert.rejects(acceptGrant(post.db, holder, used.grantId, now), { code: 'not-found' })
    await assert.rejects(acceptGrant(post.db, holder, declined.grantId, now), { code: 'not-found' })
    assert.deepEqual((await rowOf(declined.grantId)).declinedAt, now)
  })

  test('what was shown in time is not accepted past its end', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const { grantId, code } = await world.offer(giver, { endsAt: days(2) })
    await enter(holder, code)
    await assert.rejects(acceptGrant(post.db, holder, grantId, days(2)), { code: 'not-found' })
    assert.equal((await rowOf(grantId)).acceptedAt, null)
  })

  test('after ten wrong codes in an hour the eleventh is not looked at, also where it is right', async () => {
    const [giver, holder] = [await somebody(), await somebody()]
    const { code } = await world.offer(giver)
    for (let tries = 0; tries < 5; tries += 1) await enter(holder, code)
    const guesses = Array.from({ length: 10 }, (_, n) => enter(holder, `WRNG-WRNG-WRN${n}`, minutes(1)))
    for (const guess of await Promise.allSettled(guesses))
      assert.equal((guess as PromiseRejectedResult).reason.code, 'invitation-not-valid')
    await assert.rejects(enter(holder, code, minutes(30)), { code: 'too-many-attempts' })
    await enter(giver, code, minutes(30))
    await enter(holder, code, minutes(61))
  })

  test('is refused to oneself: one’s own mailbox, or what one offered as an administrator', async () => {
    const giver = await somebody()
    const own = await world.offer(giver)
    await enter(giver, own.code)
    await assert.rejects(acceptGrant(post.db, giver, own.grantId, now), { code: 'grant-to-oneself' })
    const administrator = await world.addAdministrator(await world.addBusiness('Own Ltd'), giver, { role: 'none' })
    const more = await world.offer(administrator, { kind: 'employee', role: 'writer' })
    await enter(giver, more.code)
    await assert.rejects(acceptGrant(post.db, giver, more.grantId, now), { code: 'grant-to-oneself' })
    assert.equal((await rowOf(more.grantId)).acceptedAt, null)
  })

  test('is refused in a circle, however long, and not where the circle was broken', async () => {
    const [anna, ben, cai] = [await somebody(), await somebody(), await somebody()]
    await world.give(anna, ben)
    const second = await world.give(ben, cai)
    const { grantId, code } = await world.offer(cai)
    await enter(anna, code)
    await assert.rejects(acceptGrant(post.db, anna, grantId, now), { code: 'grant-in-circle' })
    assert.equal((await rowOf(grantId)).acceptedAt, null)
    await endGrant(post.db, cai, { grantId: second }, now)
    await acceptGrant(post.db, anna, grantId, now)
  })

  test('two at once do not close a circle', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [anna, ben] = [await somebody(), await somebody()]
      const [to, from] = [await world.offer(anna), await world.offer(ben)]
      await enter(ben, to.code)
      await enter(anna, from.code)
      const outcomes = await Promise.allSettled([
        acceptGrant(post.db, ben, to.grantId, now),
        acceptGrant(post.db, anna, from.grantId, now),
      ])
      const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
      assert.deepEqual(
        refused.map(({ reason }) => reason.code),
        ['grant-in-circle'],
      )
    }
  })

  test('is refused when the mailbox was closed meanwhile, or the administrator who offered it is one no longer', async () => {
    const [giver, first, second, holder] = [await somebody(), await somebody(), await somebody(), await somebody()]
    const { grantId, code } = await world.offer(giver)
    await enter(holder, code)
    await post.owner`update mailbox set registration = 'closed' where id = ${giver.mailboxId}`
    await assert.rejects(acceptGrant(post.db, holder, grantId, now), { code: 'mailbox-closed' })
    const business = await world.addBusiness('Two Administrators Ltd')
    const [one, two] = [await world.addAdministrator(business, first), await world.addAdministrator(business, second)]
    const offered = await world.offer(one, { kind: 'employee', role: 'writer' })
    await enter(holder, offered.code)
    await endGrant(post.db, two, { grantId: one.by.grantId! }, now)
    await assert.rejects(acceptGrant(post.db, holder, offered.grantId, now), { code: 'not-found' })
    await assert.rejects(enter(holder, offered.code), { code: 'invitation-not-valid' })
  })

  test('is for people only', async () => {
    const { code } = await world.offer(await somebody())
    await assert.rejects(enter(post.council, code), { code: 'scope-missing' })
    await assert.rejects(enter(world.registrar, code), { code: 'scope-missing' })
  })
})
