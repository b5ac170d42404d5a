import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { Problem } from '../problems.ts'
import { browseContacts, findContactPoint } from './contact-browse.ts'
import { deleteContactGroup, saveContactGroup, saveContactPoint } from './contact-edit.ts'
import { readContactTree } from './contact-tree.ts'

const now = new Date('2026-11-23T10:00:00Z')
const details = { name: { en: 'Appeal a fine' } }

describe('looking after contact points', () => {
  let test_: TestDatabase
  let post: Post
  let manager: Actor
  let parkingManager: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const managing = (serviceIds: string[]) => ({ ...post.clerk([]), rights: rightsOf('contact-manager', serviceIds) })
    manager = managing([post.serviceId, post.parkingId])
    parkingManager = managing([post.parkingId])
  })
  after(() => test_.drop())

  const add = (actor = manager, more: Partial<Parameters<typeof saveContactPoint>[2]> = {}) =>
    saveContactPoint(post.db, actor, { serviceId: post.parkingId, groupId: null, details, ...more }, now)
  const addGroup = (en: string, parentId: string | null = null) =>
    saveContactGroup(post.db, manager, { parentId, details: { name: { en } } }, now)
  const pointOf = async (id: string) => (await readContactTree(post.db, manager)).points.find((point) => point.id === id)!
  const level = (group?: string) => browseContacts(post.db, post.rosa, { organisation: 'northfold-council', group })
  const wrongFields = (fields: string[]) => (error: unknown) => {
    assert.ok(error instanceof Problem)
    assert.deepEqual([error.code, error.fields?.map(({ field }) => field)], ['body-invalid', fields])
    return true
  }

  test('a point that is added in a group within a group is found there, and an empty group is not shown', async () => {
    const outer = await addGroup('Roads')
    const inner = await addGroup('Fines', outer.groupId)
    await addGroup('Nothing here')
    assert.deepEqual((await level()).groups, [])
    await add(parkingManager, { groupId: inner.groupId })
    assert.deepEqual(
      (await level()).groups.map(({ slug }) => slug),
      ['roads'],
    )
    const { groups, points } = await level('roads')
    assert.deepEqual([groups.map(({ slug }) => slug), points], [['fines'], []])
    const fines = await level('fines')
    assert.deepEqual(
      fines.points.map(({ slug }) => slug),
      ['appeal-a-fine'],
    )
    assert.deepEqual(
      fines.path.map(({ name }) => name.en),
      ['Roads', 'Fines'],
    )
    await assert.rejects(level('nothing-here'), { code: 'not-found' })
  })

  test('what is asked, for whom and with which limits is kept', async () => {
    const whole = {
      name: { en: 'Appeal', cy: 'Apelio' },
      description: { en: 'Say why.' },
      searchWords: { cy: 'dirwy' },
      audience: ['business' as const],
      asks: [{ label: { en: 'Number', cy: 'Rhif' }, hint: { en: 'At the top' }, required: true, maxLength: 20 }],
      filesMax: 0,
      megabytesMax: 25,
      formUrl: 'https://forms.northfold.example/appeal?from=post',
      active: false,
      visible: false,
    }
    const { pointId } = await add(manager, { details: whole })
    const { name, description, searchWords, audience, asks, filesMax, megabytesMax, formUrl, active, visible } =
      await pointOf(pointId)
    assert.deepEqual({ name, description, searchWords, audience, asks, filesMax, megabytesMax, formUrl, active, visible }, whole)
  })

  test('a hidden point is found by its address only, and not by whom it is not for', async () => {
    const { pointId } = await add(manager, { details: { ...details, audience: ['person'], visible: false } })
    const { slug } = await pointOf(pointId)
    const at = { organisation: 'northfold-council', point: slug }
    assert.ok(!(await level()).points.some(({ id }) => id === pointId))
    assert.equal((await findContactPoint(post.db, post.rosa, at)).id, pointId)
    await post.owner`update party set kind = 'business' where id = ${post.arthur.partyId}`
    await assert.rejects(findContactPoint(post.db, post.arthur, at), { code: 'not-found' })
  })

  test('only who manages a service changes its points, or gives it some', async () => {
    const { pointId } = await add(manager, { serviceId: post.serviceId })
    const seen = { id: pointId, version: 1 }
    await assert.rejects(add(parkingManager, { seen }), { code: 'not-found' })
    await assert.rejects(add(parkingManager, { serviceId: post.serviceId }), wrongFields(['/serviceId']))
    await assert.rejects(add(post.clerk([post.parkingId])), { code: 'scope-missing' })
    const elsewhere = { ...manager, partyId: post.rosa.partyId }
    await assert.rejects(add(elsewhere, { seen }), { code: 'not-found' })
    assert.equal((await pointOf(pointId)).version, 1)
    const tree = await readContactTree(post.db, parkingManager)
    assert.equal(tree.points.find(({ id }) => id === pointId)?.isManaged, false)
  })

  test('of two who change one at once, the later is told, and nothing of theirs is kept', async () => {
    const { pointId } = await add()
    const seen = { id: pointId, version: 1 }
    const change = (en: string) => add(manager, { seen, details: { name: { en } } })
    const outcomes = await Promise.allSettled([change('One'), change('Two')])
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as Problem).code : undefined))
    assert.ok(codes.includes('changed-meanwhile'))
    assert.equal((await pointOf(pointId)).version, 2)
    const { groupId } = await addGroup('Old')
    const renameGroup = (en: string) =>
      saveContactGroup(post.db, manager, { seen: { id: groupId, version: 1 }, parentId: null, details: { name: { en } } }, now)
    await renameGroup('New')
    await assert.rejects(renameGroup('Newer'), { code: 'changed-meanwhile' })
  })

  test('each field that is wrong is named', async () => {
    const wrong = {
      name: { en: '', cy: 'x'.repeat(101) },
      audience: [],
      asks: [{ label: { en: 'Same' } }, { label: { en: 'Same' }, maxLength: 501 }],
      filesMax: 51,
      megabytesMax: 0,
      formUrl: 'http://forms.example',
    }
    await assert.rejects(add(manager, { details: wrong, groupId: newId(), serviceId: newId() }), (error) => {
      assert.ok(error instanceof Problem)
      const fields = [
        '/name/en',
        '/name/cy',
        '/audience',
        '/asks/1/maxLength',
        '/asks/1/label/en',
        '/filesMax',
        '/megabytesMax',
        '/formUrl',
        '/groupId',
        '/serviceId',
      ]
      assert.deepEqual(new Set(error.fields?.map(({ field }) => field)), new Set(fields))
      return true
    })
    for (const formUrl of ['https://', 'https://user:pass@forms.example', 'https://forms.example/ x', 'javascript:alert(1)']) {
      await assert.rejects(add(manager, { details: { ...details, formUrl } }), wrongFields(['/formUrl']))
    }
  })

  test('a group is moved, but never into itself, and deleted only when it is empty', async () => {
    const [a, b] = [await addGroup('A'), await addGroup('B')]
    const move = (id: string, version: number, parentId: string) =>
      saveContactGroup(post.db, manager, { seen: { id, version }, parentId, details: { name: { en: 'X' } } }, now)
    await move(b.groupId, 1, a.groupId)
    await assert.rejects(move(a.groupId, 1, b.groupId), wrongFields(['/parentId']))
    await assert.rejects(move(a.groupId, 1, a.groupId), wrongFields(['/parentId']))
    await assert.rejects(deleteContactGroup(post.db, manager, a, now), { code: 'group-not-empty' })
    await deleteContactGroup(post.db, manager, b, now)
    await deleteContactGroup(post.db, manager, a, now)
    await assert.rejects(deleteContactGroup(post.db, manager, a, now), { code: 'not-found' })
    await assert.rejects(move(a.groupId, 1, b.groupId), { code: 'not-found' })
  })

  test('the last place to write to cannot be closed, hidden or turned into a link', async () => {
    const { points } = await readContactTree(post.db, manager)
    const last = points.find(({ slug }) => slug === 'parking')!
    await post.owner`update contact_point set active = false where id <> ${last.id}`
    const seen = { id: last.id, version: last.version }
    for (const change of [{ active: false }, { visible: false }, { formUrl: 'https://forms.example/' }]) {
      await assert.rejects(add(manager, { seen, details: { ...details, ...change } }), wrongFields(['/active']))
    }
    assert.equal((await pointOf(last.id)).version, last.version)
    await add(manager)
    await add(manager, { seen, details: { ...details, active: false } })
  })
})
