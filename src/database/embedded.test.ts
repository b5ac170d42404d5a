import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { connect } from './connect.ts'
import { startEmbedded } from './embedded.ts'

const start = (directory: string) => startEmbedded(directory, ['fsync=off'])
const lockFile = (directory: string) => path.join(directory, 'postgres', 'postmaster.pid')
const serverOf = (directory: string) => Number(readFileSync(lockFile(directory), 'utf8').split('\n')[0])

/** With one connection of its own, as a program has. */
async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const database = connect(url, 1)
  try {
    return [...(await database.unsafe(statement))]
  } finally {
    await database.end({ timeout: 1 })
  }
}
const keep = 'create table if not exists kept (n int); insert into kept values (1)'
const countKept = async (url: string) => (await query(url, 'select count(*)::int as n from kept'))[0]?.n

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH' && existsSync('/proc') === false
  }
}

/** Unless it has ended by itself in this moment. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function childrenOf(parent: number): number[] {
  const numbers = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []
  const isChild = (name: string) => {
    try {
      return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === parent
    } catch {
      return false
    }
  }
  return numbers.filter(isChild).map(Number)
}

describe('the PostgreSQL that the program starts itself', { concurrency: true }, () => {
  const directories: string[] = []
  const freshDirectory = () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'dp-'))
    directories.push(directory)
    return directory
  }
  after(() => {
    for (const directory of directories) {
      // What a failed test has left running.
      if (existsSync(lockFile(directory))) kill(serverOf(directory))
      rmSync(directory, { recursive: true, force: true })
    }
  })

  test('starts in a fresh folder, is stopped with the program, and finds its data at the next start', async () => {
    const directory = path.join(freshDirectory(), 'on the way')
    const first = await start(directory)
    await query(first.url, keep)
    const server = serverOf(directory)
    await first.stop()
    assert.equal(isAlive(server), false)
    const second = await start(directory)
    assert.equal(await countKept(second.url), 1)
    await second.stop()
  })

  test('starts again after kill -9 of all of it, with everything committed, though its lock file names another program by now', async () => {
    const directory = freshDirectory()
    const first = await start(directory)
    for (let n = 0; n < 20; n += 1) await query(first.url, keep)
    const server = serverOf(directory)
    for (const pid of [server, ...childrenOf(server)]) kill(pid)
    while (isAlive(server)) await sleep(10)
    // PostgreSQL believes in any living process of its own user, which is nobody where this runs as root.
    const other = spawn('sleep', ['60'], { uid: process.getuid?.() === 0 ? 65_534 : undefined })
    writeFileSync(lockFile(directory), readFileSync(lockFile(directory), 'utf8').replace(/^\d+/, String(other.pid)))
    const second = await start(directory)
    assert.equal(await countKept(second.url), 20)
    await second.stop()
    assert.ok(other.kill(), 'the other program was left alone')
  })

  test('is taken over, still running, by the next start after kill -9 of the program', async () => {
    const directory = freshDirectory()
    const module = pathToFileURL(path.join(import.meta.dirname, 'embedded.ts')).href
    const script = `const { startEmbedded } = await import('${module}')
      console.log((await startEmbedded('${directory}', ['fsync=off'])).url)`
    const program = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [url] = (await once(program.stdout, 'data')) as [Buffer]
    await query(url.toString().trim(), keep)
    const server = serverOf(directory)
    program.kill('SIGKILL')
    await once(program, 'exit')
    assert.ok(isAlive(server))
    const next = await start(directory)
    assert.equal(serverOf(directory), server)
    assert.equal(await countKept(next.url), 1)
    await next.stop()
    assert.equal(isAlive(server), false)
  })

  test('is refused to a second program on the same folder, and the first works on', async () => {
    const directory = freshDirectory()
    const first = await start(directory)
    await assert.rejects(start(directory), {
      message: 'Another Digital Post is running on this data folder: stop it first, or set DATA_DIRECTORY to another one.',
    })
    await query(first.url, keep)
    await first.stop()
  })

  test('waits for a program that is just stopping, and then starts', async () => {
    const directory = freshDirectory()
    const first = await start(directory)
    await query(first.url, keep)
    const starting = start(directory)
    starting.catch(() => {})
    await sleep(300)
    await first.stop()
    const next = await starting
    await sleep(100)
    assert.equal(await countKept(next.url), 1)
    await next.stop()
  })

  test('says so where the path of its folder is too long for a socket', async () => {
    await assert.rejects(
      start(path.join(tmpdir(), 'long'.repeat(30))),
      /The path of the data folder is too long .* DATA_DIRECTORY/,
    )
  })
})
