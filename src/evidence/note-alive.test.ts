import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { noteAlive } from './note-alive.ts'

describe('noting that the program works', () => {
  const start = new Date('2026-11-23T10:00:00Z').getTime()
  let test_: TestDatabase
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())

  const noteAt = (seconds: number) => noteAlive(test_.database, { outageSeconds: 60 }, new Date(start + seconds * 1_000))
  const aliveAt = async () => {
    const [row] = await test_.owner<{ aliveAt: Date | null }[]>`select alive_at from log_state`
    return row?.aliveAt && (row.aliveAt.getTime() - start) / 1_000
  }
  const outages = async () => {
    const rows = await test_.owner<{ beganAt: Date; endedAt: Date }[]>`select began_at, ended_at from outage order by began_at`
    return rows.map(({ beganAt, endedAt }) => [beganAt, endedAt].map((at) => (at.getTime() - start) / 1_000))
  }

  test('does nothing before there is a log', async () => {
    await noteAt(0)
    assert.equal(await aliveAt(), undefined)
    await test_.owner`insert into log_state (origin, xid, cluster) values ('post.example/log', 0, 'one')`
  })

  test('makes no outage at first, nor of a pause that is short, nor where a clock is set back', async () => {
    for (const seconds of [0, 10, 70, 40, -3_600, -3_590, -3_530]) {
      await noteAt(seconds)
      assert.equal(await aliveAt(), seconds)
    }
    assert.deepEqual(await outages(), [])
  })

  test('writes an outage down once, whichever processes find it, with evidence of its begin and its end', async () => {
    await noteAt(0).then(() => noteAt(10))
    await test_.owner`delete from outage`
    await test_.owner`delete from event`
    await Promise.all([noteAt(200), noteAt(200), noteAt(200)])
    assert.deepEqual(await outages(), [[10, 200]])
    const [outage] = await test_.owner<{ id: string; why: string }[]>`select id, why from outage`
    const events = await test_.owner`select sender_id, type, message_id, reference, at, facts, xid from event order by position`
    const { id, why } = outage!
    const [from, until] = [new Date(start + 10_000), new Date(start + 200_000)]
    const facts = {
      by: { kind: 'program', id: 'digital-post', name: 'The program' },
      from: from.toISOString(),
      until: until.toISOString(),
      reasons: [{ code: 'interrupted', reason: why }],
    }
    const both = { senderId: '00000000-0000-0000-0000-000000000000', messageId: id, reference: id, facts }
    assert.deepEqual(
      events.map(({ xid: _, ...event }) => event),
      [
        { ...both, type: 'service.interrupted', at: from },
        { ...both, type: 'service.restored', at: until },
      ],
    )
    assert.ok(events.every(({ xid }) => xid !== null))
  })

  test('sees no outage where another process was there', async () => {
    const before = await outages()
    for (let seconds = 200; seconds < 500; seconds += 50) await noteAt(seconds)
    await noteAt(505)
    assert.deepEqual(await outages(), before)
  })

  test('writes all of an outage down, or nothing of it', async () => {
    await test_.owner`alter table event add constraint never check (type <> 'service.restored') not valid`
    const before = [await outages(), await aliveAt()]
    await assert.rejects(noteAt(5_000))
    assert.deepEqual([await outages(), await aliveAt()], before)
  })
})
