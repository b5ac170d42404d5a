import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { whyNoDisk } from './disk.ts'
import type { Fault, World } from './run.ts'

/** So many times, each after some letters, at a moment that nobody has chosen. */
async function again(world: World, times: number, happen: (time: number) => Promise<void>): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await world.untilMore(20 + Math.floor(60 * world.random()))
    await sleep(100 * world.random())
    await happen(time)
  }
}

const killedPrograms: Fault = {
  name: 'programs killed with kill -9',
  programs: 2,
  happen: (world, times) =>
    again(world, times, async () => {
      await world.fleet.end(await world.fleet.pick(Math.floor(2 * world.random())), 'SIGKILL')
      await world.fleet.start()
    }),
}

const killedDatabase: Fault = {
  name: 'PostgreSQL killed with kill -9',
  happen: (world, times) =>
    again(world, times, async () => {
      await world.server.end('SIGKILL')
      await world.server.start()
    }),
}

const restartedDatabase: Fault = {
  name: 'PostgreSQL restarted',
  happen: (world, times) =>
    again(world, times, async (time) => {
      await world.server.end(time % 2 === 0 ? 'SIGQUIT' : 'SIGINT')
      await sleep(500 * world.random())
      await world.server.start()
    }),
}

const cutConnections: Fault = {
  name: 'connections to PostgreSQL cut',
  happen: (world, times) => again(world, 3 * times, async () => world.proxy.cut()),
}

/** Longer than a request may take here (run.ts), so that it is the program's own limit of silence that ends it (src/database/connect.ts). */
const silenceMs = 40_000

const silentDatabase: Fault = {
  name: 'PostgreSQL silent: the network swallows everything',
  happen: (world, times) =>
    again(world, Math.min(times, 2), async () => {
      world.proxy.silence(true)
      await sleep(silenceMs)
      world.proxy.silence(false)
    }),
}

const fullDisk: Fault = {
  name: 'disk full',
  onDisk: true,
  whyNot: whyNoDisk,
  happen: (world, times) =>
    again(world, times, async () => {
      world.disk!.fill()
      await sleep(2_000)
      world.disk!.free()
      // PostgreSQL may have given up where it could not write its log.
      await world.server.end('SIGQUIT')
      await world.server.start()
    }),
}

const powerCut: Fault = {
  name: 'power cut under PostgreSQL’s disk',
  onDisk: true,
  whyNot: whyNoDisk,
  happen: (world, times) =>
    again(world, times, async () => {
      world.disk!.cutPower()
      await world.server.end('SIGKILL')
      world.disk!.mount()
      await world.server.start()
    }),
}

/** Whether one process may look into another here. */
function whyNoTrace(): string | undefined {
  return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? undefined : 'strace is not there, or may not be used'
}

const failedSync: Fault = {
  name: 'fdatasync fails',
  whyNot: whyNoTrace,
  happen: (world, times) =>
    again(world, Math.min(times, 3), async () => {
      const words = [
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'trace=fdatasync,fsync',
        '-e',
        'inject=fdatasync:error=EIO:when=2',
        '-p',
        String(world.server.pid()),
      ]
      const trace = spawn('strace', words, { stdio: 'ignore' })
      await sleep(3_000)
      trace.kill('SIGINT')
      // After that PostgreSQL trusts nothing that it had in memory: it stops all, and reads its log again.
      await world.server.end('SIGQUIT')
      await world.server.start()
    }),
}

/** A clock that is an hour ahead, or behind. */
const shifted = (hours: number) =>
  `--import data:text/javascript,${encodeURIComponent(
    `const Real=Date;const by=${hours * 3_600_000};globalThis.Date=class extends Real{constructor(...a){a.length?super(...a):super(Real.now()+by)}static now(){return Real.now()+by}}`,
  )}`

const clocksApart: Fault = {
  name: 'clocks an hour apart',
  programs: 2,
  settings: (program): Record<string, string> => (program === 0 ? {} : { NODE_OPTIONS: shifted(1) }),
  happen: async (world, times) => {
    await again(world, times, async () => {
      await world.fleet.end(await world.fleet.pick(1), 'SIGKILL')
      await world.fleet.start({ NODE_OPTIONS: shifted(world.random() < 0.5 ? 1 : -1) })
    })
  },
}

const sameReference: Fault = {
  name: 'the same reference a hundred times at once',
  programs: 2,
  happen: (world, times) =>
    again(world, times, (time) => world.sendAtOnce([`fault-same-${time}-1`, `fault-same-${time}-2`], 100)),
}

export const faults = {
  killedPrograms,
  killedDatabase,
  restartedDatabase,
  cutConnections,
  silentDatabase,
  fullDisk,
  powerCut,
  failedSync,
  clocksApart,
  sameReference,
} satisfies Record<string, Fault>
