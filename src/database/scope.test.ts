import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { readWithin, type Scope, within, writeWithin } from './scope.ts'

describe('isolation by the database', () => {
  let test_: TestDatabase
  const [rosa, arthur] = [newId(), newId()]
  before(async () => {
    test_ = await createTestDatabase()
    await test_.owner`
      insert into party (id, kind, name) values (${rosa}, 'person', 'Rosa Example'), (${arthur}, 'person', 'Arthur Sample')`
  })
  after(() => test_.drop())

  const names = (scope: Scope) =>
    readWithin<{ name: string }>(test_.database, scope, test_.database`select name from party order by name`)

  test('is on and forced for every table, and each has a policy for the program', async () => {
    const tables = await test_.owner<{ name: string; isOn: boolean; isForced: boolean; policies: string }[]>`
      select relname as name, relrowsecurity as is_on, relforcerowsecurity as is_forced,
             (select count(*) from pg_policy where polrelid = pg_class.oid and polname <> 'upkeep') as policies
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`
    assert.ok(tables.length > 20)
    const open = tables.filter(({ isOn, isForced, policies }) => !isOn || !isForced || policies === '0')
    assert.deepEqual(open, [], 'Give each of these tables its policies, in the migration that makes it.')
  })

  test('binds the role that the program logs in as, which owns nothing and may pass over nothing', async () => {
    const [role] = await test_.database`
      select rolsuper as is_super, rolbypassrls as passes_over, rolcreaterole as makes_roles, rolcreatedb as makes_databases,
             (select count(*)::int from pg_class where relowner = pg_roles.oid) as owns,
             pg_has_role(current_user, (select relowner from pg_class where oid = 'message'::regclass), 'member') as is_owner
      from pg_roles where rolname = current_user`
    const nothing = { isSuper: false, passesOver: false, makesRoles: false, makesDatabases: false, owns: 0, isOwner: false }
    assert.deepEqual({ ...role }, nothing)
  })

  test('shows nothing of anybody where no scope is set', async () => {
    const tables = ['party', 'mailbox', 'message', 'file', 'ledger', 'event', 'link', 'session', 'access_grant', 'client', 'look']
    for (const table of tables) {
      const rows = await test_.database`select from ${test_.database(table)}`
      assert.equal(rows.length, 0, table)
    }
  })

  test('shows what a scope says, and nothing after it', async () => {
    assert.deepEqual(await names({ party: rosa }), [{ name: 'Rosa Example' }])
    assert.deepEqual(await names({}), [])
    const { database } = test_
    assert.deepEqual([...(await database`select name from party`)], [])
    await within(database, { party: arthur }, async (sql) => {
      assert.deepEqual([...(await sql`select name from party`)], [{ name: 'Arthur Sample' }])
    })
    assert.deepEqual([...(await database`select name from party`)], [])
  })

  test('goes back to the scope before where one stands in another, also where that fails', async () => {
    await within(test_.database, { party: rosa }, async (sql) => {
      const inner = within(sql, { party: arthur }, async (deeper) => {
        assert.deepEqual([...(await deeper`select name from party`)], [{ name: 'Arthur Sample' }])
        throw new Error('as meant')
      })
      await assert.rejects(inner, /as meant/)
      assert.deepEqual([...(await sql`select name from party`)], [{ name: 'Rosa Example' }])
      const several = [rosa, arthur, rosa].map((party) =>
        readWithin<{ name: string }>(sql, { party }, sql`select name from party`),
      )
      const found = (await Promise.all(several)).map(([row]) => row?.name)
      assert.deepEqual(found, ['Rosa Example', 'Arthur Sample', 'Rosa Example'], 'several at once do not mix')
    })
  })

  test('lets a statement change only what its scope says', async () => {
    const rename = (scope: Scope) =>
      writeWithin<{ name: string }>(
        test_.database,
        scope,
        (sql, setsScope) => sql`
          with scope as materialized (select ${setsScope})
          insert into party (id, kind, name) select ${newId()}, 'person', 'Somebody' from scope returning name`,
      )
    await assert.rejects(rename({ party: rosa }), /row-level security/)
    assert.deepEqual([...(await rename({ purpose: 'registry' }))], [{ name: 'Somebody' }])
  })
})
