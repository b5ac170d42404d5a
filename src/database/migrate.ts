import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Database } from './connect.ts'

const folder = path.join(import.meta.dirname, 'migrations')

/** The numbered files, in order. They are never edited once they have landed. */
export function listMigrations(): { number: number; file: string }[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ number: Number(file.slice(0, 4)), file }))
  for (const [index, migration] of migrations.entries()) {
    if (migration.number !== index + 1)
      throw new Error(`Migrations are numbered without a gap: ${migration.file} is not number ${index + 1}.`)
  }
  return migrations
}

/**
 * Brings the database to what this program expects, and returns the files that it ran. Two at once wait for each other.
 * Throws where the database is newer than the program: an old program must not write to a schema that it does not know.
 */
export async function migrate(database: Database): Promise<string[]> {
  const migrations = listMigrations()
  return database.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtext('digital-post migrate'))`
    await sql`set local statement_timeout = 0`
    await sql`create table if not exists migration (number integer primary key, file text not null, applied_at timestamptz not null default now())`
    const applied = new Set((await sql<{ number: number }[]>`select number from migration`).map((row) => row.number))
    if (Math.max(0, ...applied) > migrations.length) {
      throw new Error('The database is newer than this program: start the newer program.')
    }
    const ran: string[] = []
    for (const { number, file } of migrations) {
      if (applied.has(number)) continue
      await sql.unsafe(readFileSync(path.join(folder, file), 'utf8'))
      await sql`insert into migration (number, file) values (${number}, ${file})`
      ran.push(file)
    }
    return ran
  })
}
