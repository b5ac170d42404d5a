import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { startEmbedded } from '../src/database/embedded.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { open } from '../src/mailbox/open.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { lookUpRecipients } from '../src/registry/look-up.ts'
import { openConnection } from './http-client.ts'
import { fillLargeWorld, linkOf } from './large-world.ts'
import { startProgram } from './program.ts'
import { takeToken } from './server.ts'
import { signInRosa } from './signed-in.ts'

/**
 * Measures what a sender and a reader wait for, all in one run on one machine, so that the ratios mean something where the
 * rates do not. The program runs as a process of its own, with a PostgreSQL that really writes to the disk; the client and
 * the bare inserts run here. `npm run bench -- 2` measures two seconds each (default 5).
 */
const secondsEach = Number(process.argv[2] ?? 5)
const bodyText = 'You can pay by Direct Debit, by card or at a post office. '.repeat(30).slice(0, 1_700)
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(50 * 1024 - 15, 'x'), Buffer.from('\n%%EOF')])
const lettersInMailbox = 200

type Figures = { rate: number; p50: number; p95: number; p99: number }

/** One line of the table; `bare` is the rate of the same rows inserted by the same driver at the same concurrency. */
function print(name: string, { rate, p50, p95, p99 }: Figures, bare?: number): void {
  const cells = [name.padEnd(64), rate.toFixed(0).padStart(8), ...[p50, p95, p99].map((ms) => ms.toFixed(2).padStart(8))]
  console.log(`| ${cells.join(' | ')} | ${(bare ? `${((100 * rate) / bare).toFixed(0)} %` : '').padStart(6)} |`)
}

function printHead(): void {
  console.log(`| ${'what'.padEnd(64)} |  per s   |  p50 ms  |  p95 ms  |  p99 ms  | ratio  |`)
  console.log(`|${'-'.repeat(66)}|---------:|---------:|---------:|---------:|-------:|`)
}

function percentiles(timesMs: number[]): Omit<Figures, 'rate'> {
  const sorted = timesMs.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

type Work = (line: number) => Promise<unknown>

/** Not counted: code is compiled and plans are made while it is first run, in the program as in here. */
const warmUpMs = 1_000
const sliceMs = 500

/** Runs each `work` again and again in `concurrency` lines at once, in turn, a slice of time each: a machine that others share is not the same from one second to the next. */
async function measure(concurrency: number, works: readonly Work[]): Promise<Figures[]> {
  const times = works.map((): number[] => [])
  const elapsedMs = works.map(() => 0)
  const runSlice = async (index: number, forMs: number) => {
    const began = performance.now()
    const run = async (_: unknown, line: number) => {
      while (performance.now() - began < forMs) {
        const start = performance.now()
        await works[index]!(line)
        times[index]!.push(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, run))
    elapsedMs[index]! += performance.now() - began
  }
  for (const index of works.keys()) await runSlice(index, warmUpMs)
  for (const index of works.keys()) [times[index], elapsedMs[index]] = [[], 0]
  for (let slice = 0; slice * sliceMs < secondsEach * 1000; slice += 1)
    for (const index of works.keys()) await runSlice(index, sliceMs)
  return works.map((_, index) => ({ rate: times[index]!.length / (elapsedMs[index]! / 1000), ...percentiles(times[index]!) }))
}

/** Connections that each send one kind of request. Every answer must be a success, or the figure would be worth nothing. */
function openRequests(connections: number, url: string, method: string, headers: Record<string, string>, body?: () => string) {
  const open = Array.from({ length: connections }, () => openConnection(url, method, headers))
  return {
    send: async (line: number) => {
      const status = await open[line]!.send(body?.())
      if (status >= 300) throw new Error(`an answer was no success: ${status}`)
    },
    close: () => {
      for (const connection of open) connection.close()
    },
  }
}

function letter(documents: boolean) {
  return {
    reference: newId(),
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1002' },
    subject: 'Your council tax bill for 2026 to 2027',
    content: [{ language: 'en', body: bodyText }],
    ...(documents
      ? {
          documents: [
            { role: 'main', files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf.toString('base64') }] },
          ],
        }
      : {}),
  }
}

