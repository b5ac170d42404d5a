import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwkOf = (pair: ReturnType<typeof newKey>) => JSON.stringify(pair.publicKey.export({ format: 'jwk' }))

describe('the pages of systems', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const register = '/department/systems/register'
  const fields = { name: 'Billing', services: 'council-tax', scopes: ['messages:write', 'events:read'], key: jwkOf(newKey()) }
  let pages: Pages
  let asking: Clerk
  let approving: Clerk
  let ofParking: Clerk
  before(async () => {
    pages = await startPages(now)
    const signIn = async (name: string, ...serviceIds: string[]) => {
      const roles = serviceIds.flatMap((serviceId) =>
        (['systems-manager', 'log-reader'] as const).map((role) => ({ serviceId, role })),
      )
      return signInClerk(pages, await addClerk(pages.post, name, roles), now.at)
    }
    asking = await signIn('Asker', pages.post.serviceId)
    approving = await signIn('Approver', pages.post.serviceId, pages.post.parkingId)
    ofParking = await signIn('Parking only', pages.post.parkingId)
  })
  after(() => pages.stop())

  const clientIds = async () =>
    (await pages.post.owner<{ id: string }[]>`select id from client order by registered_at, id`).map(({ id }) => id)
  const ask = async (more: Record<string, string> = {}) =>
    (await asking.post(register, { ...fields, ...more })).headers.location as string
  /** The page of a system that is registered, with one key. */
  const registered = async (name: string) => {
    await approving.post(await ask({ name, key: jwkOf(newKey()) }), { decision: 'approve' })
    const [row] = await pages.post.owner<{ id: string }[]>`select id from client where name = ${name}`
    return `/department/systems/${row!.id}`
  }

  test('a new system is registered when a second person approves it, and not before', async () => {
    const approval = await ask()
    assert.deepEqual(await clientIds(), [])
    const own = await asking.get(approval)
    assert.match(own.body, /waits for another person/)
    assert.doesNotMatch(own.body, /value="approve"/)
    assert.equal((await asking.post(approval, { decision: 'approve' })).statusCode, 404)
    assert.match((await approving.get('/department/approvals')).body, /A new system: Billing<\/a>.*Asked by Asker/s)
    assert.match((await approving.get('/department/systems')).body, /1 request waits for approval/)
    assert.equal((await approving.post(approval, { decision: 'approve' })).headers.location, approval)
    assert.match((await asking.get(approval)).body, /Approved by Approver on 23 November 2026.*It has taken effect/s)
    const [id] = await clientIds()
    assert.match(id!, /^northfold-council-[0-9a-f]{8}$/)
    const { body } = await asking.get(`/department/systems/${id}`)
    assert.match(body, /Send messages\..*Read the events of messages sent\..*Never.*by Asker; approved by Approver/s)
  })

  test('what is refused or withdrawn changes nothing', async () => {
    const before = await clientIds()
    const [one, two] = [await ask(), await ask()]
    await approving.post(one, { decision: 'refuse' })
    await asking.post(two, { decision: 'withdraw' })
    assert.match((await asking.get(one)).body, /Refused by Approver.*Nothing has changed/s)
    assert.match((await approving.get(two)).body, /Withdrawn by Asker/)
    assert.equal((await approving.post(two, { decision: 'approve' })).statusCode, 303)
    assert.deepEqual(await clientIds(), before)
  })

  test('what is missing or wrong is said at its field, and a private key is neither taken nor shown again', async () => {
    const none = await asking.post(register, { name: ' ', key: '' })
    assert.equal(none.statusCode, 422)
    assert.match(
      none.body,
      /#name">Enter a name.*#services">Choose the services.*#scopes">Choose what.*#key">Paste the public key/s,
    )
    const privateKey = JSON.stringify(newKey().privateKey.export({ format: 'jwk' }))
    const refused = (await asking.post(register, { ...fields, key: privateKey })).body
    assert.match(refused, /#key">The key is the private part of a key/)
    assert.match(refused, /<textarea[^>]*><\/textarea>/)
    const small = JSON.stringify(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }))
    assert.match((await asking.post(register, { ...fields, key: small })).body, /#key">The key must be RSA of 2048/)
    const foreign = await asking.post(register, { ...fields, services: 'parking', scopes: 'everything' })
    assert.match(foreign.body, /#services">Choose the services.*#scopes">Choose what/s)
  })

  test('a key is added beside the other by two people, and the old one removed by one, now or on a day', async () => {
    const system = await registered('Rotating')
    const key = jwkOf(newKey())
    const approval = (await asking.post(`${system}/keys/add`, { key })).headers.location as string
    assert.equal([...(await asking.get(system)).body.matchAll(/Thumbprint/g)].length, 1)
    await approving.post(approval, { decision: 'approve' })
    const { body } = await asking.get(system)
    assert.equal([...body.matchAll(/Thumbprint/g)].length, 2)
    assert.match((await asking.post(`${system}/keys/add`, { key })).body, /#key">The system has this key already/)

    const [first, second] = [...body.matchAll(/href="([^"]+\/remove)"/g)].map(([, href]) => href!)
    assert.match((await asking.post(first!, {})).body, /#when">Choose when the key ends/)
    const on = (day: string, month: string, year: string) =>
      asking.post(first!, { when: 'later', 'end-day': day, 'end-month': month, 'end-year': year })
    const { body: unreal } = await on('31', '2', '2027')
    assert.match(unreal, /#end">Enter a real date/)
    assert.deepEqual(
      unreal.match(/<[a-z]+[^>]* id="end"/g)?.map((tag) => tag.split(' ')[0]),
      ['<input'],
      'the error leads to a field',
    )
    assert.match((await on('22', '11', '2026')).body, /#end">The last day of the key must be today or later/)
    assert.equal((await on('31', '12', '2026')).statusCode, 303)
    assert.match((await asking.get(system)).body, /Ends.*31 December 2026 at 11:59pm/s)
    assert.equal((await asking.post(second!, { when: 'now' })).statusCode, 303)
    assert.equal([...(await asking.get(system)).body.matchAll(/Thumbprint/g)].length, 1)
  })

  test('a system is switched off and on by one person', async () => {
    const system = await registered('Switching')
    await asking.post(system, {}, `${system}/switch`)
    assert.match((await asking.get(system)).body, /This system is switched off/)
    assert.match((await asking.get('/department/systems')).body, /Switching<\/a>.*?<strong>Switched off/s)
    await asking.post(system, {}, `${system}/switch`)
    assert.doesNotMatch((await asking.get(system)).body, /This system is switched off/)
  })

  test('is not there for who manages the systems of another service', async () => {
    const system = await registered('Council tax only')
    const approval = await ask()
    assert.doesNotMatch((await ofParking.get('/department/systems')).body, /Council tax only/)
    assert.doesNotMatch((await ofParking.get('/department/approvals')).body, /Billing/)
    for (const url of [system, `${system}/keys/add`, approval]) assert.equal((await ofParking.get(url)).statusCode, 404, url)
    const both = await approving.post(register, { ...fields, name: 'Both', services: ['council-tax', 'parking'] })
    assert.equal((await asking.get(both.headers.location as string)).statusCode, 404)
    const reader = await signInClerk(
      pages,
      await addClerk(pages.post, 'Reader', [{ serviceId: pages.post.serviceId, role: 'post-reader' }]),
      now.at,
    )
    for (const url of ['/department/systems', register, system, '/department/approvals']) {
      assert.equal((await reader.get(url)).statusCode, 403, url)
    }
  })

  test('one that also acts for a service of others can be seen and not changed', async () => {
    await pages.post.owner`
      insert into client (id, organisation_id, name, service_ids, scopes)
      values ('of-both', ${pages.post.council.partyId}, 'Of both', ${[pages.post.serviceId, pages.post.parkingId]}::uuid[], '{events:read}')`
    const { body } = await asking.get('/department/systems/of-both')
    assert.match(body, /you cannot change it/)
    assert.doesNotMatch(body, /Switch off|Add a key/)
    assert.equal((await asking.get('/department/systems/of-both/keys/add')).statusCode, 404)
    const forged = await asking.post('/department/systems/register', { to: 'off' }, '/department/systems/of-both/switch')
    assert.equal(forged.statusCode, 404)
    assert.match((await approving.get('/department/systems/of-both')).body, /Switch off/)
  })
})
