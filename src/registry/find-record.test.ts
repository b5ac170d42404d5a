import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { findView, foundMax, searchRecords, startView, viewFound } from './find-record.ts'
import { readRecord } from './read-record.ts'

describe('finding a record', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  const reason = 'A letter'
  let data: TestDatabase
  let post: Post
  let registrar: Actor
  before(async () => {
    data = await createTestDatabase()
    post = await buildPost(data)
    const id = newId()
    await data.owner`insert into registrar (id, subject, name) values (${id}, 'registrar-1', 'Bo Dummyname')`
    const by = { kind: 'registrar', id, name: 'Bo Dummyname' } as const
    registrar = { ...post.rosa, rights: rightsOf('registrar'), by, door: 'registrar-pages' }
  })
  after(() => data.drop())

  const addTwin = async () => {
    const partyId = newId()
    await data.owner`insert into party (id, kind, name, birth_date) values (${partyId}, 'person', 'Max Twin', '1990-01-01')`
    await data.owner`insert into mailbox (id, party_id) values (${newId()}, ${partyId})`
  }
  const twins = { by: 'person', name: 'Max Twin', birthDate: '1990-01-01' } as const

  test('shows twenty at most, and tells those whom it shows', async () => {
    for (let i = 0; i < foundMax + 2; i++) await addTwin()
    const search = await searchRecords(post.db, post.keys, registrar, { query: twins, reason }, now)
    assert.deepEqual([search.found.length, search.isCutOff], [foundMax, true])
    const [told] =
      await data.owner`select count(distinct party_id)::int as count from look where what = 'looked-up' and reason = ${reason}`
    assert.equal(told!.count, foundMax)
    await assert.rejects(viewFound(post.db, registrar, { searchId: search.searchId, place: foundMax }, now), {
      code: 'not-found',
    })
    for (const place of [-1, 0.5, Number.NaN])
      await assert.rejects(viewFound(post.db, registrar, { searchId: search.searchId, place }, now), { code: 'not-found' })
  })

  test('keeps that and why it was searched, and nothing of what was typed', async () => {
    await searchRecords(post.db, post.keys, registrar, { query: { ...twins, name: 'Nobody Known' }, reason: 'Why not' }, now)
    const [kept] = await data.owner`select * from record_search where reason = 'Why not'`
    assert.deepEqual([kept!.searchedBy, kept!.partyIds, kept!.registrarId], ['person', [], registrar.by.id])
    assert.doesNotMatch(JSON.stringify(kept), /Nobody Known|1990/)
  })

  test('does not show public bodies', async () => {
    const query = { by: 'business', name: 'Northfold Council' } as const
    assert.deepEqual((await searchRecords(post.db, post.keys, registrar, { query, reason }, now)).found, [])
  })

  test('takes no viewing without a reason', async () => {
    const rosa = post.rosa.partyId
    const before = await data.owner`select count(*)::int from look where party_id = ${rosa}`
    await assert.rejects(startView(post.db, registrar, { partyId: rosa, reason: '' }, now))
    assert.deepEqual(await data.owner`select count(*)::int from look where party_id = ${rosa}`, before)
  })

  test('is for registrars: nobody else searches, begins or reads a viewing', async () => {
    const { viewId } = await startView(post.db, registrar, { partyId: post.rosa.partyId, reason }, now)
    assert.equal((await readRecord(post.db, registrar, viewId, now)).name, 'Rosa Example')
    const others = [post.rosa, post.council, post.clerk([post.serviceId])]
    for (const actor of others) {
      const denied = { code: 'scope-missing' }
      await assert.rejects(searchRecords(post.db, post.keys, actor, { query: twins, reason }, now), denied)
      await assert.rejects(startView(post.db, actor, { partyId: post.rosa.partyId, reason }, now), denied)
      await assert.rejects(findView(post.db, actor, viewId, now), denied)
      await assert.rejects(readRecord(post.db, actor, viewId, now), denied)
    }
  })
})
