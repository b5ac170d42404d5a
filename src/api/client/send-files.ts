import { createReadStream, createWriteStream, existsSync, readFileSync, type WriteStream } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readLines } from '../lines.ts'
import { type Connection, type Credentials, connectTo } from './connection.ts'
import { type Documents, type FoundLetter, findLetters } from './letter-files.ts'
import { ApiError, type LineAnswer, sendLines } from './send-lines.ts'

const usage = `Usage: npx digital-post send PATH --url URL --client ID --key FILE [more]
       npx digital-post send --reference REF --to SCHEME:VALUE --subject TEXT --text FILE --url URL --client ID --key FILE

  PATH             one letter (.json), many (.ndjson, one in each line), or a folder of .json files, each as POST /v1/messages takes it
                   and without service. A document's file may be given as {"path": "bill.pdf"}, from where the letter lies: a large one, or
                   one of several letters, is uploaded once
  --url URL        the installation, such as https://post.example
  --client ID      your system, and how it proves itself: --key FILE its private key (a JWK), or in a demo --secret TEXT
  --service SLUG   which service sends, where the system acts for several
  --batch REF      your reference for the batch. Default: the name of PATH
  --name TEXT      what the batch is called. Default: its reference
  --hold           nobody sees its letters until staff have looked at some of them and release the batch
  --answers FILE   where the answers are kept, and read from when you run this again. Default: PATH.answers.ndjson

Run it again after a break: it sends what is not accepted yet, and no letter is there twice.
Ends with 0 where every letter is accepted, with 1 where some are not, and with 2 where nothing could be sent.`

class UsageError extends Error {}

type Say = { out: (text: string) => void; progress: (text: string) => void }
type Tally = { accepted: number; refused: number; waiting: number; before: number }

/** So often a connection that breaks is made again, where nothing was accepted in between. */
const triesMax = 5
const againMs = 2_000
/** A request ends after so long and another follows, so that its token is never too old. */
const requestMs = 180_000

/** What the command line answers to `send`: made of the public API, and of nothing else of the program. Answers the exit code. */
export async function sendFiles(words: readonly string[], say: Say, clock = () => new Date()): Promise<0 | 1 | 2> {
  try {
    const text = { type: 'string' } as const
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        ...{ url: text, client: text, key: text, secret: text, service: text, batch: text, name: text, answers: text },
        ...{ reference: text, to: text, subject: text, text, language: text },
        hold: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help || (positionals.length === 0 && values.reference === undefined)) throw new UsageError('Say what to send.')
    if (positionals.length > 1) throw new UsageError('Name one file or folder.')
    const api = connectTo(needed(values.url, '--url').replace(/\/$/, ''), readCredentials(values), clock)
    const [place] = positionals
    if (values.hold && (place === undefined || place.endsWith('.json')))
      throw new UsageError('--hold is for many letters: one goes by itself.')
    if (place === undefined) return await sendOne(api, letterOf(values), values.service, say)
    if (!existsSync(place)) throw new UsageError(`There is no ${place}.`)
    if (place.endsWith('.json')) return await sendFile(api, place, values.service, say)
    const reference = values.batch ?? path.basename(path.resolve(place)).replace(/\.ndjson$/, '')
    const batch = { reference, name: values.name ?? reference, service: values.service, ...(values.hold ? { hold: true } : {}) }
    return await sendMany(api, place, batch, values.answers ?? `${place.replace(/\/+$/, '')}.answers.ndjson`, say)
  } catch (error) {
    const isOfWords = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    say.out(isOfWords ? `${(error as Error).message}\n\n${usage}` : inWords(error))
    return 2
  }
}

