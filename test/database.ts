import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { v4 as randomId } from 'uuid'
import { connect, type Database } from '../src/database/connect.ts'
import { type EmbeddedDatabase, startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'

/**
 * Every test file has a database of its own, cloned from one that is migrated once: on the PostgreSQL that DATABASE_URL
 * names (its user may create databases), or on one started for the run.
 */
const serverVariable = 'TEST_DATABASE_SERVER'
const templateVariable = 'TEST_DATABASE_TEMPLATE'

let embedded: EmbeddedDatabase | undefined
let directory: string | undefined

export async function startDatabase(): Promise<void> {
  let server = process.env.DATABASE_URL
  if (!server) {
    directory = mkdtempSync(path.join(tmpdir(), 'dp-'))
    embedded = await startEmbedded(directory, [
      'fsync=off',
      'synchronous_commit=off',
      'full_page_writes=off',
      'max_connections=300',
    ])
    server = embedded.url
  }
  const template = `template_${randomId().replaceAll('-', '')}`
  const admin = connect(server, 1)
  await admin.unsafe(`create database ${template}`)
  await admin.end()
  const database = connect(withDatabase(server, template), 1)
  await migrate(database)
  await database.end()
  process.env[serverVariable] = server
  process.env[templateVariable] = template
  // Tests say themselves which database they mean.
  delete process.env.DATABASE_URL
}

export async function stopDatabase(): Promise<void> {
  const admin = connect(process.env[serverVariable]!, 1)
  await admin.unsafe(`drop database if exists ${process.env[templateVariable]}`)
  await admin.end()
  await embedded?.stop()
  if (directory) rmSync(directory, { recursive: true, force: true })
}

export type TestDatabase = { url: string; database: Database; drop: () => Promise<void> }

/** A fresh, migrated, empty database. Call `drop` when the file's tests are done. */
export async function createTestDatabase(connections = 5): Promise<TestDatabase> {
  const server = process.env[serverVariable]
  if (!server) throw new Error('Run tests with --test-global-setup=test/setup.ts, as npm test does.')
  const name = `test_${randomId().replaceAll('-', '')}`
  const admin = connect(server, 1)
  await admin.unsafe(`create database ${name} template ${process.env[templateVariable]}`)
  const url = withDatabase(server, name)
  const database = connect(url, connections)
  return {
    url,
    database,
    drop: async () => {
      await database.end({ timeout: 2 })
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
