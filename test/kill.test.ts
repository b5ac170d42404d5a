import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { type Program, startProgram } from './program.ts'
import { takeToken } from './server.ts'

/**
 * A thousand letters are sent by sixteen lines at once; three times on the way the program is killed with kill -9 and
 * started again. A sender that gets no answer tries again with the same reference. Once with the program's own PostgreSQL,
 * which the killed program leaves running and the next one takes over, and once with one that is somebody else's.
 */
const letters = 1_000
const lines = 16
const killAfterAccepted = [150, 400, 700]

function newLetter(reference: string) {
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1002' },
    subject: `Letter ${reference}`,
    content: [{ language: 'en', body: 'It must not be lost.' }],
  }
}

async function sendAll(start: () => Promise<Program>): Promise<{ program: Program; acknowledged: Map<string, string> }> {
  let program = await start()
  let token = await takeToken(program)
  const acknowledged = new Map<string, string>()
  const waiting = Array.from({ length: letters }, (_, index) => `kill-${index}`)
  const killsToCome = [...killAfterAccepted]
  let restarting: Promise<void> | undefined

  const restart = async () => {
    await program.end('SIGKILL')
    program = await start()
    token = await takeToken(program)
    restarting = undefined
  }
  const line = async () => {
    for (let reference = waiting.pop(); reference !== undefined; reference = waiting.pop()) {
      const id = await send(program.baseUrl, token, reference)
      if (id === undefined) {
        waiting.push(reference)
        await restarting
        continue
      }
      acknowledged.set(reference, id)
      if (acknowledged.size >= (killsToCome[0] ?? Number.POSITIVE_INFINITY)) {
        killsToCome.shift()
        restarting = restart()
      }
      await restarting
    }
  }
  await Promise.all(Array.from({ length: lines }, line))
  assert.equal(killsToCome.length, 0, 'the program was killed every time')
  return { program, acknowledged }
}

/** The id in the answer, or undefined where there was none. */
async function send(baseUrl: string, token: string, reference: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${baseUrl}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(newLetter(reference)),
    })
    return response.ok ? ((await response.json()) as { id: string }).id : undefined
  } catch {
    return undefined
  }
}

type Event = { type: string; messageId: string; reference: string }

async function readAllEvents(baseUrl: string): Promise<Event[]> {
  const authorization = `Bearer ${await takeToken({ baseUrl })}`
  const all: Event[] = []
  for (let after = ''; ; ) {
    const response = await fetch(`${baseUrl}/v1/events?${new URLSearchParams(after ? { after } : {})}`, {
      headers: { authorization },
    })
    const { events, next } = (await response.json()) as { events: Event[]; next: string }
    if (events.length === 0) return all.filter(({ reference }) => reference.startsWith('kill-'))
    all.push(...events)
    after = next
  }
}

async function assertNothingLostNorTwice(program: Program, acknowledged: Map<string, string>): Promise<void> {
  assert.equal(acknowledged.size, letters)
  const events = await readAllEvents(program.baseUrl)
  for (const type of ['message.accepted', 'message.available']) {
    const told = events.filter((event) => event.type === type)
    assert.equal(told.length, letters, `${type} is told once for each letter`)
    assert.deepEqual(new Map(told.map(({ reference, messageId }) => [reference, messageId])), acknowledged)
  }
  const token = await takeToken(program)
  const again = await Promise.all(
    [...acknowledged.keys()].slice(0, 50).map((reference) => send(program.baseUrl, token, reference)),
  )
  assert.deepEqual(again, [...acknowledged.values()].slice(0, 50), 'sent again, a letter keeps its id')
  const response = await fetch(`${program.baseUrl}/v1/messages?reference=kill-0`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(((await response.json()) as { messages: unknown[] }).messages.length, 1)
}

describe('kill -9 during a thousand sends', { timeout: 1_800_000 }, () => {
  let shared: TestDatabase
  let directory: string
  before(async () => {
    shared = await createTestDatabase()
    directory = mkdtempSync(path.join(tmpdir(), 'dp-kill-'))
  })
  after(async () => {
    await shared.drop()
    rmSync(directory, { recursive: true, force: true })
  })

  for (const [where, settings] of [
    ['the program’s own PostgreSQL', () => ({ DATA_DIRECTORY: directory })],
    ['a PostgreSQL of somebody else', () => ({ DATABASE_URL: shared.url })],
  ] as const) {
    test(`loses no acknowledged letter and makes none twice, with ${where}`, async () => {
      const { program, acknowledged } = await sendAll(() => startProgram(settings() as Record<string, string>))
      try {
        await assertNothingLostNorTwice(program, acknowledged)
      } finally {
        await program.end('SIGTERM')
      }
    })
  }
})