/** Why a request came to nothing: what lies beneath a failure of the network says more than that itself. */
function inWords(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}` : message
}

function needed(value: string | undefined, name: string): string {
  if (value === undefined) throw new UsageError(`${name} is missing.`)
  return value
}

function readCredentials({ client, key, secret }: { client?: string; key?: string; secret?: string }): Credentials {
  const clientId = needed(client, '--client')
  if (secret !== undefined) return { clientId, secret }
  try {
    return { clientId, key: JSON.parse(readFileSync(needed(key, '--key'), 'utf8')) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError('The file of --key cannot be read, or is no JSON Web Key.')
  }
}

function letterOf(values: Partial<Record<'reference' | 'to' | 'subject' | 'text' | 'language', string>>): object {
  const to = /^([^:]+):(.+)$/.exec(needed(values.to, '--to'))
  if (to === null) throw new UsageError('--to is SCHEME:VALUE, such as link:CT-1001.')
  const file = needed(values.text, '--text')
  if (!existsSync(file)) throw new UsageError(`There is no ${file}.`)
  return {
    reference: values.reference,
    recipient: { scheme: to[1], value: to[2] },
    subject: needed(values.subject, '--subject'),
    content: [{ language: values.language ?? 'en', body: readFileSync(file, 'utf8') }],
  }
}

async function sendFile(api: Connection, file: string, service: string | undefined, say: Say): Promise<0 | 1 | 2> {
  for await (const found of findLetters(file, { api, service, seen: new Set(), uploads: new Map() })) {
    if ('wrong' in found) throw new UsageError(`${file}: ${found.wrong}`)
    return sendOne(api, JSON.parse(found.text), service, say)
  }
  return 2
}

async function sendOne(api: Connection, letter: object, service: string | undefined, say: Say): Promise<0 | 1> {
  if (service === undefined && !('service' in letter))
    throw new UsageError('--service is missing: one letter names who sends it.')
  try {
    const { id } = await api.ask<{ id: string }>('POST', '/v1/messages', {
      ...(service === undefined ? {} : { service }),
      ...letter,
    })
    say.out(`Accepted: ${id}`)
    return 0
  } catch (error) {
    if (!(error instanceof ApiError) || error.code === 'token-invalid') throw error
    say.out(`Not accepted: ${error.message} (${error.code})`)
    return 1
  }
}

type NamedBatch = { reference: string; name: string; service: string | undefined; hold?: boolean }

async function sendMany(api: Connection, place: string, batch: NamedBatch, answers: string, say: Say): Promise<0 | 1> {
  const { reference, ...named } = batch
  const { id, hold } = await api.ask<{ id: string; hold: boolean }>('PUT', `/v1/batches/${encodeURIComponent(reference)}`, named)
  const accepted = await readAccepted(answers)
  const kept = createWriteStream(answers, { flags: 'a' })
  const documents: Documents = { api, service: batch.service, seen: new Set(), uploads: new Map() }
  let tally: Tally
  for (let tries = 1; ; tries += 1) {
    const before = accepted.size
    tally = await sendAll(api, id, findLetters(place, documents), accepted, kept, say)
    if (tally.waiting === 0 || tries >= triesMax) break
    if (accepted.size > before) tries = 0
    say.progress(`${inThousands(tally.waiting)} are not answered; trying again`)
    await sleep(againMs)
  }
  await new Promise((resolve) => kept.end(resolve))
  const { accepted: now, refused, waiting, before } = tally
  const earlier = before > 0 ? ` (${inThousands(before)} before)` : ''
  const rest = waiting > 0 ? `, ${inThousands(waiting)} not answered: run this again` : ''
  say.out(`${inThousands(now + before)} accepted${earlier}, ${inThousands(refused)} refused${rest}. Batch ${id}`)
  if (hold) say.out('Nobody sees these letters until staff close the batch and release it.')
  return refused + waiting === 0 ? 0 : 1
}

const inThousands = (count: number) => count.toLocaleString('en')

/** The references that an earlier run was told are accepted. */
async function readAccepted(file: string): Promise<Set<string>> {
  const accepted = new Set<string>()
  if (!existsSync(file)) return accepted
  for await (const lines of readLines(createReadStream(file), 1024 * 1024, 1)) {
    for (const { bytes } of lines) {
      try {
        const { reference, state } = JSON.parse(String(bytes)) as LineAnswer
        if (reference !== undefined && state !== undefined) accepted.add(reference)
      } catch {
        // A run that was killed may have left half a line.
      }
    }
  }
  return accepted
}

/** Sends each letter that is not accepted yet, and tells what was wrong with those that are refused. */
async function sendAll(
  api: Connection,
  batchId: string,
  letters: AsyncGenerator<FoundLetter>,
  accepted: Set<string>,
  kept: WriteStream,
  say: Say,
): Promise<Tally> {
  const tally: Tally = { accepted: 0, refused: 0, waiting: 0, before: 0 }
  const began = performance.now()
  let next = await letters.next()
  while (!next.done) {
    const sent = new Map<number, string>()
    const firstLine = 'line' in next.value ? next.value.line : 1
    const until = performance.now() + requestMs
    async function* lines(): AsyncGenerator<string> {
      // What is left out is an empty line, so that numbers are those of the file.
      for (let at = firstLine; !next.done && performance.now() < until; next = await letters.next()) {
        const found: FoundLetter = next.value
        if ('wrong' in found) {
          tally.refused += 1
          say.out(`${found.at}: ${found.wrong}`)
        } else if (found.reference !== undefined && accepted.has(found.reference)) tally.before += 1
        else {
          sent.set(found.line, found.at)
          yield '\n'.repeat(Math.max(0, found.line - at)) + found.text
          at = found.line + 1
        }
      }
    }
    try {
      const address = `${api.url}/v1/batches/${batchId}/messages?firstLine=${firstLine}`
      for await (const answer of sendLines(address, await api.token(), lines())) {
        take(answer, sent, { tally, accepted, kept, say })
        const rate = Math.round((tally.accepted * 1_000) / (performance.now() - began))
        say.progress(
          `${inThousands(tally.accepted)} accepted, ${inThousands(tally.refused)} refused, ${inThousands(rate)} a second`,
        )
      }
    } catch (error) {
      say.progress(inWords(error))
      if (error instanceof ApiError && error.status !== 503 && error.status !== 429) throw error
      if (sent.size === 0) tally.waiting += 1
    }
    tally.waiting += sent.size
    // The API or the connection has ended it: what follows is for another try.
    if (tally.waiting > 0) break
  }
  await letters.return(undefined)
  return tally
}

function take(
  answer: LineAnswer,
  sent: Map<number, string>,
  { tally, accepted, kept, say }: { tally: Tally; accepted: Set<string>; kept: WriteStream; say: Say },
): void {
  const { line, reference, state, problem } = answer
  if (problem?.advice === 'retry') return
  const at = sent.get(line) ?? `line ${line}`
  sent.delete(line)
  if (state !== undefined && reference !== undefined) {
    tally.accepted += 1
    accepted.add(reference)
    kept.write(`${JSON.stringify(answer)}\n`)
    return
  }
  tally.refused += 1
  const fields = (problem?.errors ?? []).map(({ field, message }) => ` ${field}: ${message}`).join('')
  say.out(`${at}: ${problem?.detail ?? 'It was refused.'} (${problem?.code ?? 'unknown'})${fields}`)
}
