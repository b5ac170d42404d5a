import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import type { Actor } from '../../access/actor.ts'

describe('the page of the staff', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let manager: Actor
  let atWork: Clerk
  before(async () => {
    pages = await startPages(now)
    manager = await addClerk(pages.post, 'Manager', [{ serviceId: pages.post.serviceId, role: 'staff-manager' }])
    atWork = await signInClerk(pages, manager, now.at)
  })
  after(() => pages.stop())
  const addReader = async (name: string) => {
    const actor = await addClerk(pages.post, name, [{ serviceId: pages.post.serviceId, role: 'post-reader' }])
    return { id: actor.by.id, clerk: await signInClerk(pages, actor, now.at) }
  }

  test('lists who may do what for which service', async () => {
    const { body } = await atWork.get('/department/staff')
    assert.match(body, /Manager<\/a> \(you\).*<strong>Council tax<\/strong>: Manages staff/s)
    assert.match(body, /Mel Placeholder<\/a>.*Reads post, Writes letters/s)
  })

  test('adds somebody, and says at the field what is wrong', async () => {
    const wrong = await atWork.post('/department/staff/add', { name: '', subject: 'x'.repeat(256) })
    assert.equal(wrong.statusCode, 422)
    assert.match(
      wrong.body,
      /href="#name">Enter their name.*href="#subject">Account must be 255.*href="#roles">Choose at least one role/s,
    )
    const fields = { name: 'New <One>', subject: 'new-1', 'roles-council-tax': ['post-reader', 'log-reader', 'emperor'] }
    assert.equal((await atWork.post('/department/staff/add', fields)).headers.location, '/department/staff')
    assert.match((await atWork.get('/department/staff')).body, /New &lt;One&gt;.*Reads post, Reads the log/s)
    const again = await atWork.post('/department/staff/add', fields)
    assert.match(again.body, /href="#subject">Somebody with this account is registered as staff already/)
    assert.match(again.body, /value="New &lt;One&gt;"/)
  })

  test('changes roles, which hold from their next click', async () => {
    const { id, clerk } = await addReader('Changing')
    assert.equal((await clerk.get('/department')).statusCode, 200)
    assert.equal((await clerk.get('/department/logs')).statusCode, 403)
    await atWork.post(`/department/staff/${id}`, { 'roles-council-tax': 'log-reader' })
    assert.equal((await clerk.get('/department')).headers.location, '/department/logs')
    const { body } = await clerk.get('/department/logs')
    assert.match(
      body,
      /Manager<\/strong> changed the roles of Changing<\/p>\s*<p[^>]*>Roles given: Reads the log<\/p>\s*<p[^>]*>Roles taken away: Reads post<\/p>/,
    )
  })

  test('takes no role for a service of others, even when it is asked for by hand', async () => {
    const { id, clerk } = await addReader('Wanting')
    await atWork.post(`/department/staff/${id}`, { 'roles-council-tax': 'post-reader', 'roles-parking': 'post-reader' })
    assert.doesNotMatch((await atWork.get(`/department/staff/${id}`)).body, /Parking/)
    assert.equal((await clerk.get('/department')).statusCode, 200)
  })

  test('keeps the last who manages staff from giving that up', async () => {
    const answer = await atWork.post(`/department/staff/${manager.by.id}`, { 'roles-council-tax': 'log-reader' })
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /href="#roles">You cannot give up managing staff altogether/)
    assert.match(answer.body, /value="log-reader" checked/)
    assert.doesNotMatch((await atWork.get(`/department/staff/${manager.by.id}`)).body, /Deactivate/)
  })

  test('signs out at once who is deactivated', async () => {
    const { id, clerk } = await addReader('Leaving')
    assert.equal((await clerk.get('/department')).statusCode, 200)
    const page = `/department/staff/${id}`
    assert.equal((await atWork.post(page, {}, `${page}/active`)).statusCode, 303)
    assert.match(String((await clerk.get('/department')).headers.location), /^\/department\/sign-in/)
    assert.match((await atWork.get(page)).body, /this person cannot sign in/)
    await atWork.post(page, {}, `${page}/active`)
    assert.equal((await clerk.get('/department')).statusCode, 200)
  })

  test('is not there for other staff, and a form without our token changes nothing', async () => {
    const { id, clerk } = await addReader('Curious')
    for (const url of ['/department/staff', '/department/staff/add', `/department/staff/${id}`]) {
      const { statusCode, body } = await clerk.get(url)
      assert.equal(statusCode, 403, url)
      assert.doesNotMatch(body, /Manager/)
    }
    assert.match((await atWork.post(`/department/staff/${id}`, { csrf: 'x' })).body, /This form has expired/)
    assert.equal((await atWork.get('/department/staff/01a20931-4de4-74b1-9b9c-593ca10ca006')).statusCode, 404)
  })
})
