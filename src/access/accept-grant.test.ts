import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptGrant, declineGrant, enterInvitationCode, findOffer } from './accept-grant.ts'
import type { Actor } from './actor.ts'
import { changeGrant } from './change-grant.ts'
import { endGrant } from './end-grant.ts'
import { enterGrant } from './enter-grant.ts'
import { listHeld } from './list-grants.ts'
import { rightsOf } from './rights.ts'

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

  describe('for a firm', () => {
    /** A firm, and its administrator with its mailbox open. */
    const aFirm = async (role: 'none' | 'writer' = 'none') => {
      const person = await somebody()
      const firm = await world.addBusiness('Example Accountants Ltd')
      return { firm, person, administrator: await world.addAdministrator(firm, person, { role }) }
    }
    const take = async (administrator: Actor, grantId: string, code: string, at = now) => {
      await enter(administrator, code)
      return acceptGrant(post.db, administrator, grantId, at, 'firm')
    }

    test('its administrator accepts what a person or a business offers, and it is the firm’s', async () => {
      const [{ firm, person, administrator }, client] = [await aFirm(), await somebody()]
      const owner = await world.addAdministrator(await world.addBusiness('Client Ltd'), await somebody())
      const ids = [
        await world.giveToFirm(client, administrator, { role: 'writer' }),
        await world.giveToFirm(owner, administrator, { kind: 'adviser' }),
      ]
      for (const id of ids) {
        const row = await rowOf(id)
        assert.deepEqual(
          [row.holderId, row.holderName, row.holderIsBusiness, row.acceptedByName],
          [firm.partyId, 'Example Accountants Ltd', true, person.by.name],
        )
      }
      const held = (await listHeld(post.db, administrator, 'firm')).map(({ id }) => id)
      assert.deepEqual(held.sort(), ids.sort())
      assert.deepEqual(
        (await listHeld(post.db, administrator)).map(({ giverId }) => giverId),
        [firm.partyId],
      )
    })

    test('nobody does who may not manage the firm’s grants', async () => {
      const [{ firm, administrator }, client, worker] = [await aFirm(), await somebody(), await somebody()]
      const employment = await world.give(administrator, worker, { kind: 'employee', role: 'writer' })
      const { grantId, code } = await world.offer(client)
      await enter(worker, code)
      const inFirm = world.inMailboxOf(firm, worker, employment, rightsOf('writer'))
      await assert.rejects(acceptGrant(post.db, inFirm, grantId, now, 'firm'), { code: 'scope-missing' })
      await assert.rejects(listHeld(post.db, inFirm, 'firm'), { code: 'scope-missing' })
      assert.equal((await rowOf(grantId)).acceptedAt, null)
      // Their own mailbox is no firm: it is theirs.
      await acceptGrant(post.db, worker, grantId, now, 'firm')
      const row = await rowOf(grantId)
      assert.deepEqual([row.holderId, row.holderIsBusiness, row.acceptedByName], [worker.partyId, false, null])
    })

    test('a firm is no employee, nor what the law asks a person to be', async () => {
      const [{ firm, administrator }, client] = [await aFirm(), await somebody()]
      const owner = await world.addAdministrator(await world.addBusiness('Client Ltd'), client)
      const { grantId, code } = await world.offer(owner, { kind: 'employee' })
      await assert.rejects(take(administrator, grantId, code), { code: 'grant-not-possible' })
      assert.equal((await rowOf(grantId)).acceptedAt, null)
      const document = { filename: 'order.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF') }
      const entry = { role: 'reader', isAdministrator: false, endsAt: days(9), reason: 'Order', document } as const
      const byLaw = enterGrant(
        post.db,
        world.registrar,
        { ...entry, giverId: client.partyId, holderId: firm.partyId, kind: 'attorney' },
        now,
      )
      await assert.rejects(byLaw, { code: 'grant-not-possible' })
    })

    test('its own offer, one made by who accepts, a circle and an offer past its end are refused, and nothing is half done', async () => {
      const { person, administrator } = await aFirm()
      const second = await somebody()
      const colleague = await world.give(administrator, second, { kind: 'employee', role: 'none', isAdministrator: true })
      const other = world.inMailboxOf(administrator, second, colleague, rightsOf('administrator'))
      const own = await world.offer(other, { kind: 'adviser' })
      await assert.rejects(take(administrator, own.grantId, own.code), { code: 'grant-to-oneself' })
      // Who decides for a client what others may read there decides nothing for the firm where they would read it themselves.
      const client = await world.addAdministrator(await world.addBusiness('Client Ltd'), person)
      const both = await world.offer(client, { kind: 'adviser' })
      await assert.rejects(take(administrator, both.grantId, both.code), { code: 'grant-to-oneself' })
      const ofEmployee = await world.offer(second)
      await assert.rejects(take(administrator, ofEmployee.grantId, ofEmployee.code), { code: 'grant-in-circle' })
      const next = await aFirm()
      await world.giveToFirm(administrator, next.administrator, { kind: 'adviser' })
      const back = await world.offer(next.administrator, { kind: 'adviser' })
      await assert.rejects(take(administrator, back.grantId, back.code), { code: 'grant-in-circle' })
      const old = await world.offer(await somebody(), { endsAt: days(2) })
      await assert.rejects(take(administrator, old.grantId, old.code, days(2)), { code: 'not-found' })
      for (const { grantId } of [own, both, ofEmployee, back, old]) {
        const { acceptedAt, holderId, holderIsBusiness, invitationHash } = await rowOf(grantId)
        assert.deepEqual([acceptedAt, holderId, holderIsBusiness], [null, null, false])
        assert.ok(invitationHash)
      }
    })

    test('of one code that is accepted for the firm and for oneself at once, one is', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [{ administrator }, client] = [await aFirm(), await somebody()]
        const { grantId, code } = await world.offer(client)
        await enter(administrator, code)
        const both = (['firm', 'person'] as const).map((side) => acceptGrant(post.db, administrator, grantId, now, side))
        const outcomes = await Promise.allSettled(both)
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      }
    })

    test('two firms that let each other in at once close no circle', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [one, two] = [await aFirm(), await aFirm()]
        const offers = [
          await world.offer(one.administrator, { kind: 'adviser' }),
          await world.offer(two.administrator, { kind: 'adviser' }),
        ]
        const outcomes = await Promise.allSettled([
          take(two.administrator, offers[0]!.grantId, offers[0]!.code),
          take(one.administrator, offers[1]!.grantId, offers[1]!.code),
        ])
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      }
    })

    test('is refused where the firm’s mailbox has been closed', async () => {
      const [{ firm, administrator }, client] = [await aFirm(), await somebody()]
      const { grantId, code } = await world.offer(client)
      await post.owner`update mailbox set registration = 'closed' where party_id = ${firm.partyId}`
      await assert.rejects(take(administrator, grantId, code), { code: 'mailbox-closed' })
    })

    test('its administrator gives it up, and the giver sees who did and for whom', async () => {
      const [{ person, administrator }, client, stranger] = [await aFirm(), await somebody(), await aFirm()]
      const grantId = await world.giveToFirm(client, administrator)
      await assert.rejects(endGrant(post.db, stranger.administrator, { grantId }, now), { code: 'not-found' })
      await endGrant(post.db, administrator, { grantId }, now)
      const name = `${person.by.name} of Example Accountants Ltd`
      const row = await rowOf(grantId)
      assert.deepEqual([row.endedAt, row.endedByName], [now, name])
      const looks = await post.owner`select what, by_name from look where party_id = ${client.partyId}`
      assert.deepEqual([...looks], [{ what: 'grant-ended', byName: name }])
    })

    test('what it may do is changed by an administrator of the client who does not work for it', async () => {
      const { firm, administrator, person } = await aFirm('writer')
      const business = await world.addBusiness('Client Ltd')
      const first = await world.addAdministrator(business, await somebody())
      const grantId = await world.giveToFirm(first, administrator, { kind: 'adviser' })
      const change = { kind: 'adviser', role: 'writer', isAdministrator: false, grantId } as const
      await assert.rejects(changeGrant(post.db, first, { ...change, kind: 'employee' }, now), { code: 'grant-not-possible' })
      const both = await world.addAdministrator(business, person)
      await assert.rejects(changeGrant(post.db, both, change, now), { code: 'grant-to-oneself' })
      const changed = await rowOf((await changeGrant(post.db, first, change, now)).grantId)
      assert.deepEqual([changed.holderId, changed.role, changed.holderIsBusiness], [firm.partyId, 'writer', true])
    })
  })
})
