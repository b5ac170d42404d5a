import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { type Entry, enterGrant } from './enter-grant.ts'
import { listHeld, readGrantDocument } from './list-grants.ts'

const now = new Date('2026-11-23T12:00:00Z')
const later = new Date('2027-11-23T12:00:00Z')
const document = { filename: 'order.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF order') }

describe('entering access as a registrar', () => {
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
  const byLaw = (change: Partial<Entry>): Entry => ({
    giverId: post.rosa.partyId,
    holderId: post.arthur.partyId,
    kind: 'guardian',
    role: 'writer',
    isAdministrator: false,
    endsAt: later,
    reason: 'Court order',
    document,
    ...change,
  })
  const enter = (change: Partial<Entry>, actor = world.registrar) => enterGrant(post.db, actor, byLaw(change), now)
  const refuses = async (change: Partial<Entry>, code: string, actor = world.registrar) => {
    const count = async () => Number((await post.owner`select count(*) from access_grant`)[0]!.count)
    const before = await count()
    await assert.rejects(enter(change, actor), { code })
    assert.equal(await count(), before)
  }

  test('by law holds at once, with its document and a line in the owner’s record', async () => {
    const [ward, guardian] = [await somebody(), await somebody()]
    const { grantId } = await enter({ giverId: ward.partyId, holderId: guardian.partyId })
    const [held] = await listHeld(post.db, guardian)
    assert.deepEqual(
      [held?.id, held?.kind, held?.role, held?.acceptedAt, held?.endsAt],
      [grantId, 'guardian', 'writer', now, later],
    )
    for (const reader of [ward, world.registrar]) {
      const { filename, bytes } = await readGrantDocument(post.db, reader, grantId)
      assert.deepEqual([filename, bytes.toString()], ['order.pdf', '%PDF order'])
    }
    await assert.rejects(readGrantDocument(post.db, post.rosa, grantId), { code: 'not-found' })
    const looks = await post.owner`select what, by_kind, reason from look where party_id = ${ward.partyId}`
    assert.deepEqual({ ...looks[0] }, { what: 'grant-entered', byKind: 'registrar', reason: 'Court order' })
  })

  test('needs a reason, a document and an end, and names what is missing', async () => {
    await assert.rejects(
      enter({ reason: ' ', document: undefined, endsAt: undefined }),
      ({ code, fields }: { code: string; fields: { field: string }[] }) =>
        code === 'grant-incomplete' && fields.map(({ field }) => field).join() === '/reason,/endsAt,/document',
    )
    await refuses({ document: { ...document, bytes: Buffer.alloc(0) } }, 'grant-incomplete')
    await refuses({ endsAt: now }, 'grant-over')
  })

  test('is refused to oneself, in a circle, to nobody, for a public body, and by who is no registrar', async () => {
    const [anna, ben] = [await somebody(), await somebody()]
    await world.give(anna, ben)
    await refuses({ giverId: ben.partyId, holderId: anna.partyId }, 'grant-in-circle')
    await refuses({ giverId: anna.partyId, holderId: anna.partyId }, 'grant-to-oneself')
    await refuses({ holderId: newId() }, 'not-found')
    await refuses({ giverId: newId() }, 'not-found')
    await refuses({ giverId: post.council.partyId }, 'not-found')
    await refuses({}, 'scope-missing', post.rosa)
    const { partyId } = await world.addBusiness('Holder Ltd')
    await refuses({ holderId: partyId }, 'grant-not-possible')
    await refuses({ giverId: partyId, kind: 'guardian' }, 'grant-not-possible')
  })

  test('is not for what people give themselves, but for a lost administrator', async () => {
    await refuses({ kind: 'helper' }, 'grant-not-possible')
    const business = await world.addBusiness('Lost Ltd')
    const lost = { giverId: business.partyId, kind: 'employee', endsAt: undefined, document: undefined } as const
    await refuses({ ...lost, isAdministrator: false }, 'grant-not-possible')
    await refuses({ ...lost, isAdministrator: true, reason: '' }, 'grant-incomplete')
    await enter({ ...lost, isAdministrator: true, role: 'none', reason: 'The administrator died' })
    await enter({ giverId: business.partyId, kind: 'insolvency-practitioner', holderId: post.rosa.partyId })
  })

  test('can be limited to what the mailbox has', async () => {
    const ward = await somebody()
    await refuses({ giverId: ward.partyId, serviceIds: [post.parkingId] }, 'grant-not-possible')
    await enter({ giverId: ward.partyId, serviceIds: [post.serviceId], categories: ['general'] })
  })

  test('a closed mailbox is for an executor to read only', async () => {
    const [dead, executor] = [await somebody(), await somebody()]
    await post.owner`update mailbox set registration = 'closed' where id = ${dead.mailboxId}`
    const parties = { giverId: dead.partyId, holderId: executor.partyId }
    await refuses(parties, 'mailbox-closed')
    await refuses({ ...parties, kind: 'executor', role: 'writer' }, 'mailbox-closed')
    await enter({ ...parties, kind: 'executor', role: 'reader' })
  })
})
