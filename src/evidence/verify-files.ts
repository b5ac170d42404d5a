import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { isReceiptFile, receiptBytesMax } from './receipt.ts'
import { readTrustedKeys, type TrustedKeys } from './trusted-keys.ts'
import { type Check, documentsBytesMax, type GivenDocument, type Verdict, verifyReceipt } from './verify.ts'

const usage = `Usage: npx digital-post verify FILE… [--trust keys.json]

  FILE…            a receipt (.tlog-proof), and any documents of its letter, in any order
  --trust FILE     the keys to trust, as an installation publishes them at /log/keys.json; otherwise the receipt's own

Ends with 0 where the receipt is valid, with 1 where it is not, and with 2 where it could not be tried.`

/** `exitCode`: 0 valid, 1 not valid, 2 nothing was verified. */
export type Outcome = { exitCode: 0 | 1 | 2; text: string }

/** What the command line answers to `verify`: no database, no settings, no network. */
export async function verifyFiles(words: readonly string[]): Promise<Outcome> {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { trust: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help || positionals.length === 0) return { exitCode: 2, text: usage }
    const trusted = values.trust === undefined ? undefined : await readTrust(values.trust)
    const { receipt, documents } = await readFiles(positionals)
    const verdict = verifyReceipt(receipt, documents, trusted)
    return { exitCode: verdict.isValid ? 0 : 1, text: toText(verdict) }
  } catch (error) {
    if (error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) {
      return { exitCode: 2, text: `${(error as Error).message}\n\n${usage}` }
    }
    throw error
  }
}

class UsageError extends Error {}

const trustBytesMax = 10_000_000

async function readTrust(file: string): Promise<TrustedKeys> {
  const bytes = await readUpTo(file, trustBytesMax)
  let keys: TrustedKeys | string
  try {
    keys = readTrustedKeys(JSON.parse(bytes.toString('utf8')))
  } catch {
    keys = 'It is no JSON.'
  }
  if (typeof keys === 'string') throw new UsageError(`The file ${file} cannot say whom to trust. ${keys}`)
  return keys
}

/**
 * Which of the files is the receipt is in its first line. Where that is damaged its name may say so still, and else the first is
 * taken for it: the verdict then says what is wrong.
 */
async function readFiles(names: readonly string[]): Promise<{ receipt: Buffer; documents: GivenDocument[] }> {
  const starts = await Promise.all(names.map((name) => readUpTo(name, 100)))
  const receipts = names.filter((_, place) => isReceiptFile(starts[place]!))
  if (receipts.length > 1) throw new UsageError('There are two receipts among the files: verify one at a time.')
  const receiptName = receipts[0] ?? names.find((name) => name.endsWith('.tlog-proof')) ?? names[0]!
  const documents: GivenDocument[] = []
  // What is more than a letter holds need not be read to its end to be no part of one.
  let left = documentsBytesMax + 1
  for (const name of names.filter((each) => each !== receiptName)) {
    const document = await digestUpTo(name, left)
    left -= document.size
    documents.push({ name: path.basename(name), ...document })
  }
  return { receipt: await readUpTo(receiptName, receiptBytesMax + 1), documents }
}

/** Of a document its digest and size only: whatever its size, no more than a piece of it is held. */
async function digestUpTo(name: string, bytesMax: number): Promise<{ digest: string; size: number }> {
  const digest = createHash('sha256')
  let size = 0
  if (bytesMax <= 0) return { digest: digest.digest('hex'), size }
  try {
    for await (const piece of createReadStream(name, { end: bytesMax - 1 }) as AsyncIterable<Buffer>) {
      digest.update(piece)
      size += piece.length
    }
  } catch (error) {
    throw new UsageError(`The file ${name} cannot be read: ${(error as NodeJS.ErrnoException).code}.`)
  }
  return { digest: digest.digest('hex'), size }
}

/** The file from its beginning, and no more of it than so much: it may be of any size. */
async function readUpTo(name: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(name)
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(bytesMax, size))
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
      length += bytesRead
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } catch (error) {
    throw new UsageError(`The file ${name} cannot be read: ${(error as NodeJS.ErrnoException).code}.`)
  }
}

function toText({ sentence, checks, record }: Verdict): string {
  const isLookedAt = (name: string) => record !== undefined || name === 'form'
  const stateOf = ({ name, isPassed }: Check) => (isPassed ? 'passed' : isLookedAt(name) ? 'FAILED' : '   -  ')
  const lines = checks.map((check) => `  ${stateOf(check)}  ${check.name.padEnd(13)} ${check.says}`)
  return `${sentence}\n\n${lines.join('\n')}`
}
