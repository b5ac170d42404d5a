import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { scopeOf } from '../access/scope-of.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { askApproval, decideApproval, type Effects, findApproval, listApprovals } from './approval.ts'

const now = new Date('2026-11-23T10:00:00Z')
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000)

describe('what takes two people', () => {
  let test_: TestDatabase
  let post: Post
  let asker: Actor
  let approver: Actor
  let ofParking: Actor
  let done: string[]
  const effects: Effects = {
    client: async (_sql, { what }) => void done.push((what as { name: string }).name),
    'client-key': async () => {
      throw new Problem('not-found')
    },
    'batch-release': async () => {},
    'batch-recall': async () => {},
  }
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const manage = (serviceId: string) => ({ serviceId, role: 'systems-manager' }) as const
    asker = await addClerk(post, 'Asker', [manage(post.serviceId)])
    approver = await addClerk(post, 'Approver', [manage(post.serviceId)])
    ofParking = await addClerk(post, 'Parking only', [manage(post.parkingId)])
  })
  after(() => test_.drop())

  const ask = async (by: Actor, kind: 'client' | 'client-key' = 'client', name = 'A') => {
    done = []
    const asked = { kind, serviceIds: [post.serviceId], what: { name } }
    return (await within(post.db, scopeOf(by), (sql) => askApproval(sql, by, asked, now))).approvalId
  }
  const decide = (by: Actor, approvalId: string, decision: 'approved' | 'refused' | 'withdrawn' = 'approved', at = now) =>
    decideApproval(post.db, by, { approvalId, decision }, effects, at)
  const notFound = { name: 'Error', code: 'not-found' }

  test('is done when another approves it, and not before', async () => {
    const id = await ask(asker)
    assert.deepEqual(done, [])
    assert.deepEqual(
      (await listApprovals(post.db, approver, now)).map((one) => [one.id, one.isOwn]),
      [[id, false]],
    )
    assert.equal(await decide(approver, id), 'decided')
    assert.deepEqual(done, ['A'])
    assert.deepEqual(await listApprovals(post.db, approver, now), [])
    assert.equal((await findApproval(post.db, asker, id, now)).decidedByName, 'Approver')
  })

  test('is never approved or refused by who asked, nor withdrawn by another', async () => {
    const id = await ask(asker)
    await assert.rejects(decide(asker, id), notFound)
    await assert.rejects(decide(asker, id, 'refused'), notFound)
    await assert.rejects(decide(approver, id, 'withdrawn'), notFound)
    await assert.rejects(
      test_.owner`update approval set decided_by = asked_by, decided_at = ${now}, decision = 'approved' where id = ${id}`,
      { code: '23514' },
    )
    assert.deepEqual(done, [])
    assert.equal(await decide(asker, id, 'withdrawn'), 'decided')
    assert.equal(await decide(approver, id), 'over')
    assert.deepEqual(done, [])
  })

  test('is done once when two approve it at the same moment', async () => {
    const third = await addClerk(post, 'Third', [{ serviceId: post.serviceId, role: 'systems-manager' }])
    const id = await ask(asker)
    const answers = await Promise.all([decide(approver, id), decide(third, id)])
    assert.deepEqual(answers.sort(), ['decided', 'over'])
    assert.deepEqual(done, ['A'])
  })

  test('is not there for who has not the right for all of its services', async () => {
    const id = await ask(asker)
    assert.deepEqual(await listApprovals(post.db, ofParking, now), [])
    await assert.rejects(decide(ofParking, id), notFound)
    const both = { kind: 'client' as const, serviceIds: [post.serviceId, post.parkingId], what: { name: 'Both' } }
    await assert.rejects(
      within(post.db, scopeOf(asker), (sql) => askApproval(sql, asker, both, now)),
      notFound,
    )
    await decide(asker, id, 'withdrawn')
  })

  test('lapses after seven days', async () => {
    const id = await ask(asker)
    assert.equal((await findApproval(post.db, approver, id, inDays(6.9))).isWaiting, true)
    assert.equal(await decide(approver, id, 'approved', inDays(7)), 'over')
    assert.deepEqual(await listApprovals(post.db, approver, inDays(7)), [])
    assert.deepEqual(done, [])
    await decide(asker, id, 'withdrawn')
  })

  test('lapses when who asked has left, or may not ask for it any more', async () => {
    const leaver = await addClerk(post, 'Leaver', [{ serviceId: post.serviceId, role: 'systems-manager' }])
    const id = await ask(leaver)
    await test_.owner`update staff_member set is_active = false where id = ${leaver.by.id}`
    assert.equal(await decide(approver, id), 'over')
    await test_.owner`update staff_member set is_active = true where id = ${leaver.by.id}`
    await test_.owner`delete from staff_role where staff_id = ${leaver.by.id}`
    assert.equal(await decide(approver, id), 'over')
    assert.deepEqual(done, [])
  })

  test('is still to be decided when what was approved could not be done', async () => {
    const id = await ask(asker, 'client-key')
    await assert.rejects(decide(approver, id), notFound)
    assert.equal((await findApproval(post.db, approver, id, now)).isWaiting, true)
    assert.equal(await decide(approver, id, 'refused'), 'decided')
  })
})
