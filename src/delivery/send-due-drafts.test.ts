import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld, type GrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { endGrant } from '../access/end-grant.ts'
import { rightsOf } from '../access/rights.ts'
import { saveDraft } from '../mailbox/save-draft.ts'
import { scheduleDraft } from '../mailbox/schedule-draft.ts'
import { acceptOne } from './accept.ts'
import { sendDueDrafts } from './send-due-drafts.ts'

const now = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-27T09:30:00Z')

describe('drafts that are due', () => {
  let test_: TestDatabase
  let post: Post
  let world: GrantWorld
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    world = buildGrantWorld(post, now)
  })
  after(() => test_.drop())

  const schedule = async (actor: Actor) => {
    const { messageId } = await acceptOne(post.db, post.keys, post.council, post.letter(newId()), now)
    const id = newId()
    const aim = {
      kind: 'answer',
      messageId,
      contactPointId: null,
      toPartyId: null,
      toName: 'Northfold Council',
      serviceId: post.serviceId,
      category: 'general',
      recipientOnly: false,
    } as const
    await saveDraft(post.db, actor, { id, version: 0, aim, subject: '', body: 'Later', answers: [] }, now)
    await scheduleDraft(post.db, actor, { id, version: 1 }, later)
    return id
  }
  const send = (at: Date) => sendDueDrafts(post.db, post.keys, at)
  const find = async (id: string) => {
    const [draft] = await post.owner<{ sendAt: Date | null; refused: string | null }[]>`
      select send_at, refused from draft where id = ${id}`
    return draft && { ...draft }
  }
  const writtenBy = async (reference: string) => {
    const [row] = await post.owner`
      select written_by_name, facts->'by'->>'name' as by_name from message join event on event.message_id = message.id
      where event.reference = ${reference} and event.type = 'message.accepted'`
    return row && { ...row }
  }

  test('are sent when their time has come, and not before', async () => {
    const id = await schedule(post.rosa)
    assert.equal(await send(new Date(later.getTime() - 1)), 0)
    assert.deepEqual(await find(id), { sendAt: later, refused: null })
    assert.equal(await send(later), 1)
    assert.equal(await find(id), undefined)
    assert.deepEqual(await writtenBy(id), { writtenByName: null, byName: 'Rosa Example' })
    assert.equal(await send(later), 0)
  })

  test('of a helper are sent by what they may do then, and are drafts again where that has ended', async () => {
    const grantId = await world.give(post.rosa, post.arthur, { role: 'writer' })
    const helper = world.inMailboxOf(post.rosa, post.arthur, grantId, rightsOf('writer'))
    const [first, second] = [await schedule(helper), await schedule(helper)]
    await post.owner`update draft set send_at = ${new Date(later.getTime() + 60_000)} where id = ${second}`
    assert.equal(await send(later), 1)
    assert.deepEqual(await writtenBy(first), { writtenByName: 'Arthur Sample', byName: 'Arthur Sample' })
    await endGrant(post.db, post.rosa, { grantId }, later)
    assert.equal(await send(new Date(later.getTime() + 60_000)), 0)
    assert.deepEqual(await find(second), { sendAt: null, refused: 'access-ended' })
  })

  test('that are refused are drafts again, with the reason', async () => {
    const id = await schedule(post.rosa)
    await post.owner`update message set reply_allowed = true, reply_by = ${now} where mailbox_id = ${post.rosa.mailboxId}`
    assert.equal(await send(later), 0)
    assert.deepEqual(await find(id), { sendAt: null, refused: 'reply-too-late' })
  })
})
