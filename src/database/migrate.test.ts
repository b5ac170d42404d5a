import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
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

  /** As a program of that time left it. */
  const migrateTo = async (last: number) => {
    await database`create table migration (number integer primary key, file text not null, applied_at timestamptz not null default now())`
    for (const { number, file } of listMigrations().slice(0, last)) {
      await database.unsafe(readFileSync(path.join(import.meta.dirname, 'migrations', file), 'utf8'))
      await database`insert into migration (number, file) values (${number}, ${file})`
    }
  }

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

  test('makes a code of each reason that was written down as a sentence', async () => {
    const rowFaults: Record<string, object> = {
      'This is empty.': { code: 'empty' },
      'This is a formula. Save the file with the values in its place.': { code: 'formula' },
      'The spreadsheet shows an error here.': { code: 'spreadsheet-error' },
      'The spreadsheet has shortened this number. Make the column a column of text, and enter it again.': {
        code: 'number-shortened',
      },
      'A letter of your service has this reference already.': { code: 'reference-of-letter' },
      'This row has 5 cells, and the first row has 4. A cell with a comma in it needs quotation marks around it.': {
        code: 'cell-count',
        cells: 5,
        columns: 4,
      },
      'Your service uses no such kind of identifier. Use link or nino.': { code: 'scheme-not-allowed', allowed: 'link, nino' },
      'This does not have the form of a National Insurance number.': {
        code: 'identifier-form',
        scheme: 'National Insurance number',
      },
      'The check digit of this NHS number is wrong.': { code: 'identifier-check-digit', scheme: 'NHS number' },
      'This is longer than 128 characters.': { code: 'too-long', max: 128 },
      'With these values the subject is longer than 256 characters.': { code: 'subject-too-long', max: '256' },
      'With these values the letter is longer than 100,000 characters.': { code: 'letter-too-long', max: '100,000' },
      'This is the reference of row 12 too.': { code: 'reference-repeated', row: 12 },
      'This is the recipient of row 2 too.': { code: 'recipient-repeated', row: 2 },
    }
    const failures: Record<string, object> = {
      'The address is not allowed.': { code: 'address-not-allowed' },
      'The address leads to a network that is not public.': { code: 'network-not-public' },
      'The receiver could not be reached (no reason given).': { code: 'not-reached' },
      'The receiver could not be reached (ECONNRESET).': { code: 'not-reached-because', reason: 'ECONNRESET' },
      'The receiver did not answer within 10 seconds.': { code: 'no-answer', seconds: 10 },
      'The receiver answered 500.': { code: 'answered', status: 500 },
    }
    await migrateTo(26)
    await database`
      insert into mailing_error (sender_id, file_id, row, ordinal, message)
      select gen_random_uuid(), gen_random_uuid(), row, 0, message
      from unnest(${Object.keys(rowFaults)}::text[]) with ordinality as said (message, row)`
    await database`
      insert into webhook_delivery (service_id, position, event_id, message_id, due_at, failure)
      select gen_random_uuid(), position, gen_random_uuid(), gen_random_uuid(), now(), failure
      from unnest(${[...Object.keys(failures), null] as string[]}::text[]) with ordinality as said (failure, position)`
    await migrate(database)
    const found = await database<{ fault: object }[]>`select fault from mailing_error order by row`
    assert.deepEqual(
      found.map(({ fault }) => fault),
      Object.values(rowFaults),
    )
    const failed = await database<{ failure: object }[]>`select failure from webhook_delivery order by position`
    assert.deepEqual(
      failed.map(({ failure }) => failure),
      [...Object.values(failures), null],
    )
  })

  test('that fails leaves nothing half done', async () => {
    await database`create table message (mine text)`
    await assert.rejects(migrate(database), /relation "message" already exists/)
    assert.deepEqual(await tables(), ['message'])
  })
})
