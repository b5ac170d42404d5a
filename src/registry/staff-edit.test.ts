import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { actAs, addClerk, type Roles } from '../../test/department.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { addStaff, changeStaffRoles, setStaffActive } from './staff-edit.ts'
import { findStaff, listStaff } from './staff-list.ts'

const now = new Date('2026-11-23T10:00:00Z')
const notFound = { name: 'Error', code: 'not-found' }

describe('looking after the staff', () => {
  let test_: TestDatabase
  let post: Post
  let manager: Actor
  let managing: Roles
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    managing = [{ serviceId: post.serviceId, role: 'staff-manager' }]
    manager = await addClerk(post, 'Manager', managing)
  })
  after(() => test_.drop())

  const rolesOf = async (staffId: string) => {
    const rows = await test_.owner<{ role: string; serviceId: string }[]>`
      select role, service_id from staff_role where staff_id = ${staffId} order by role, service_id`
    return rows.map(({ role, serviceId }) => `${role} ${serviceId === post.serviceId ? 'tax' : 'parking'}`)
  }
  const changes = () => test_.owner`select what, staff_name, by_name, given, taken from staff_change order by id`

  test('somebody is added with roles, and it is kept who did', async () => {
    const roles = [{ serviceId: post.serviceId, role: 'post-reader' }] as const
    const added = await addStaff(post.db, manager, { subject: 'new-1', name: 'New One', roles }, now)
    assert.ok('staffId' in added)
    assert.deepEqual(await rolesOf(added.staffId), ['post-reader tax'])
    assert.deepEqual((await changes()).at(-1), {
      what: 'added',
      staffName: 'New One',
      byName: 'Manager',
      given: roles,
      taken: [],
    })
    const again = await addStaff(post.db, manager, { subject: 'new-1', name: 'Another', roles }, now)
    assert.deepEqual(again, { refused: 'subject-taken' })
  })

  test('nobody gives a role for a service for which they do not manage the staff', async () => {
    const foreign = [{ serviceId: post.parkingId, role: 'post-reader' }] as const
    const before = (await changes()).length
    await assert.rejects(addStaff(post.db, manager, { subject: 'new-2', name: 'X', roles: foreign }, now), notFound)
    await assert.rejects(
      changeStaffRoles(post.db, manager, { staffId: manager.by.id, roles: [...managing, ...foreign] }, now),
      notFound,
    )
    assert.deepEqual(await rolesOf(manager.by.id), ['staff-manager tax'])
    assert.equal((await changes()).length, before)
  })

  test('roles for other services stay as they are', async () => {
    const clerk = await addClerk(post, 'Both', [
      { serviceId: post.serviceId, role: 'post-writer' },
      { serviceId: post.parkingId, role: 'post-writer' },
    ])
    const roles = [{ serviceId: post.serviceId, role: 'log-reader' }] as const
    assert.equal(await changeStaffRoles(post.db, manager, { staffId: clerk.by.id, roles }, now), undefined)
    assert.deepEqual(await rolesOf(clerk.by.id), ['log-reader tax', 'post-writer parking'])
    const [change] = (await changes()).slice(-1)
    assert.deepEqual([change!.given, change!.taken], [roles, [{ serviceId: post.serviceId, role: 'post-writer' }]])
    assert.equal((await findStaff(post.db, manager, clerk.by.id)).mayDeactivate, false)
    await assert.rejects(setStaffActive(post.db, manager, { staffId: clerk.by.id, isActive: false }, now), notFound)
  })

  test('nobody takes away their own last staff-manager role, nor the last of a service', async () => {
    const { id } = manager.by
    assert.deepEqual(await changeStaffRoles(post.db, manager, { staffId: id, roles: [] }, now), { refused: 'own-last-role' })
    const both: Roles = [...managing, { serviceId: post.parkingId, role: 'staff-manager' }]
    const other = await addClerk(post, 'Of both', both)
    assert.deepEqual(await changeStaffRoles(post.db, other, { staffId: other.by.id, roles: managing }, now), {
      refused: 'last-manager',
    })
    assert.equal(await changeStaffRoles(post.db, other, { staffId: id, roles: [] }, now), undefined)
    assert.deepEqual(await rolesOf(id), [])
    // Their session began with the rights of before; the next statement counts whom there is now.
    await changeStaffRoles(post.db, other, { staffId: id, roles: managing }, now)
  })

  test('two who take each other’s last role: only one does', async () => {
    const roles: Roles = [{ serviceId: post.parkingId, role: 'staff-manager' }]
    await test_.owner`delete from staff_role where role = 'staff-manager' and service_id = ${post.parkingId}`
    const [one, two] = [await addClerk(post, 'One', roles), await addClerk(post, 'Two', roles)]
    const answers = await Promise.all([
      setStaffActive(post.db, one, { staffId: two.by.id, isActive: false }, now),
      setStaffActive(post.db, two, { staffId: one.by.id, isActive: false }, now),
    ])
    assert.deepEqual(answers.map((answer) => answer?.refused).sort(), ['last-manager', undefined])
  })

  test('who is deactivated is listed last, and may be activated again', async () => {
    const clerk = await addClerk(post, 'Aaron', [{ serviceId: post.serviceId, role: 'post-reader' }])
    await setStaffActive(post.db, manager, { staffId: clerk.by.id, isActive: false }, now)
    const listed = await listStaff(post.db, manager)
    assert.ok(listed.findIndex(({ name }) => name === 'Aaron') > listed.findIndex(({ name }) => name === 'Manager'))
    assert.deepEqual(await rolesOf(clerk.by.id), ['post-reader tax'])
    await setStaffActive(post.db, manager, { staffId: clerk.by.id, isActive: true }, now)
    assert.equal((await findStaff(post.db, manager, clerk.by.id)).isActive, true)
    await assert.rejects(setStaffActive(post.db, manager, { staffId: manager.by.id, isActive: false }, now), notFound)
  })

  test('is for who manages staff, and of the own public body only', async () => {
    const reader = await addClerk(post, 'Reader', [{ serviceId: post.serviceId, role: 'post-reader' }])
    await assert.rejects(listStaff(post.db, reader), { name: 'Error', code: 'scope-missing' })
    const stranger = { ...actAs(post, { id: manager.by.id, name: 'Stranger' }, managing), partyId: post.rosa.partyId }
    assert.deepEqual(await listStaff(post.db, stranger), [])
    await assert.rejects(findStaff(post.db, stranger, manager.by.id), notFound)
  })
})
