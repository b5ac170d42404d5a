import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { acceptOne } from '../delivery/accept.ts'
import { listGiven } from './list-grants.ts'
import { listGrantableServices, type Offer } from './offer-grant.ts'
import { rightsOf } from './rights.ts'

const now = new Date('2026-11-23T12:00:00Z')
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)

describe('offering access', () => {
  let test_: TestDatabase
  let post: Post
  let world: GrantWorld
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    world = buildGrantWorld(post, now)
  })
  after(() => test_.drop())

  const countGrants = async () => Number((await post.owner`select count(*) from access_grant`)[0]!.count)
  /** Refused with this code, and nothing is written. */
  const refuses = async (attempt: () => Promise<unknown>, code: string) => {
    const before = await countGrants()
    await assert.rejects(attempt, { code })
    assert.equal(await countGrants(), before)
  }

  test('gives a code in three groups, and keeps only a hash of it', async () => {
    const { grantId, code } = await world.offer(post.rosa, {
      holderName: 'Anna',
      serviceIds: [post.serviceId],
      endsAt: days(100),
    })
    assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/)
    const [row] = await post.owner`select * from access_grant where id = ${grantId}`
    assert.equal(row!.invitationHash.length, 32)
    assert.deepEqual(row!.invitationEndsAt, days(14))
    assert.doesNotMatch(JSON.stringify(row), new RegExp(code))
    const [given] = await listGiven(post.db, post.rosa)
    assert.deepEqual(
      [
        given?.holderName,
        given?.holderId,
        given?.role,
        given?.serviceNames,
        given?.categoryNames,
        given?.startsAt,
        given?.endsAt,
      ],
      ['Anna', null, 'reader', ['Council tax'], null, now, days(100)],
    )
  })

  test('an invitation ends with what it offers, where that is sooner', async () => {
    const { grantId } = await world.offer(post.rosa, { endsAt: days(3) })
    const [row] = await post.owner`select invitation_ends_at from access_grant where id = ${grantId}`
    assert.deepEqual(row!.invitationEndsAt, days(3))
  })

  test('is refused past its end, and begins now at the earliest', async () => {
    await refuses(() => world.offer(post.rosa, { endsAt: now }), 'grant-over')
    await refuses(() => world.offer(post.rosa, { startsAt: days(2), endsAt: days(2) }), 'grant-over')
    const { grantId } = await world.offer(post.rosa, { startsAt: days(-5) })
    assert.deepEqual((await post.owner`select starts_at from access_grant where id = ${grantId}`)[0]!.startsAt, now)
  })

  test('is refused for more than the mailbox has: services and categories that are not there, or none', async () => {
    await refuses(() => world.offer(post.rosa, { serviceIds: [post.parkingId] }), 'grant-not-possible')
    await refuses(() => world.offer(post.rosa, { serviceIds: [post.serviceId, newId()] }), 'grant-not-possible')
    await refuses(() => world.offer(post.rosa, { serviceIds: [] }), 'grant-not-possible')
    await refuses(() => world.offer(post.rosa, { categories: ['nonsense'] }), 'grant-not-possible')
    await refuses(() => world.offer(post.rosa, { categories: [] }), 'grant-not-possible')
    await world.offer(post.rosa, { categories: ['general'] })
  })

  test('can be limited to a service that has written, also where it is not linked', async () => {
    const names = async () => (await listGrantableServices(post.db, post.rosa)).map(({ name }) => name)
    assert.deepEqual(await names(), ['Council tax'])
    await post.owner`update link set service_id = ${post.parkingId} where party_id = ${post.rosa.partyId}`
    assert.deepEqual(await names(), ['Parking'])
    await post.owner`update link set service_id = ${post.serviceId} where party_id = ${post.rosa.partyId}`
    await acceptOne(post.db, post.keys, post.council, post.letter('one'), now)
    await post.owner`delete from link where party_id = ${post.rosa.partyId}`
    assert.deepEqual(await names(), ['Council tax'])
    assert.deepEqual(
      (await listGrantableServices(post.db, post.arthur)).map(({ name }) => name),
      ['Council tax'],
    )
  })

  test('is for the owner or an administrator only: who helps can never give on', async () => {
    const grantId = await world.give(post.rosa, post.arthur, { role: 'writer' })
    const helper = world.inMailboxOf(post.rosa, post.arthur, grantId, rightsOf('writer'))
    await refuses(() => world.offer(helper), 'scope-missing')
    await refuses(() => world.offer(post.council), 'scope-missing')
  })

  test('a person lets in helpers only, and a business employees and advisers', async () => {
    const business = await world.addBusiness('Example Bakery Ltd')
    const administrator = await world.addAdministrator(business, post.arthur)
    // giver, kind, role, administrator → possible
    const table: [typeof administrator, Offer['kind'], Offer['role'], boolean, boolean][] = [
      [post.rosa, 'helper', 'reader', false, true],
      [post.rosa, 'helper', 'writer', false, true],
      [post.rosa, 'helper', 'none', false, false],
      [post.rosa, 'helper', 'reader', true, false],
      [post.rosa, 'employee', 'reader', false, false],
      [post.rosa, 'guardian', 'reader', false, false],
      [administrator, 'helper', 'reader', false, false],
      [administrator, 'employee', 'reader', false, true],
      [administrator, 'employee', 'none', true, true],
      [administrator, 'employee', 'none', false, false],
      [administrator, 'adviser', 'writer', false, true],
      [administrator, 'adviser', 'reader', true, false],
      [administrator, 'insolvency-practitioner', 'reader', false, false],
    ]
    for (const [giver, kind, role, isAdministrator, isPossible] of table) {
      const attempt = () => world.offer(giver, { kind, role, isAdministrator })
      if (isPossible) await attempt()
      else await refuses(attempt, 'grant-not-possible')
    }
  })

  test('an administrator who may read no post gives what the business has', async () => {
    const business = await world.addBusiness('No Reader Ltd')
    await post.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${post.serviceId}, 'link', ${Buffer.from(newId())}, '', ${business.partyId})`
    const administrator = {
      ...(await world.addAdministrator(business, post.arthur, { role: 'none' })),
      rights: rightsOf('administrator'),
    }
    const all = { kind: 'adviser', role: 'writer', isAdministrator: false } as const
    await world.offer(administrator, { ...all, serviceIds: [post.serviceId] })
    await refuses(() => world.offer(administrator, { ...all, serviceIds: [post.parkingId] }), 'grant-not-possible')
    const looks = await post.owner`select what, by_name from look where party_id = ${business.partyId} order by id`
    assert.deepEqual(
      looks.map(({ what, byName }) => [what, byName]),
      [
        ['grant-entered', 'Reg Istrar'],
        ['grant-entered', 'Arthur Sample'],
      ],
    )
  })

  test('is refused to a closed mailbox', async () => {
    const closed = await post.addPerson('CT-9')
    await post.owner`update mailbox set registration = 'closed' where id = ${closed.mailboxId}`
    await refuses(() => world.offer(closed), 'mailbox-closed')
  })
})
