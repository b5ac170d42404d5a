import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../src/config.ts'
import type { Database } from '../../src/database/connect.ts'
import { connectOwner } from '../../src/database/roles.ts'
import { surviveLostConnections } from '../../src/database/survive-lost-connections.ts'
import { auditKeysOf } from '../../src/evidence/audit.ts'
import { openEvidence } from '../../src/evidence/open-evidence.ts'
import { drain, judgeEvidence, nothingTold } from '../judge-evidence.ts'
import { Fleet, type Running, randomFrom } from '../kill-programs.ts'
import { type FaultDisk, makeDisk } from './disk.ts'
import { type FaultProxy, startProxy } from './proxy.ts'
import { type FaultServer, makeServer } from './server.ts'

surviveLostConnections()

/** What a fault can do, and be timed by: so many letters more have been accepted. */
export type World = {
  server: FaultServer
  proxy: FaultProxy
  fleet: Fleet
  disk: FaultDisk | undefined
  random: () => number
  untilMore: (letters: number) => Promise<void>
  /** Letters under these references at once, by so many lines each; they are judged like all others. */
  sendAtOnce: (references: readonly string[], lines: number) => Promise<void>
}

export type Fault = {
  name: string
  /** Programs at work on the one database. */
  programs?: number
  onDisk?: boolean
  /** Of each program, by its number. */
  settings?: (program: number) => Record<string, string>
  /** Why it cannot be tried here, in words. */
  whyNot?: () => string | undefined
  /** Everything that goes wrong, `times` times, while letters are sent. At its end everything is well again. */
  happen: (world: World, times: number) => Promise<void>
}

export type Run = { findings: string[]; accepted: number; slowestMs: number }

const lines = 6
/** A fifth of the letters are for a second later, a tenth of them are sent again. */
const laterEvery = 5
const againEvery = 10
/** By then every request must have an answer, whatever happens. */
const answerMsMax = 35_000
const drainMs = 30_000
/** A program that ends has so long for what is under way. */
const endMs = 15_000
/** Of a whole run. */
const limitMsMax = 5 * 60_000

export type RunOptions = {
  seed: number
  times: number
  /** A copy of the program that may be broken on purpose. */
  top?: string
  /** When it is not over by then, it fails. */
  limitMs?: number
}

/**
 * Sends letters all the time while a fault happens. Who gets no answer tries again with the same reference. The judge keeps its own list of what
 * was acknowledged, and compares it with what is there when all has come to rest: nothing lost, nothing twice, nothing that
 * nobody has sent, each event once. However it ends, nothing that it started is left behind.
 */
