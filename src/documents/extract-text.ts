import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isTextual } from './document.ts'

const msMax = 20_000
const memoryMegabytesMax = 256
/** The child has all of a document in memory. What is larger is not read. */
const readBytesMax = 100 * 1024 * 1024
/** Of what the child says: its text, in UTF-8. */
const answerBytesMax = 16 * 1024 * 1024

const child = path.join(import.meta.dirname, 'extract-text-child.ts')
const modules = path.join(import.meta.dirname, '../../node_modules')

/** Of which media types there is text to read. */
export function hasText(mediaType: string): boolean {
  return isTextual(mediaType) || mediaType === 'application/pdf' || mediaType.startsWith('application/vnd.o')
}

/** `damaged`, `protected`, `too-large`: of the file. `too-slow`, `gave-up`: reading it ended otherwise. */
export type ExtractFailure = 'damaged' | 'protected' | 'too-large' | 'too-slow' | 'gave-up'
export type Extracted = { text: string } | { failure: ExtractFailure }

/**
 * The text inside a document of so many bytes, which go from where they come to who reads them. A file may be made to break whoever reads it, so a process of its own does: without our environment,
 * with little memory and time, and allowed to read its own code only.
 */
export async function extractText(
  mediaType: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  timeMs = msMax,
): Promise<Extracted> {
  if (size > readBytesMax) return { failure: 'too-large' }
  return new Promise((resolve) => {
    const readable = [import.meta.dirname, modules, realpathSync(modules), path.join(import.meta.dirname, '../../package.json')]
    const reader = spawn(
      process.execPath,
      [
        `--max-old-space-size=${memoryMegabytesMax}`,
        '--permission',
        ...readable.map((folder) => `--allow-fs-read=${folder}`),
        '--no-warnings',
        child,
        mediaType,
      ],
      { env: {}, stdio: ['pipe', 'pipe', 'ignore'] },
    )
    const said: Buffer[] = []
    let size = 0
    let failure: ExtractFailure = 'gave-up'
    const end = (why: ExtractFailure) => {
      failure = why
      reader.kill('SIGKILL')
    }
    const timer = setTimeout(() => end('too-slow'), timeMs)
    reader.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > answerBytesMax) end('too-large')
      else said.push(part)
    })
    reader.on('error', () => end('gave-up'))
    reader.on('close', (code) => {
      clearTimeout(timer)
      resolve(code === 0 ? (JSON.parse(Buffer.concat(said).toString()) as Extracted) : { failure })
    })
    // A reader that ended early has said why, or is found out above. Where the bytes break off it must not read what came as all.
    pipeline(Readable.from(bytes, { objectMode: false }), reader.stdin).catch(() => end(failure))
  })
}
