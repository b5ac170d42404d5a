import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { Problem } from '../problems.ts'
import { draftsMax } from './draft.ts'
import { addDraftFile, removeDraftFile } from './draft-files.ts'
import { findDraft } from './find-draft.ts'
import { saveDraft } from './save-draft.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('saving a draft', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const save = (id: string, version: number, body: string, actor = post.rosa) => {
    const aim = {
      kind: 'new',
      messageId: null,
      contactPointId: newId(),
      toPartyId: null,
      toName: 'Northfold Council',
      serviceId: post.serviceId,
      category: 'general',
      recipientOnly: false,
    } as const
    return saveDraft(post.db, actor, { id, version, aim, subject: 'S', body, answers: ['1'] }, now)
  }

  test('raises its version, and does not where nothing is changed', async () => {
    const id = newId()
    assert.equal((await save(id, 0, 'One')).draft.version, 1)
    assert.equal((await save(id, 1, 'Two')).draft.version, 2)
    assert.equal((await save(id, 2, 'Two')).draft.version, 2)
    const { subject, body, answers, writtenByName } = await findDraft(post.db, post.rosa, id, now)
    assert.deepEqual([subject, body, answers, writtenByName], ['S', 'Two', ['1'], 'Rosa Example'])
  })

  test('never overwrites what another window has saved, and takes the same text twice', async () => {
    const id = newId()
    await save(id, 0, 'One')
    await save(id, 1, 'Two')
    const refused = await save(id, 1, 'Three')
    assert.deepEqual([refused.isConflict, refused.draft.body, refused.draft.version], [true, 'Two', 2])
    assert.equal((await save(id, 0, 'Two')).isConflict, false)
    const both = await Promise.all([save(id, 2, 'Left'), save(id, 2, 'Right')])
    assert.deepEqual(both.map(({ isConflict }) => isConflict).sort(), [false, true])
  })

  test('keeps each mailbox to itself, also under one id', async () => {
    const id = newId()
    await save(id, 0, 'Rosa’s')
    assert.equal((await save(id, 0, 'Arthur’s', post.arthur)).isConflict, false)
    assert.equal((await findDraft(post.db, post.rosa, id, now)).body, 'Rosa’s')
    await assert.rejects(save(newId(), 3, 'Never was'), new Problem('not-found'))
  })

  test('keeps files within their limits, one of them once', async () => {
    const id = newId()
    await save(id, 0, 'With files')
    const add = (filename: string, text: string) =>
      addDraftFile(
        post.db,
        post.rosa,
        id,
        { filename, mediaType: 'text/plain', bytes: Buffer.from(text) },
        { files: 2, bytes: 10 },
      )
    const first = await add('a.txt', 'aaaa')
    assert.equal((await add('a.txt', 'aaaa')).id, first.id)
    await assert.rejects(add('b.txt', 'bbbbbbb'), new Problem('too-large'))
    await add('b.txt', 'bbbb')
    await assert.rejects(add('c.txt', 'c'), new Problem('too-many-files'))
    await removeDraftFile(post.db, post.rosa, id, first.id)
    await removeDraftFile(post.db, post.rosa, id, first.id)
    const { files } = await findDraft(post.db, post.rosa, id, now)
    assert.deepEqual(
      files.map(({ filename, size }) => [filename, size]),
      [['b.txt', 4]],
    )
    await assert.rejects(removeDraftFile(post.db, post.arthur, newId(), first.id), new Problem('not-found'))
  })

  test('keeps only so many in a mailbox', async () => {
    await post.owner`
      insert into draft (mailbox_id, id, kind, contact_point_id, to_name, service_id, category, recipient_only, subject, body, answers, updated_at, written_by_id, written_by_name)
      select ${post.rosa.mailboxId}, gen_random_uuid(), 'new', gen_random_uuid(), 'x', ${post.serviceId}, 'general', false, '', '', '[]', ${now}, ${post.rosa.partyId}, 'x'
      from generate_series(1, ${draftsMax})`
    await assert.rejects(save(newId(), 0, 'One more'), new Problem('too-many-drafts'))
  })
})