export async function runFault(fault: Fault, options: RunOptions): Promise<Run> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dp-fault-'))
  chmodSync(folder, 0o755)
  const { limitMs = limitMsMax } = options
  const over = new AbortController()
  const tooLate = Promise.withResolvers<never>()
  const timer = setTimeout(() => tooLate.reject(new Error(`"${fault.name}" was not over in ${limitMs / 1_000} seconds`)), limitMs)
  const isKilled = () => tooLate.reject(new Error('It was ended from outside'))
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, isKilled)
  const stops: (() => unknown)[] = []
  try {
    return await Promise.race([happen(fault, options, { folder, signal: over.signal, stops }), tooLate.promise])
  } finally {
    clearTimeout(timer)
    for (const signal of ['SIGTERM', 'SIGINT']) process.off(signal, isKilled)
    // First, so that what is still under way starts nothing more.
    over.abort(new Error('It is over'))
    for (const stop of stops.toReversed()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Surroundings = { folder: string; signal: AbortSignal; stops: (() => unknown)[] }

async function happen(fault: Fault, options: RunOptions, { folder, signal, stops }: Surroundings): Promise<Run> {
  const disk = fault.onDisk ? makeDisk(folder) : undefined
  if (disk) stops.push(() => disk.remove())
  const server = await makeServer(path.join(disk?.folder ?? folder, 'postgres'))
  stops.push(() => server.stop())
  await server.start()
  const proxy = await startProxy(server.port)
  stops.push(() => proxy.stop())
  const url = new URL(server.url)
  url.port = String(proxy.port)
  const fleet = new Fleet(url.href, options.top, signal)
  const record = new Record_()
  for (let program = 0; program < (fault.programs ?? 1); program += 1) await fleet.start(fault.settings?.(program))
  let isOver = false
  const line = async (_: unknown, number: number) => {
    for (let count = 0; !isOver; count += 1)
      await record.deliver(fleet, `fault-${number}-${count}`, () => isOver || signal.aborted)
  }
  signal.addEventListener('abort', () => (isOver = true))
  const sending = Promise.all(Array.from({ length: lines }, line))
  sending.catch(() => {})
  const world: World = {
    server,
    proxy,
    fleet,
    disk,
    random: randomFrom(options.seed),
    untilMore: async (letters) => {
      const enough = record.acknowledged.size + letters
      while (record.acknowledged.size < enough) await sleep(5, undefined, { signal })
    },
    sendAtOnce: async (references, times) => {
      const each = references.flatMap((reference) => Array.from({ length: times }, () => reference))
      await Promise.all(each.map((reference) => record.deliver(fleet, reference, () => signal.aborted)))
    },
  }
  await world.untilMore(20)
  await fault.happen(world, options.times)
  await world.untilMore(20)
  isOver = true
  await sending
  const findings = await judge(server, record)
  await Promise.race([fleet.endAll(), sleep(endMs, undefined, { signal })])
  return { findings, accepted: record.acknowledged.size, slowestMs: Math.round(record.slowestMs) }
}

/** What those outside know: what they sent, and what they were told. */
class Record_ {
  readonly attempted = new Set<string>()
  readonly acknowledged = new Map<string, string>()
  readonly wrong: string[] = []
  readonly started = Date.now()
  slowestMs = 0

  /** Tries until there is an answer, or nobody waits for one any more. */
  async deliver(fleet: Fleet, reference: string, isOver: () => boolean): Promise<void> {
    const count = this.attempted.add(reference).size
    const letter = newLetter(reference, this.started)
    const tries = count % againEvery === 0 ? 2 : 1
    for (let done = 0; done < tries; ) {
      const id = await this.send(await fleet.pick(count), letter)
      if (id !== undefined) {
        const before = this.acknowledged.get(reference) ?? id
        if (before !== id) this.wrong.push('One reference was answered with two ids')
        this.acknowledged.set(reference, before)
        done += 1
      } else if (isOver()) return
    }
  }

  async send({ program, token }: Running, letter: object): Promise<string | undefined> {
    const began = performance.now()
    try {
      const response = await fetch(`${program.baseUrl}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(letter),
        signal: AbortSignal.timeout(answerMsMax),
      })
      const body = (await response.json()) as { id: string; code?: string }
      if (response.status >= 400 && response.status < 500) this.wrong.push(`A good letter was refused: ${body.code}`)
      if (response.ok) return body.id
      await sleep(20)
      return undefined
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') this.wrong.push('A request had no answer in time')
      await sleep(20)
      return undefined
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began)
    }
  }
}

/** The same letter for the same reference, always; some for a time in the two minutes after `started`. */
function newLetter(reference: string, started: number) {
  const number = Number(/\d+$/.exec(reference)?.[0] ?? 1)
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1001' },
    subject: reference,
    content: [{ language: 'en', body: 'It must not be lost, nor come twice.' }],
    ...(number % laterEvery === 0 ? { availableFrom: new Date(started + 1_000 * (1 + (number % 120))).toISOString() } : {}),
  }
}

async function judge(server: FaultServer, record: Record_): Promise<string[]> {
  const owner = connectOwner(server.url, 2)
  try {
    await settle(owner)
    const told = nothingTold()
    for (const id of record.acknowledged.values()) told.accepted.add(id)
    const keys = await auditKeysOf(owner, openEvidence(readConfig({ DEMO: 'true' })))
    const counts = await owner<{ what: string; count: number }[]>`
      with attempted as (select unnest(${[...record.attempted]}::text[]) as reference),
      acknowledged as (select unnest(${[...record.acknowledged.keys()]}::text[]) as reference, unnest(${[...record.acknowledged.values()]}::uuid[]) as id)
      select 'Lost: acknowledged, and not in its mailbox' as what, count(*)::int from acknowledged
        where not exists (select from message where message.id = acknowledged.id and message.subject = acknowledged.reference)
      union all
      select 'Twice in the mailbox', count(*)::int from (
        select from message where subject like 'fault-%' group by subject having count(*) > 1) as twice
      union all
      select 'Unexpected: nobody has sent it', count(*)::int from ledger
        where reference like 'fault-%' and not exists (select from attempted where attempted.reference = ledger.reference)
      union all
      select 'Still on its way', count(*)::int from withheld_message`
    const evidence = await judgeEvidence(owner, keys, told)
    const wrong = new Map<string, number>()
    for (const what of record.wrong) wrong.set(what, (wrong.get(what) ?? 0) + 1)
    return [
      ...counts.filter(({ count }) => count > 0).map(({ what, count }) => `${what}: ${count}`),
      ...[...wrong].map(([what, count]) => `${what}: ${count}`),
      ...new Set(evidence),
    ]
  } finally {
    await owner.end({ timeout: 5 })
  }
}

/** What is for a later time has come, and all is in the log. What does not come to rest, the judge names. */
async function settle(owner: Database): Promise<void> {
  await owner`update withheld_message set release_at = now() where why = 'scheduled'`
  for (const until = Date.now() + drainMs; Date.now() < until; await sleep(100)) {
    const [left] = await owner`select from withheld_message limit 1`
    if (left === undefined) break
  }
  await drain(owner, drainMs)
}
