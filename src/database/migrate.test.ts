import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { connect, type Database } from './connect.ts'
import { listMigrations, migrate } from './migrate.ts'

const files = listMigrations().map(({ file }) => file)

describe('migrating', () => {
  let test_: TestDatabase
  let database: Database
  before(async () => {
    test_ = await createTestDatabase()
    database = test_.owner
  })
  beforeEach(() => database.unsafe('drop schema public cascade; create schema public'))
  after(() => test_.drop())

  const tables = async () =>
    (
      await database<
        { name: string }[]
      >`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`
    ).map(({ name }) => name)

  test('brings an empty database to what the program expects, once', async () => {
    assert.deepEqual(await migrate(database), files)
    const made = await tables()
    assert.ok(made.includes('message') && made.includes('migration'))
    await database`insert into party (id, kind, name) values (gen_random_uuid(), 'person', 'Rosa')`
    assert.deepEqual(await migrate(database), [])
    assert.deepEqual(await tables(), made)
    assert.equal((await database`select from party`).length, 1, 'what was there stays')
  })

  test('by two programs at once is done by one of them', async () => {
    const others = [connect(test_.url, 1), connect(test_.url, 1)]
    try {
      const ran = await Promise.all([database, ...others].map(migrate))
      assert.deepEqual(ran.flat(), files)
    } finally {
      await Promise.all(others.map((other) => other.end()))
    }
  })

  test('leaves a database alone that is newer than the program', async () => {
    await migrate(database)
    await database`insert into migration (number, file) values (${files.length + 1}, 'of_a_newer_program.sql')`
    await assert.rejects(migrate(database), { message: 'The database is newer than this program: start the newer program.' })
  })

  test('that fails leaves nothing half done', async () => {
    await database`create table message (mine text)`
    await assert.rejects(migrate(database), /relation "message" already exists/)
    assert.deepEqual(await tables(), ['message'])
  })
})