async function measureAccept(baseUrl: string, database: Database): Promise<void> {
  const token = await takeToken({ baseUrl })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (const withPdf of [false, true]) {
    for (const connections of [1, 8, 64]) {
      const letters = openRequests(connections, `${baseUrl}/v1/messages`, 'POST', headers, () => JSON.stringify(letter(withPdf)))
      const [bare, accepted] = await measure(connections, [() => insertBare(database, withPdf), letters.send])
      letters.close()
      const what = `${withPdf ? ', with a 50 kB PDF' : ''}, ${connections} connection${connections > 1 ? 's' : ''}`
      print(`Insert the same rows bare${what}`, bare!)
      print(`Accept a letter over HTTP${what}`, accepted!, bare!.rate)
    }
  }
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

/** The rows of one letter, in one statement, and nothing else: no look-up, no check, no second try. */
async function insertBare(database: Database, withPdf: boolean): Promise<void> {
  const [id, mailboxId, senderId, fileId] = [newId(), newId(), newId(), newId()]
  const now = new Date()
  const content = [{ language: 'en', subject: 'Your council tax bill for 2026 to 2027', body: bodyText }]
  const documents = withPdf
    ? [
        {
          role: 'main',
          title: 'bill.pdf',
          files: [{ id: fileId, filename: 'bill.pdf', mediaType: 'application/pdf', size: pdf.length, sha256: 'e'.repeat(64) }],
        },
      ]
    : []
  await database`
    with one as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at)
      values (${senderId}, ${id}, ${id}, ${Buffer.alloc(32)}, ${mailboxId}, ${id}, ${now}, ${now})
    ),
    ${withPdf ? database`bytes as (insert into file (mailbox_id, id, message_id, bytes) values (${mailboxId}, ${fileId}, ${id}, ${pdf})),` : database``}
    two as (
      insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject,
                           content, documents, reply_allowed, door, available_at, modseq)
      values (${mailboxId}, ${id}, ${id}, ${senderId}, ${senderId}, ${senderId}, 'Northfold Council', 'Council tax', 'Your council tax bill',
              ${database.json(content)}, ${database.json(documents)}, false, 'demo', ${now}, 1)
    )
    insert into event (sender_id, type, message_id, reference, at)
    values (${senderId}, 'message.accepted', ${id}, ${id}, ${now}), (${senderId}, 'message.available', ${id}, ${id}, ${now})`
}

async function measureReading(baseUrl: string, database: Database): Promise<void> {
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
  const works = [() => listInbox(database, actor, 1), inbox.send, () => open(database, actor, letterId, new Date()), page.send]
  const names = [
    'List an inbox, the query alone',
    'List an inbox, the page',
    'Open a letter, the query alone',
    'Open a letter, the page',
  ]
  for (const [index, figures] of (await measure(8, works)).entries()) print(`${names[index]}, 8 at once`, figures)
  inbox.close()
  page.close()
}

const directory = mkdtempSync(path.join(tmpdir(), 'dp-bench-'))
const embedded = await startEmbedded(directory, ['max_connections=200'])
const database = connect(embedded.url, 64)
try {
  const program = await startProgram({ DATABASE_URL: embedded.url })
  try {
    const [{ version } = { version: '' }] = await database<{ version: string }[]>`select split_part(version(), ' ', 2) as version`
    console.log(
      `Node ${process.versions.node}, PostgreSQL ${version}, ${cpus().length} cores shared by client, program and database; ${secondsEach} s each\n`,
    )
    printHead()
    await measureAccept(program.baseUrl, database)
    await measureReading(program.baseUrl, database)
    await measureLargeWorld(embedded.url)
  } finally {
    await program.end('SIGTERM')
  }
} finally {
  await database.end({ timeout: 2 })
  await embedded.stop()
  rmSync(directory, { recursive: true, force: true })
}
