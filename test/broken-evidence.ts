import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from '../src/access/actor.ts'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import type { Submission } from '../src/delivery/message.ts'
import type { AuditKeys } from '../src/evidence/audit.ts'
import { deriveEvidenceKeys, logVerifierKeys } from '../src/evidence/keys.ts'
import { type SequenceOptions, sequence } from '../src/evidence/sequence.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import type { TestDatabase } from './database.ts'
import { drain } from './judge-evidence.ts'
import { randomFrom } from './kill-programs.ts'
import { buildPost } from './post.ts'
import { patienceMs } from './until.ts'

/**
 * Programs that write letters and evidence as ours does, by the same code, but for one thing: the events of a letter are committed after
 * the letter; or the sequencer's cursor before its batch, or after it. And one in which nothing is broken.
 */
export type Broken = 'nothing' | 'event-apart' | 'cursor-before' | 'cursor-after'

const secret = Buffer.alloc(32, 7)
const evidenceKeys = deriveEvidenceKeys(secret)
const options: SequenceOptions = {
  origin: 'post.example/log',
  issuer: { name: 'Digital Post', uri: 'https://post.example', people: 'p', staff: 's', systems: 'y' },
  isAttested: false,
}
export const brokenKeys: AuditKeys = {
  sealKeys: evidenceKeys.sealKeys,
  logKeys: logVerifierKeys(evidenceKeys, options.origin),
}

const writers = 4
/** A log that is broken may be so for good, which the judge says. */
const brokenDrainMs = 2_000
/** As on a disk that is slow, between two commits: a kill falls into it sooner or later where it can. */
const betweenMs = 300
/** It is killed while it does one of so many turns, however long they take it. */
const turnsMax = 4
/** Where nothing can be done in the log any more, there is no turn. */
const turnsWaitMs = 10_000

/** What the process is handed: the world was made before it. */
type World = { broken: Broken; url: string; council: Omit<Actor, 'rights'>; rights: [string, unknown][]; letter: Submission }

/**
 * Makes a world for such a program. `runAndKill` lets the program run in it and kills it at a moment that nobody has chosen; then our
 * own sequencer does what can be done.
 */
export async function openBroken(test: TestDatabase, broken: Broken, seed: number): Promise<{ runAndKill: () => Promise<void> }> {
  const random = randomFrom(seed)
  const post = await buildPost(test, secret)
  const { rights, ...council } = post.council
  const world: World = { broken, url: test.url, council, rights: [...rights], letter: post.letter('') }
  const runAndKill = async () => {
    const child = spawn(process.execPath, [import.meta.filename], {
      env: { PATH: process.env.PATH, BROKEN_WORLD: JSON.stringify(world) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    const turns = 1 + Math.floor(turnsMax * random())
    await Promise.race([countLines(child.stdout, turns), ended, sleep(turnsWaitMs, undefined, { ref: false })])
    await sleep((betweenMs / 3) * random())
    child.kill('SIGKILL')
    await ended
    // What was killed may take a moment to end, and so may the transactions of other tests.
    await drain(test.owner, broken.startsWith('cursor') ? brokenDrainMs : patienceMs, () =>
      sequence(post.db, evidenceKeys, options, new Date()).catch(() => {}),
    )
  }
  return { runAndKill }
}

async function countLines(output: Readable, wanted: number): Promise<void> {
  let count = 0
  for await (const _ of createInterface(output)) if (++count >= wanted) return
}

const sayTurn = () => console.log('turn')

/** Between two commits that must be one. */
async function pause(): Promise<void> {
  sayTurn()
  await sleep(betweenMs)
}

/** Never ends by itself. */
async function run({ broken, url, council, rights, letter }: World): Promise<void> {
  const { program } = deriveLogins(readConfig({ DEMO: 'true' }).secretKey)
  const [db, owner] = [connect(addressFor(url, program), 8), connectOwner(url, 8)]
  const actor = { ...council, rights: new Map(rights) } as unknown as Actor
  const keys = deriveIdentifierKeys(secret)
  const acceptNext = async (reference: string) => {
    const one = { ...letter, reference: `${process.pid}-${reference}` }
    if (broken === 'event-apart')
      await acceptInTwo(owner, async (sql) => void (await acceptOne(sql, keys, actor, one, new Date())))
    else await acceptOne(db, keys, actor, one, new Date())
  }
  const sequenceNext = async () => {
    if (broken === 'cursor-before') await sequenceAfterCursor(owner)
    else if (broken === 'cursor-after') await sequenceBeforeCursor(owner)
    else await sequence(db, evidenceKeys, options, new Date()).then(sayTurn)
  }
  await acceptNext('first')
  // Where this fails, it does so for good.
  const isSequencing = await sequenceNext().then(
    () => true,
    () => false,
  )
  const write = async (_: unknown, line: number) => {
    for (let count = 0; ; count += 1) await acceptNext(`${line}-${count}`)
  }
  const keepSequencing = async () => {
    while (isSequencing) await sequenceNext()
  }
  await Promise.all([...Array.from({ length: writers }, write), keepSequencing().catch(() => {})])
}

async function acceptInTwo(owner: Database, accept: (sql: Database) => Promise<void>): Promise<void> {
  const events = await owner.begin(async (sql) => {
    await accept(sql as unknown as Database)
    return sql`
      delete from event where xid = pg_current_xact_id()::text::bigint
      returning sender_id, type, message_id, reference, at, facts`
  })
  await pause()
  for (const { senderId, type, messageId, reference, at, facts } of events) {
    await owner`
      insert into event (sender_id, type, message_id, reference, at, facts)
      values (${senderId}, ${type}, ${messageId}, ${reference}, ${at}, ${facts && owner.json(facts)})`
  }
}

async function readCursor(owner: Database): Promise<string | undefined> {
  const [state] = await owner<{ xid: string }[]>`select xid from log_state`
  return state?.xid
}

const setCursor = (sql: Database, xid: string) => sql`update log_state set xid = ${xid}`

/** The cursor is where it will be before the batch is there. */
async function sequenceAfterCursor(owner: Database): Promise<void> {
  const before = await readCursor(owner)
  if (before === undefined) return void (await sequence(owner, evidenceKeys, options, new Date()))
  await owner`update log_state set xid = pg_snapshot_xmin(pg_current_snapshot())::text::bigint`
  await pause()
  await owner.begin(async (sql) => {
    await setCursor(sql as unknown as Database, before)
    await sequence(sql as unknown as Database, evidenceKeys, options, new Date())
  })
}

/** The batch is there, and the cursor where it was. */
async function sequenceBeforeCursor(owner: Database): Promise<void> {
  const before = await readCursor(owner)
  if (before === undefined) return void (await sequence(owner, evidenceKeys, options, new Date()))
  const after = await owner.begin(async (sql) => {
    await sequence(sql as unknown as Database, evidenceKeys, options, new Date())
    const now = await readCursor(sql as unknown as Database)
    await setCursor(sql as unknown as Database, before)
    return now!
  })
  await pause()
  await setCursor(owner, after)
}

if (process.argv[1] === import.meta.filename) await run(JSON.parse(process.env.BROKEN_WORLD!) as World)
