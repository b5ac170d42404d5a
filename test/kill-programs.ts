import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from './database.ts'
import { drain, nothingTold, type Told } from './judge-evidence.ts'
import { type Program, startProgram } from './program.ts'
import { takeToken } from './server.ts'
import { signInRosa } from './signed-in.ts'
import { patienceMs, until } from './until.ts'

export type Kills = { programs: number; kills: number; seed: number }

const lines = 6
/** A fifth of the letters are opened. */
const openedEvery = 5
const beatMs = 50

/** Pseudo-random numbers from 0 to 1, the same for the same seed (mulberry32): a run that failed can be run again, as far as time allows. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Running = { program: Program; token: string }

/** The programs that are up; who asks waits for one. */
export class Fleet {
  readonly #up: Running[] = []
  #someIsUp = Promise.withResolvers<void>()
  readonly #url: string
  readonly #top: string | undefined
  readonly #signal: AbortSignal | undefined

  /** `top`: where the program is that they run. `signal` ends them all, and those that are being started. */
  constructor(url: string, top?: string, signal?: AbortSignal) {
    this.#url = url
    this.#top = top
    this.#signal = signal
  }

  async start(settings: Record<string, string> = {}): Promise<void> {
    const all = { DATABASE_URL: this.#url, LOG_BEAT_MS: String(beatMs), ...settings }
    const program = await startProgram(all, this.#top, this.#signal)
    this.#up.push({ program, token: await takeToken(program) })
    this.#someIsUp.resolve()
  }

  /** One of them, by any number. */
  async pick(number: number): Promise<Running> {
    while (this.#up.length === 0) await this.#someIsUp.promise
    return this.#up[number % this.#up.length]!
  }

  /** Takes it away, so that nobody asks it any more. */
  async end(one: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#up.splice(this.#up.indexOf(one), 1)
    if (this.#up.length === 0) this.#someIsUp = Promise.withResolvers()
    await one.program.end(signal)
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#up].map((one) => this.end(one, 'SIGTERM')))
  }
}

/**
 * Sends and opens letters without a pause, at whichever programs are up, while something is done to these. Who gets no answer tries again with the
 * same reference. Answers what was told to those outside, when all that happened is in the log. Ends the programs.
 */
export async function sendMeanwhile(test: TestDatabase, fleet: Fleet, work: (told: Told) => Promise<void>): Promise<Told> {
  const told = nothingTold()
  const { cookie } = await signInRosa(test.database)
  let isOver = false

  const line = async (_: unknown, number: number) => {
    for (let count = 0; !isOver; count += 1) {
      const letter = newLetter(`kill-${number}-${count}`)
      let id: string | undefined
      while (id === undefined) id = await send(await fleet.pick(number + count), letter)
      told.accepted.add(id)
      if (count % openedEvery === 0 && (await show(await fleet.pick(number + count), cookie, id))) told.opened.add(id)
    }
  }
  const watch = async () => {
    for (let count = 0; !isOver; count += 1) {
      const note = await readCheckpoint((await fleet.pick(count)).program.baseUrl)
      if (note !== undefined) told.checkpoints.add(note)
      await sleep(10)
    }
  }
  const workThenEnd = async () => {
    await work(told)
    isOver = true
  }
  try {
    await Promise.all([...Array.from({ length: lines }, line), watch(), workThenEnd()])
    await drain(test.owner, patienceMs)
  } finally {
    isOver = true
    await fleet.endAll()
  }
  return told
}

/**
 * Lets one or several programs on one database, each with its sequencer, have letters to send all the time, and kills one of them with kill -9
 * again and again, at moments that nobody has chosen.
 */
export async function runUnderKills(test: TestDatabase, { programs, kills, seed }: Kills): Promise<Told> {
  const random = randomFrom(seed)
  const fleet = new Fleet(test.url)
  await Promise.all(Array.from({ length: programs }, () => fleet.start()))
  return sendMeanwhile(test, fleet, async (told) => {
    const starting: Promise<void>[] = []
    for (let kill = 0; kill < kills; kill += 1) {
      const one = await fleet.pick(Math.floor(programs * random()))
      // By letters and not by time alone, so that a machine that is slow has something to lose too.
      const letters = told.accepted.size + 20 + 150 * random()
      while (told.accepted.size < letters) await sleep(5)
      await sleep(100 * random())
      await fleet.end(one, 'SIGKILL')
      starting.push(fleet.start())
    }
    await Promise.all(starting)
    await until(() => told.accepted.size >= 60 && told.opened.size > 5 && told.checkpoints.size > 2, 'something to judge')
  })
}

function newLetter(reference: string) {
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1001' },
    subject: `Letter ${reference}`,
    content: [{ language: 'en', body: 'It must not be lost, nor what is known of it.' }],
  }
}

/** The id in the answer, or undefined where there was none. */
async function send({ program, token }: Running, letter: object): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const request = { method: 'POST', headers, body: JSON.stringify(letter) }
  try {
    const response = await fetch(`${program.baseUrl}/v1/messages`, request)
    return response.ok ? ((await response.json()) as { id: string }).id : undefined
  } catch {
    return undefined
  }
}

async function show({ program }: Running, cookie: string, id: string): Promise<boolean> {
  try {
    const response = await fetch(`${program.baseUrl}/letters/${id}`, { headers: { cookie }, redirect: 'manual' })
    await response.text()
    return response.status === 200
  } catch {
    return false
  }
}

async function readCheckpoint(baseUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${baseUrl}/log/checkpoint`)
    return response.ok ? await response.text() : undefined
  } catch {
    return undefined
  }
}
