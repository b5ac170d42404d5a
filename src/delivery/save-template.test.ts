import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { bill } from '../../test/mailings.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { createMailing } from './create-mailing.ts'
import { findMailing } from './find-mailings.ts'
import { findTemplate, listTemplates, listTemplateVersions } from './find-templates.ts'
import { archiveTemplate, saveTemplate } from './save-template.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('a template', () => {
  let test_: TestDatabase
  let post: Post
  let mel: Actor
  let reader: Actor
  let other: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    mel = await addClerk(post, 'Mel', [{ serviceId: post.serviceId, role: 'post-writer' }])
    reader = await addClerk(post, 'Reader', [{ serviceId: post.serviceId, role: 'post-reader' }])
    other = await addClerk(post, 'Other', [{ serviceId: post.parkingId, role: 'post-writer' }])
  })
  after(() => test_.drop())

  const save = (id: string, version: number, template = bill, by = mel) =>
    saveTemplate(post.db, by, { serviceId: post.serviceId, id, version, template }, now)

  test('is kept in versions, of which the old ones stay as they were', async () => {
    const id = newId()
    assert.equal(await save(id, 0), 1)
    assert.equal(await save(id, 1, { ...bill, name: 'Final bill' }), 2)
    const versions = await listTemplateVersions(post.db, reader, id)
    assert.deepEqual(
      versions.map(({ version, name, savedByName }) => [version, name, savedByName]),
      [
        [2, 'Final bill', 'Mel'],
        [1, 'Bill', 'Mel'],
      ],
    )
    assert.equal((await findTemplate(post.db, reader, id, 1)).name, 'Bill')
    assert.equal((await findTemplate(post.db, reader, id)).name, 'Final bill')
  })

  test('that two change at once is changed by the first, and the second is told; nothing is lost', async () => {
    const id = newId()
    await save(id, 0)
    const tries = ['One', 'Two'].map((name) => save(id, 1, { ...bill, name }))
    const outcomes = await Promise.allSettled(tries)
    const refused = outcomes.filter((one) => one.status === 'rejected')
    assert.deepEqual(
      refused.map(({ reason }) => reason.code),
      ['changed-meanwhile'],
    )
    assert.equal((await findTemplate(post.db, mel, id)).version, 2)
  })

  test('that is sent twice is saved once', async () => {
    const id = newId()
    assert.deepEqual(await Promise.all([save(id, 0), save(id, 0)]), [1, 1])
    assert.equal(await save(id, 0), 1)
    assert.equal(await save(id, 1, { ...bill, name: 'Again' }), 2)
    assert.equal(await save(id, 1, { ...bill, name: 'Again' }), 2)
  })

  test('is saved by who writes for its service, seen by who reads there, and not there for others', async () => {
    const id = newId()
    await save(id, 0)
    await assert.rejects(save(id, 1, bill, reader), { code: 'scope-missing' })
    await assert.rejects(save(id, 1, bill, other), { code: 'service-not-found' })
    for (const service of [post.parkingId]) {
      await assert.rejects(saveTemplate(post.db, other, { serviceId: service, id, version: 1, template: bill }, now), {
        code: 'not-found',
      })
    }
    await assert.rejects(findTemplate(post.db, other, id), { code: 'not-found' })
    assert.deepEqual(await listTemplates(post.db, other), [])
    await assert.rejects(archiveTemplate(post.db, other, { id, isArchived: true }, now), { code: 'not-found' })
  })

  test('that is archived is not used or changed any more, until it is brought back; mailings keep the version that they have', async () => {
    const [id, mailingId] = [newId(), newId()]
    await save(id, 0)
    await createMailing(post.db, mel, { id: mailingId, name: 'Bills', templateId: id }, now)
    await save(id, 1, { ...bill, name: 'Newer' })
    await archiveTemplate(post.db, mel, { id, isArchived: true }, now)
    await archiveTemplate(post.db, mel, { id, isArchived: true }, now)
    await assert.rejects(createMailing(post.db, mel, { id: newId(), name: 'Bills', templateId: id }, now), { code: 'not-found' })
    await assert.rejects(save(id, 2, { ...bill, name: 'Newest' }), { code: 'changed-meanwhile' })
    assert.equal((await findMailing(post.db, mel, mailingId)).templateVersion, 1)
    await archiveTemplate(post.db, mel, { id, isArchived: false }, now)
    assert.equal(await save(id, 2, { ...bill, name: 'Newest' }), 3)
  })
})
