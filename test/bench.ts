import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { open } from '../src/mailbox/open.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { lookUpRecipients } from '../src/registry/look-up.ts'
import { measureBulk, measureStream } from './bench-bulk.ts'
import { createDatabase, measureEvidence } from './bench-evidence.ts'
import { measureGrowth } from './bench-growth.ts'
import { insertBare, letter, turnsWithLog } from './bench-letter.ts'
import { measureSearch } from './bench-search.ts'
import { fillLargeWorld, linkOf } from './large-world.ts'
import { measure, openRequests, print, printHead, secondsEach } from './measure.ts'
import { type Program, startProgram } from './program.ts'
import { takeToken } from './server.ts'
import { signInRosa } from './signed-in.ts'

/**
 * Measures what a sender and a reader wait for, all in one run on one machine, so that the ratios mean something where the
 * rates do not. The program runs as a process of its own, with a PostgreSQL that really writes to the disk; the client and
 * the bare inserts run here. `npm run bench -- 2` measures two seconds each (default 5); `npm run bench -- 2 evidence` one part only.
 * `npm run bench -- 2 growth 10000000` grows to ten million letters (default one), and is run only where it is asked for: that takes 30 GB.
 */
const parts = ['accept', 'bulk', 'read', 'evidence', 'large', 'search', 'growth', 'sustained'] as const
const lettersInMailbox = 200

/** The bare rows go into a database of their own, with the same tables, so that the program does not seal what it has not accepted. */
async function measureAccept(server: string, baseUrl: string, database: Database): Promise<void> {
  const bareUrl = await createDatabase(server, 'bare')
  const owner = connectOwner(bareUrl, 1)
  await migrate(owner)
  await owner.end()
  const bareDatabase = connect(bareUrl, 64)
  const token = await takeToken({ baseUrl })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (const withPdf of [false, true]) {
    for (const connections of [1, 8, 64]) {
      const letters = openRequests(connections, `${baseUrl}/v1/messages`, 'POST', headers, () => JSON.stringify(letter(withPdf)))
      const works = [() => insertBare(bareDatabase, withPdf), letters.send]
      const [bare, accepted] = await measure(connections, works, turnsWithLog(database))
      letters.close()
      const what = `${withPdf ? ', with a 50 kB PDF' : ''}, ${connections} connection${connections > 1 ? 's' : ''}`
      print(`Insert the same rows bare${what}`, bare!)
      print(`Accept a letter over HTTP${what}`, accepted!, bare!.rate)
    }
  }
  await bareDatabase.end()
}

const largeWorld = { parties: 100_000, letters: 1_000_000 }

/** What row-level security costs, and looking up recipients, where there is a town's post. */
async function measureLargeWorld(url: string): Promise<void> {
  const config = readConfig({ DEMO: 'true' })
  const keys = deriveIdentifierKeys(config.secretKey)
  const owner = connectOwner(url, 1)
  const began = performance.now()
  const { serviceId, readers, letterIds } = await fillLargeWorld(owner, keys, largeWorld)
  await owner.end()
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`\n${largeWorld.parties} parties and ${largeWorld.letters} letters (filled in ${seconds} s)\n`)
  printHead()
  // A pool each, both new and of the same size.
  const program = connect(addressFor(url, deriveLogins(config.secretKey).program), 8)
  const superuser = connect(url, 8)
  const pick = () => Math.floor(Math.random() * readers.length)
  const list = (db: Database) => () => listInbox(db, readers[pick()]!, 1)
  const openOne = (db: Database) => async () => {
    const place = pick()
    await open(db, readers[place]!, letterIds[place]!, new Date())
  }
  // The owner of an embedded PostgreSQL is a superuser, whom no policy binds: the same queries, without them.
  for (const [name, read] of [
    ['List an inbox, the query alone', list],
    ['Open a letter, the query alone', openOne],
  ] as const) {
    const [without, held] = await measure(8, [read(superuser), read(program)])
    print(`${name}, without row-level security, 8 at once`, without!)
    print(`${name}, held to its scope, 8 at once`, held!, without!.rate)
  }
  const system: Actor = {
    ...readers[0]!,
    isOrganisation: true,
    rights: rightsOf('system', [serviceId]),
    by: { kind: 'system', id: 'bench', name: 'bench' },
  }
  const lookUp = (count: number) => () => {
    const identifiers = Array.from({ length: count }, () => linkOf(Math.floor(Math.random() * largeWorld.parties * 1.1)))
    return lookUpRecipients(program, keys, system, { serviceId, identifiers }, new Date())
  }
  for (const [count, connections] of [
    [1, 8],
    [10_000, 1],
  ] as const) {
    const [figures] = await measure(connections, [lookUp(count)])
    print(`Look up ${count} recipient${count > 1 ? 's' : ''}, with the record of it, ${connections} at once`, figures!)
  }
  await Promise.all([program.end(), superuser.end()])
}

