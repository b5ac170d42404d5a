import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LineAnswer, sendLines } from '../../src/api/client/send-lines.ts'
import { readConfig } from '../../src/config.ts'
import type { Database } from '../../src/database/connect.ts'
import { connectOwner } from '../../src/database/roles.ts'
import { surviveLostConnections } from '../../src/database/survive-lost-connections.ts'
import { auditKeysOf } from '../../src/evidence/audit.ts'
import { openEvidence } from '../../src/evidence/open-evidence.ts'
import { deriveIdentifierKeys } from '../../src/registry/identifier.ts'
import { type FaultProxy, startProxy } from '../faults/proxy.ts'
import { type FaultServer, makeServer } from '../faults/server.ts'
import { drain, judgeEvidence, nothingTold } from '../judge-evidence.ts'
import { Fleet, type Running, randomFrom } from '../kill-programs.ts'
import { fillLargeWorld, linkOf } from '../large-world.ts'

surviveLostConnections()

/** LETTERS=10000 and the like tries the run itself. */
const letters = Number(process.env.LETTERS ?? 1_000_000)
const parties = letters / 10
const batches = 4
const lettersInBatch = letters / batches
/** Something happens after so many letters more. */
const lettersBetween = Math.max(2_000, letters / 50)
const drainMs = 15 * 60_000

/** In seconds after which nothing was answered, all is to be given up. */
const stuckS = 240

const referenceOf = (batch: number, line: number) => `million-${batch}-${line}`
const body = 'You can pay by Direct Debit, by card or at a post office. '.repeat(30).slice(0, 1_700)

function lineOf(batch: number, line: number): string {
  const reference = referenceOf(batch, line)
  const recipient = linkOf((batch * lettersInBatch + line) % parties)
  return `${JSON.stringify({ reference, recipient, subject: reference, content: [{ language: 'en', body }] })}\n`
}

/** What one batch's sender was told: which lines are accepted, and their ids. */
class Sender {
  readonly ids: (string | undefined)[] = new Array(lettersInBatch).fill(undefined)
  answered = 0
  readonly wrong = new Map<string, number>()

  async sendAll(fleet: Fleet, batch: number): Promise<void> {
    for (let attempt = 0; this.answered < lettersInBatch; attempt += 1) {
      const first = this.ids.indexOf(undefined)
      await this.sendFrom(await fleet.pick(batch + attempt), batch, first).catch(() => sleep(100))
    }
  }

  async sendFrom({ program, token }: Running, batch: number, first: number): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(`${program.baseUrl}/v1/batches/million-${batch}`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ service: 'council-tax', name: `A million, part ${batch + 1}` }),
      signal: AbortSignal.timeout(30_000),
    })
    const { id } = (await response.json()) as { id: string }
    const { ids } = this
    async function* lines() {
      let text = ''
      for (let line = first; line < lettersInBatch; line += 1) {
        // Also those that were answered before: nobody is to be twice there.
        text += lineOf(batch, line)
        if (line % 100 < 99 && line < lettersInBatch - 1) continue
        yield text
        text = ''
        await new Promise(setImmediate)
      }
    }
    for await (const answer of sendLines(`${program.baseUrl}/v1/batches/${id}/messages?firstLine=${first + 1}`, token, lines()))
      this.note(ids, answer)
  }

  note(ids: (string | undefined)[], { line, id, problem }: LineAnswer): void {
    if (problem) {
      if (problem.advice !== 'retry') this.wrong.set(problem.code, (this.wrong.get(problem.code) ?? 0) + 1)
      return
    }
    const before = ids[line - 1]
    if (before !== undefined && before !== id) this.wrong.set('two ids', (this.wrong.get('two ids') ?? 0) + 1)
    if (before === undefined) this.answered += 1
    ids[line - 1] = id
  }
}

type Faults = { server: FaultServer; proxy: FaultProxy; fleet: Fleet; random: () => number }

/** One after another, in turn: a program killed, connections cut, PostgreSQL killed, or shut down at once. */
async function fail({ server, proxy, fleet, random }: Faults, turn: number): Promise<void> {
  if (turn % 4 === 0) {
    await fleet.end(await fleet.pick(Math.floor(2 * random())), 'SIGKILL')
    await fleet.start(settings)
  } else if (turn % 4 === 1) proxy.cut()
  else {
    await server.end(turn % 4 === 2 ? 'SIGKILL' : 'SIGQUIT')
    await server.start()
  }
}
const settings = { LOG_BEAT_MS: '1000', LETTERS_PER_DAY: '10000000000', LETTERS_PER_SECOND: '1000000' }

