import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { connect, type Database } from '../src/database/connect.ts'
import { migrate } from '../src/database/migrate.ts'
import { connectOwner } from '../src/database/roles.ts'
import { deriveEvidenceKeys } from '../src/evidence/keys.ts'
import { sequence } from '../src/evidence/sequence.ts'
import { verifyReceipt } from '../src/evidence/verify.ts'
import { letter, turnsWithLog } from './bench-letter.ts'
import { eventsOf, loadLetters } from './load-letters.ts'
import { measure, openRequests, percentiles, print } from './measure.ts'
import { startProgram } from './program.ts'
import { letterDocument, sampleReceipt } from './sample-receipt.ts'
import { takeToken } from './server.ts'

const backlogLetters = 40_000
const lettersAtOnce = 500
/** How exactly it is known when a seal is there. */
const lookEveryMs = 10

/** What evidence costs, how soon it is there, and what it takes to check. `server` has the program's database; `database` is of who owns that. */
export async function measureEvidence(server: string, baseUrl: string, database: Database): Promise<void> {
  await measureCost(server, baseUrl, database)
  await measureInclusion(baseUrl, database)
  await measureVerifying()
  await measureBacklog(server)
}

async function openLetters(baseUrl: string, connections: number) {
  const headers = { authorization: `Bearer ${await takeToken({ baseUrl })}`, 'content-type': 'application/json' }
  return openRequests(connections, `${baseUrl}/v1/messages`, 'POST', headers, () => JSON.stringify(letter(false)))
}

/**
 * Beside the program, another one on a database of its own on the same server, in which no event is ever put into the log: without the column's
 * default there is nothing to put in, and without the two indexes nothing to keep for it. What is left there of evidence is the column
 * `facts` itself, written with the acceptance, and the digests in it.
 */
async function measureCost(server: string, baseUrl: string, database: Database): Promise<void> {
  const url = await createDatabase(server, 'without_evidence')
  const without = await startProgram({ DATABASE_URL: url, LOG_BEAT_MS: '60000' })
  try {
    const owner = connect(url, 1)
    await owner`alter table event alter xid drop default`
    await owner`drop index event_xid, event_message`
    await owner.end()
    for (const connections of [8, 64]) {
      const [bare, whole] = [await openLetters(without.baseUrl, connections), await openLetters(baseUrl, connections)]
      const [other, figures] = await measure(connections, [bare.send, whole.send], turnsWithLog(database))
      bare.close()
      whole.close()
      print(`Accept a letter over HTTP without its log, ${connections} connections`, other!)
      print(`Accept a letter over HTTP, each sealed within seconds, ${connections} connections`, figures!, other!.rate)
    }
  } finally {
    await without.end('SIGTERM')
  }
}

/** From the moment of acceptance until the seal is committed, of each letter. */
async function measureInclusion(baseUrl: string, database: Database): Promise<void> {
  const letters = await openLetters(baseUrl, 8)
  const seen = new Map<string, number>()
  let isOver = false
  const look = async () => {
    let last = '0'
    while (!isOver) {
      const sizes = await database<{ size: string }[]>`select size from log_checkpoint where size > ${last} order by size`
      for (const { size } of sizes) seen.set(size, Date.now())
      last = sizes.at(-1)?.size ?? last
      await sleep(lookEveryMs)
    }
  }
  await turnsWithLog(database).settle()
  const began = new Date()
  const looking = look()
  const [figures] = await measure(8, [letters.send])
  await turnsWithLog(database).settle()
  await sleep(2 * lookEveryMs)
  isOver = true
  await looking
  letters.close()
  const included = await database<{ at: Date; size: string }[]>`
    select event.at, seal.size from event join evidence_seal seal using (position) where event.type = 'message.accepted' and event.at >= ${began}`
  print('From accepted to sealed in the log, 8 connections', {
    rate: figures!.rate,
    ...percentiles(included.map(({ at, size }) => seen.get(size)! - at.getTime())),
  })
}

async function measureVerifying(): Promise<void> {
  const { file, trusted } = await sampleReceipt()
  const documents = [{ name: 'bill.pdf', bytes: letterDocument }]
  const verify = async () => {
    if (!verifyReceipt(file, documents, trusted).isValid) throw new Error('a receipt was not valid')
  }
  const [figures] = await measure(1, [verify])
  print('Verify a receipt and a document, one after another', figures!)
}

/** Of what came in while nothing was sealed. The times are those of batches. */
async function measureBacklog(server: string): Promise<void> {
  const url = await createDatabase(server, 'backlog')
  const database = connectOwner(url, 4)
  await migrate(database)
  const load = { serviceId: newId(), organisationId: newId(), mailboxId: newId(), recipientName: 'Rosa Example' }
  for (let first = 0; first < backlogLetters; first += lettersAtOnce) await loadLetters(database, load, first, lettersAtOnce)
  const keys = deriveEvidenceKeys(Buffer.alloc(32, 7))
  const issuer = { name: 'Digital Post', uri: 'https://post.example', people: 'p', staff: 's', systems: 'y' }
  const options = { origin: 'post.example/log', issuer, isAttested: true }
  const times: number[] = []
  let sealed = 0
  const began = performance.now()
  for (let start = began; ; start = performance.now()) {
    const count = await sequence(database, keys, options, new Date())
    if (count === 0) break
    sealed += count
    times.push(performance.now() - start)
  }
  const rate = sealed / ((performance.now() - began) / 1_000)
  if (sealed !== eventsOf(backlogLetters)) throw new Error(`${sealed} events were sealed`)
  print(`Seal events from a backlog of ${sealed}, one sequencer, its batches`, { rate, ...percentiles(times) })
  await database.end()
}

/** The address of a new, empty database on the same server. */
export async function createDatabase(server: string, name: string): Promise<string> {
  const admin = connect(server, 1)
  await admin.unsafe(`create database ${name}`)
  await admin.end()
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