/** One program has one thread for pages: on two cores there is room for another, in front of the same database. */
async function measureReading(server: string, { baseUrl }: Program, database: Database): Promise<void> {
  const token = await takeToken({ baseUrl })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (let sent = 0; sent < lettersInMailbox; sent += 1) {
    const body = JSON.stringify({ ...letter(false), recipient: { scheme: 'link', value: 'CT-1001' } })
    const answer = await fetch(`${baseUrl}/v1/messages`, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(`a letter was not accepted: ${answer.status}`)
  }
  const { cookie, actor, letterId } = await signInRosa(database)
  const inbox = openRequests(8, `${baseUrl}/inbox`, 'GET', { cookie })
  const page = openRequests(8, `${baseUrl}/letters/${letterId}`, 'GET', { cookie })
  const other = await startProgram({ DATABASE_URL: server })
  const inboxes = [baseUrl, other.baseUrl].map((each) => openRequests(4, `${each}/inbox`, 'GET', { cookie }))
  const works: [string, (line: number) => Promise<unknown>][] = [
    ['List an inbox, the query alone', () => listInbox(database, actor, 1)],
    ['List an inbox, the page', inbox.send],
    ['List an inbox, the page, by two programs', (line) => inboxes[line % 2]!.send(Math.floor(line / 2))],
    ['Open a letter, the query alone', () => open(database, actor, letterId, new Date())],
    ['Open a letter, the page', page.send],
  ]
  const measured = await measure(
    8,
    works.map(([, work]) => work),
  )
  for (const [index, [name]] of works.entries()) print(`${name}, 8 at once`, measured[index]!)
  for (const requests of [inbox, page, ...inboxes]) requests.close()
  await other.end('SIGTERM')
}

const part = process.argv[3]
if (part !== undefined && !(parts as readonly string[]).includes(part)) {
  console.error(`There is no part ${part}. The parts are ${parts.join(', ')}.`)
  process.exit(1)
}
const lettersMax = Number(process.argv[4] ?? 1_000_000)
const isMeasured = (name: (typeof parts)[number]) => part === undefined || part === name
const directory = mkdtempSync(path.join(tmpdir(), 'dp-bench-'))
const embedded = await startEmbedded(directory, ['max_connections=300'])
const database = connect(embedded.url, 8)
try {
  const program = await startProgram({ DATABASE_URL: embedded.url })
  try {
    const [{ version } = { version: '' }] = await database<{ version: string }[]>`select split_part(version(), ' ', 2) as version`
    console.log(
      `Node ${process.versions.node}, PostgreSQL ${version}, ${cpus().length} cores shared by client, program and database; ${secondsEach} s each\n`,
    )
    printHead()
    if (isMeasured('accept')) await measureAccept(embedded.url, program.baseUrl, database)
    if (isMeasured('bulk')) await measureBulk(program, database)
    if (isMeasured('read')) await measureReading(embedded.url, program, database)
    if (isMeasured('evidence')) await measureEvidence(embedded.url, program.baseUrl, database)
    if (isMeasured('large')) await measureLargeWorld(embedded.url)
    if (isMeasured('search')) await measureSearch(embedded.url)
    if (part === 'sustained') await measureStream(program, database, false)
    if (part === 'growth') await measureGrowth(embedded.url, program.baseUrl, lettersMax)
  } finally {
    await program.end('SIGTERM')
  }
} finally {
  await database.end({ timeout: 2 })
  await embedded.stop()
  rmSync(directory, { recursive: true, force: true })
}