/** Of each letter that was acknowledged: it is in its mailbox, once, under that id; and nothing else is. */
async function judgeLetters(owner: Database, senders: readonly Sender[]): Promise<string[]> {
  await owner`set enable_hashjoin = on`
  await owner`set enable_seqscan = on`
  await owner`set statement_timeout = 0`
  await owner`create temporary table told (reference text, id uuid)`
  for (const [batch, { ids }] of senders.entries()) {
    for (let from = 0; from < ids.length; from += 50_000) {
      const some = ids.slice(from, from + 50_000)
      await owner`insert into told select * from unnest(${some.map((_, at) => referenceOf(batch, from + at))}::text[], ${some as string[]}::uuid[])`
    }
  }
  const counts = await owner<{ what: string; count: number }[]>`
    select 'Lost: acknowledged, and not in its mailbox' as what, count(*)::int from told
      where not exists (select from message where message.id = told.id and message.subject = told.reference)
    union all
    select 'Twice in the mailbox', count(*)::int from (select from message where subject like 'million-%' group by subject having count(*) > 1) as twice
    union all
    select 'Unexpected: nobody was told of it', count(*)::int from ledger where reference like 'million-%' and not exists (select from told where told.reference = ledger.reference)
    union all
    select 'Counted otherwise by its batch', count(*)::int from (
      select batch_id, sum(accepted) from batch_count group by batch_id having sum(accepted) <> ${lettersInBatch}
    ) as batches`
  return counts.filter(({ count }) => count > 0).map(({ what, count }) => `${what}: ${count}`)
}

test('a million letters in bulk, while programs and PostgreSQL fail throughout', { timeout: 7_200_000 }, async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dp-million-'))
  chmodSync(folder, 0o755)
  const seed = Math.floor(Math.random() * 2 ** 31)
  const server = await makeServer(path.join(folder, 'postgres'), ['shared_buffers=512MB', 'max_wal_size=4GB'])
  await server.start()
  const proxy = await startProxy(server.port)
  const url = new URL(server.url)
  url.port = String(proxy.port)
  const over = new AbortController()
  const fleet = new Fleet(url.href, undefined, over.signal)
  const owner = connectOwner(server.url, 1)
  try {
    await fleet.start(settings)
    const config = readConfig({ DEMO: 'true' })
    await fillLargeWorld(owner, deriveIdentifierKeys(config.secretKey), { parties, letters: 0 })
    await fleet.start(settings)
    const began = performance.now()
    const senders = Array.from({ length: batches }, () => new Sender())
    const count = () => senders.reduce((sum, { answered }) => sum + answered, 0)
    const sending = Promise.all(senders.map((sender, batch) => sender.sendAll(fleet, batch)))
    let isOver = false
    void sending.finally(() => {
      isOver = true
    })
    const world = { server, proxy, fleet, random: randomFrom(seed) }
    let happened = 0
    let [seen, seenAt] = [0, performance.now()]
    for (let next = lettersBetween; !isOver; await sleep(50)) {
      if (count() > seen) [seen, seenAt] = [count(), performance.now()]
      if (performance.now() - seenAt > stuckS * 1_000)
        throw new Error(`Nothing was answered for ${stuckS} seconds, after ${seen} letters`)
      if (count() < next) continue
      await sleep(500 * world.random())
      await fail(world, happened++)
      next = count() + lettersBetween
    }
    await sending
    const seconds = (performance.now() - began) / 1_000
    await drain(owner, drainMs)
    const told = nothingTold()
    for (const { ids } of senders) for (const id of ids) told.accepted.add(id!)
    const findings = [
      ...senders.flatMap(({ wrong }) => [...wrong].map(([code, times]) => `${code}: ${times}`)),
      ...(await judgeLetters(owner, senders)),
      ...(await judgeEvidence(owner, await auditKeysOf(owner, openEvidence(config)), told)),
    ]
    context.diagnostic(
      `seed ${seed}: ${count()} letters to ${parties} mailboxes in ${seconds.toFixed(0)} s (${(count() / seconds).toFixed(0)} a second), ${happened} faults, judged`,
    )
    assert.deepEqual([...new Set(findings)], [])
  } finally {
    await fleet.endAll().catch(() => {})
    over.abort()
    await owner.end({ timeout: 5 }).catch(() => {})
    await proxy.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
