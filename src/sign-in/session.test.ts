import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { endGrant } from '../access/end-grant.ts'
import { listClients } from '../access/list-grants.ts'
import type { Offer } from '../access/offer-grant.ts'
import { deriveSessionKeys, type Opening, openMailbox, readSession, startSession } from './session.ts'

const now = new Date('2026-11-23T12:00:00Z')
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const limits = { sessionIdleMinutes: 60 * 24 * 30, sessionAbsoluteMinutes: 60 * 24 * 30 }

describe('a mailbox that is opened through a firm', () => {
  let test_: TestDatabase
  let post: Post
  let world: GrantWorld
  let firm: { partyId: string; mailboxId: string }
  let administrator: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    world = buildGrantWorld(post, now)
    firm = await world.addBusiness('Example Accountants Ltd')
    administrator = await world.addAdministrator(firm, await somebody(), { role: 'none' })
    // A limit to a service needs a letter of it, or a link.
    for (const service of [post.serviceId, post.parkingId])
      await post.owner`
        insert into link (service_id, scheme, value_hash, value_sealed, party_id)
        values (${service}, 'link', ${Buffer.from(`firm ${service}`)}, '', ${firm.partyId})`
    await post.owner`
      insert into category (slug, name, wording) values ('bills', '{}', '{}'), ('health', '{}', '{}') on conflict do nothing`
  })
  after(() => test_.drop())

  let people = 0
  const somebody = () => post.addPerson(`S-${people++}`)
  /** A person who works for the firm, a client who let it in, and a session of the first. */
  const three = async (employed: Partial<Offer> = {}, allowed: Partial<Offer> = {}) => {
    const [worker, client] = [await somebody(), await somebody()]
    await post.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${post.parkingId}, 'link', ${Buffer.from(`parking ${client.partyId}`)}, '', ${client.partyId})`
    const employment = await world.give(administrator, worker, { kind: 'employee', role: 'writer', ...employed })
    const grant = await world.giveToFirm(client, administrator, { role: 'writer', ...allowed })
    const session = { owner: { partyId: worker.partyId }, subject: worker.partyId, idToken: '', replaces: undefined }
    const token = await startSession(post.db, deriveSessionKeys(Buffer.alloc(32, 7)), session, now)
    const opening: Opening = { grantId: grant, viaGrantId: employment }
    return {
      worker,
      client,
      opening,
      open: (change: Partial<Opening> = {}, at = now) => openMailbox(post.db, token, { ...opening, ...change }, at),
      read: async (at = now) => (await readSession(post.db, limits, token, 'request', at))!,
      clients: async (at = now) => (await listClients(post.db, worker, 1, at)).clients.filter(({ id }) => id === grant),
    }
  }
  const end = (who: Actor, grantId: string) => endGrant(post.db, who, { grantId }, now)

  test('says who acts, through which firm, and that they are from outside', async () => {
    const { worker, client, opening, open, read, clients } = await three()
    await open()
    const { actor, name, openMailbox: opened } = await read()
    assert.deepEqual([actor.partyId, actor.mailboxId], [client.partyId, client.mailboxId])
    assert.deepEqual(actor.by, {
      kind: 'helper',
      id: worker.partyId,
      name: `${worker.by.name} of Example Accountants Ltd`,
      grantId: opening.grantId,
      isEmployee: false,
    })
    assert.equal(name, worker.by.name)
    assert.deepEqual(
      [opened?.ownerName, opened?.firmName, opened?.viaGrantId],
      [client.by.name, 'Example Accountants Ltd', opening.viaGrantId],
    )
    assert.ok(!actor.rights.has('grants:manage') && actor.rights.has('messages:write'))
    const looks = await post.owner`select what, by_name from look where party_id = ${client.partyId}`
    assert.deepEqual([...looks], [{ what: 'mailbox-opened', byName: `${worker.by.name} of Example Accountants Ltd` }])
    assert.deepEqual(
      (await clients()).map(({ giverName, holderName, viaGrantId }) => [giverName, holderName, viaGrantId]),
      [[client.by.name, 'Example Accountants Ltd', opening.viaGrantId]],
    )
  })

  test('is open as far as both grants allow, whichever is the weaker', async () => {
    const [tax, parking] = [post.serviceId, post.parkingId]
    const cases: [Partial<Offer>, Partial<Offer>, Partial<Offer>][] = [
      [{ role: 'reader' }, { role: 'writer' }, { role: 'reader' }],
      [{ role: 'writer' }, { role: 'reader' }, { role: 'reader' }],
      [{ isAdministrator: true }, {}, { role: 'writer' }],
      [{ endsAt: days(2) }, { endsAt: days(3) }, { role: 'writer', endsAt: days(2) }],
      [{}, { endsAt: days(3) }, { role: 'writer', endsAt: days(3) }],
      [{ serviceIds: [tax, parking] }, { serviceIds: [parking] }, { role: 'writer', serviceIds: [parking] }],
      [{ serviceIds: [tax] }, {}, { role: 'writer', serviceIds: [tax] }],
      [{}, { categories: ['bills'] }, { role: 'writer', categories: ['bills'] }],
      [{ categories: ['health', 'bills'] }, { categories: ['bills', 'general'] }, { role: 'writer', categories: ['bills'] }],
    ]
    for (const [employed, allowed, expected] of cases) {
      const what = JSON.stringify([employed, allowed])
      const { open, read, clients } = await three(employed, allowed)
      await open()
      const { actor, openMailbox: opened } = await read()
      const { role, endsAt = null, serviceIds = 'all', categories } = expected
      assert.deepEqual([opened?.role, opened?.endsAt, opened?.isAdministrator], [role, endsAt, false], what)
      assert.deepEqual([actor.rights.get('inbox:read'), actor.categories], [serviceIds, categories], what)
      assert.equal(actor.rights.has('messages:write'), role === 'writer', what)
      const [listed] = await clients()
      assert.deepEqual(
        [listed?.role, listed?.endsAt, listed?.isAdministrator, listed?.serviceNames, listed?.categoryNames],
        [opened?.role, opened?.endsAt, false, opened?.serviceNames, opened?.categoryNames],
        what,
      )
    }
  })

  test('is not there for who only administers the firm, who is no employee of it, or where the two have nothing in common', async () => {
    const cases = [
      await three({ role: 'none', isAdministrator: true }),
      await three({ kind: 'adviser' }),
      await three({ serviceIds: [post.serviceId] }, { serviceIds: [post.parkingId] }),
      await three({ categories: ['health'] }, { categories: ['bills'] }),
      await three({ startsAt: days(1) }),
      await three({}, { startsAt: days(1) }),
    ]
    for (const { open, read, clients } of cases) {
      await assert.rejects(open(), { code: 'not-found' })
      assert.equal((await read()).openMailbox, undefined)
      assert.deepEqual(await clients(), [])
    }
  })

  test('is refused with the next click once either grant has ended', async () => {
    const ends: ((each: Awaited<ReturnType<typeof three>>) => Promise<void>)[] = [
      ({ client, opening }) => end(client, opening.grantId),
      ({ opening }) => end(administrator, opening.grantId),
      ({ opening }) => end(administrator, opening.viaGrantId!),
      ({ worker, opening }) => end(worker, opening.viaGrantId!),
    ]
    for (const endOne of ends) {
      const each = await three()
      await each.open()
      assert.equal((await each.read()).hasLostAccess, false)
      await endOne(each)
      const { hasLostAccess, openMailbox: opened, actor } = await each.read()
      assert.deepEqual([hasLostAccess, opened, actor.partyId], [true, undefined, each.worker.partyId])
      await assert.rejects(each.open(), { code: 'not-found' })
      assert.deepEqual(await each.clients(), [])
    }
    for (const limited of [await three({ endsAt: days(1) }), await three({}, { endsAt: days(1) })]) {
      await limited.open()
      assert.equal((await limited.read(new Date(days(1).getTime() - 1))).hasLostAccess, false)
      assert.equal((await limited.read(days(1))).hasLostAccess, true)
      assert.deepEqual(await limited.clients(days(1)), [])
    }
  })

  test('is opened by nobody with another’s grants, or with half of them', async () => {
    const [one, two] = [await three(), await three()]
    await assert.rejects(one.open({ viaGrantId: undefined }), { code: 'not-found' })
    await assert.rejects(one.open({ viaGrantId: two.opening.viaGrantId }), { code: 'not-found' })
    await assert.rejects(one.open({ viaGrantId: one.opening.grantId }), { code: 'not-found' })
    const elsewhere = await world.addAdministrator(await world.addBusiness('Another Ltd'), one.worker)
    await assert.rejects(one.open({ viaGrantId: elsewhere.by.grantId }), { code: 'not-found' })
    assert.equal((await one.read()).openMailbox, undefined)
    // Another's client is a client of the same firm.
    await one.open({ grantId: two.opening.grantId })
    assert.equal((await one.read()).actor.partyId, two.client.partyId)
  })

  test('is as far as it goes: what a firm holds is not passed on to a firm that it lets in', async () => {
    const { opening } = await three()
    const holding = await world.addBusiness('Holding Ltd')
    const its = await world.addAdministrator(holding, await somebody())
    const intoFirm = await world.giveToFirm(administrator, its, { kind: 'adviser', role: 'writer' })
    const session = { owner: { partyId: its.by.id }, subject: 'its', idToken: '', replaces: undefined }
    const token = await startSession(post.db, deriveSessionKeys(Buffer.alloc(32, 7)), session, now)
    await openMailbox(post.db, token, { grantId: intoFirm, viaGrantId: its.by.grantId }, now)
    assert.equal((await readSession(post.db, limits, token, 'request', now))?.actor.partyId, firm.partyId)
    for (const viaGrantId of [intoFirm, its.by.grantId])
      await assert.rejects(openMailbox(post.db, token, { grantId: opening.grantId, viaGrantId }, now), { code: 'not-found' })
    const { clients } = await listClients(post.db, its, 1, now)
    assert.deepEqual(
      clients.map(({ id }) => id),
      [intoFirm],
    )
  })

  test('going back to one’s own forgets both grants', async () => {
    const { worker, open, read, opening } = await three()
    await open()
    const [row] = await post.owner`select grant_id, via_grant_id from session where party_id = ${worker.partyId}`
    assert.deepEqual({ ...row }, { grantId: opening.grantId, viaGrantId: opening.viaGrantId })
    const direct = await world.give(await somebody(), worker)
    await open({ grantId: direct, viaGrantId: undefined })
    const { openMailbox: opened, actor } = await read()
    assert.deepEqual([opened?.viaGrantId, opened?.firmName, actor.by.name], [null, null, worker.by.name])
  })
})
