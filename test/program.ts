import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './server.ts'

/** Whoever asks and hears nothing asks again. */
const healthMs = 10_000

export type Program = { baseUrl: string; child: ChildProcess; end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void> }

/**
 * The program as a process of its own, as `npm start` runs it, once it answers. Only these settings reach it. `top`: a copy of the program.
 * `signal` ends it, whether or not it has answered yet.
 */
export async function startProgram(
  settings: Record<string, string>,
  top = path.join(import.meta.dirname, '..'),
  signal?: AbortSignal,
): Promise<Program> {
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [path.join(top, 'src/main.ts'), 'start'], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      HOST: '127.0.0.1',
      BASE_URL: baseUrl,
      DEMO: 'true',
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(signal ? { signal, killSignal: 'SIGKILL' } : {}),
  })
  child.on('error', () => {})
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  while (
    !(await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(healthMs) }).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    signal?.throwIfAborted()
    if (child.exitCode !== null) throw new Error(`the program ended by itself with ${child.exitCode}`)
    if (child.signalCode !== null) throw new Error(`the program was ended by ${child.signalCode}`)
    await sleep(50)
  }
  return {
    baseUrl,
    child,
    end: async (signal) => {
      child.kill(signal)
      await ended
    },
  }
}
