import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { v4 as randomId } from 'uuid'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { type EmbeddedDatabase, startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { addressFor, bringRoles, connectOwner, deriveLogins } from '../src/database/roles.ts'

/**
 * Every test file has a database of its own, cloned from one that is migrated once: on the PostgreSQL that DATABASE_URL
 * names (its user may create databases), or on one started for the run.
 */
const serverVariable = 'TEST_DATABASE_SERVER'
const templateVariable = 'TEST_DATABASE_TEMPLATE'

/** Those of a demo, as tests run one. */
const logins = () => deriveLogins(readConfig({ DEMO: 'true' }).secretKey)

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
  const url = withDatabase(server, template)
  const owner = connectOwner(url, 1)
  await migrate(owner)
  await bringRoles(owner, url, logins())
  await owner.end()
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

export type TestDatabase = {
  /** Of the owner. */
  url: string
  /** As the program: held to its scope by row-level security. */
  database: Database
  /** As the owner, who sees everything: to look behind the program's back. */
  owner: Database
  drop: () => Promise<void>
}

/** A fresh, migrated, empty database. Call `drop` when the file's tests are done. */
export async function createTestDatabase(connections = 5): Promise<TestDatabase> {
  const server = process.env[serverVariable]
  if (!server) throw new Error('Run tests with --test-global-setup=test/setup.ts, as npm test does.')
  const name = `test_${randomId().replaceAll('-', '')}`
  const admin = connect(server, 1)
  await admin.unsafe(`create database ${name} template ${process.env[templateVariable]}`)
  const url = withDatabase(server, name)
  const database = connect(addressFor(url, logins().program), connections)
  const owner = connectOwner(url, 1)
  return {
    url,
    database,
    owner,
    drop: async () => {
      await Promise.all([database.end({ timeout: 2 }), owner.end({ timeout: 2 })])
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

/**
 * What is committed is put into the log when every transaction that was under way beside it has ended, those of other tests on the same
 * PostgreSQL too: waits until they have.
 */
export async function settle(owner: Database): Promise<void> {
  const [{ begun }] = (await owner`select pg_snapshot_xmax(pg_current_snapshot())::text as begun`) as unknown as [
    { begun: string },
  ]
  const isLeft = async () => {
    const [row] = await owner<
      { isLeft: boolean }[]
    >`select pg_snapshot_xmin(pg_current_snapshot())::text::numeric < ${begun} as is_left`
    return row!.isLeft
  }
  while (await isLeft()) await sleep(5)
}
