import { Readable } from 'node:stream'
import { setImmediate as othersFirst, setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { acceptBatch, type BatchLine } from '../../delivery/accept-batch.ts'
import { type LetterLimits, takeLetters } from '../../delivery/allow-letters.ts'
import type { Batch } from '../../delivery/batch.ts'
import { findOpenBatch } from '../../delivery/find-batches.ts'
import { BatchMessage } from '../../delivery/message.ts'
import type { Outcome } from '../../delivery/write.ts'
import { Problem, problems } from '../../problems.ts'
import { limitIdleTime, movesAgain } from '../limit-idle-time.ts'
import { inParts, isReference, type Line, parseLine, readLines, referenceIn } from '../lines.ts'
import { fieldProblems, toProblem } from '../problem-reply.ts'
import { compileForJson } from '../validation.ts'
import { type ApiOptions, type ApiServer, Id, ProblemDocument, problemAnswers, route } from './door.ts'

/** Of one line. A larger document is uploaded before. */
const lineBytesMax = 4 * 1024 * 1024
/** What one statement takes, in each lane: where single letters wait for it, less. */
const partsMax = { bulk: { lines: 500, bytes: 2 * 1024 * 1024 }, normal: { lines: 200, bytes: 2 * 1024 * 1024 } }
/** Of one request: two are written while the third is read. */
const partsAtOnce = 3
/** Each may hold some parts in memory. Who comes when there are so many is sent away for a second. */
const requestsAtOnce = 16
/** Between so many lines whoever sends a single letter has their turn. */
const linesInTurn = 50
/** Where the database does not answer: so often, so long, and then the sender is to come again. */
const triesMax = 3
const tryAgainMs = 1_000
/** So often it is seen whether a sender who has to wait for their rate is still there. */
const waitAtOnceMs = 1_000

const Answer = Type.Object(
  {
    line: Type.Integer({ description: 'The number of the line, from firstLine on.' }),
    reference: Type.Optional(Type.String({ description: 'Where it could be read.' })),
    id: Type.Optional(Type.String({ format: 'uuid' })),
    state: Type.Optional(
      Type.Enum(['available', 'accepted'], {
        description: 'Accepted: it is to be available at a later time, or when its batch is released.',
      }),
    ),
    problem: Type.Optional(
      Type.Object({
        code: Type.String(),
        advice: Type.String(),
        detail: Type.String(),
        errors: ProblemDocument.properties.errors,
      }),
    ),
  },
  { description: 'One for each line that is not empty, in order: `id` and `state`, or `problem`.' },
)

const schema = {
  operationId: 'sendBatchMessages',
  tags: ['Batches'],
  summary: 'Send the letters of a batch',
  description:
    'One letter in a line, as for sendMessage and without `service`. Each line is answered when its letter is kept and readable, while you go on sending: read the answers as they come, as no more is ' +
    'read of you while they wait. After a break send the same lines again: each has the same answer, and no letter is there twice. A line may have 4 MB: what is larger is uploaded before (createUpload). ' +
    'Of what a service may send in a second and in a day a tenth is for single letters (sendMessage): streams use none of that.',
  params: Id,
  querystring: Type.Object(
    {
      firstLine: Type.Integer({
        minimum: 1,
        maximum: 2 ** 50,
        default: 1,
        description: 'The number of the first line sent.',
      }),
    },
    { additionalProperties: false },
  ),
  body: { content: { 'application/x-ndjson': { schema: { description: 'Lines of BatchMessage.' } } } },
  response: {
    200: { description: 'An answer to each line.', content: { 'application/x-ndjson': { schema: Answer } } },
    ...problemAnswers(401, 403, 404, 415, 503),
  },
} as const

type BulkOptions = ApiOptions & { letters: LetterLimits }

export function postBatchMessages(app: ApiServer, options: BulkOptions): void {
  const check = compileForJson(BatchMessage)
  const closing = new AbortController()
  let underWay = 0
  app.addHook('preClose', (done) => {
    closing.abort()
    done()
  })
  app.addContentTypeParser('application/x-ndjson', (_request, body, done) => done(null, body))
  app.post(
    '/v1/batches/:id/messages',
    {
      ...route(options, 'messages:write'),
      schema,
    },
    async (request, reply) => {
      const batch = await findOpenBatch(options.database, request.caller.actor, request.params.id)
      if (underWay >= requestsAtOnce) throw new Problem('busy')
      underWay += 1
      const release = limitIdleTime(request)
      const lines = readLines(request.body as Readable, lineBytesMax, request.query.firstLine)
      const work = { ...options, check, closing: closing.signal }
      const answers = Readable.from(answer(request, batch, inParts(lines, partsMax[batch.lane]), work), { objectMode: false })
      answers.once('close', () => {
        underWay -= 1
        release()
      })
      // It may end before all was read, and what is left of the body belongs to nothing.
      return reply
        .header('connection', 'close')
        .type('application/x-ndjson')
        .send(answers as never)
    },
  )
}

type Work = BulkOptions & { check: ReturnType<typeof compileForJson>; closing: AbortSignal }

/**
 * The answers to parts, in order, each as soon as it is there. No more is read while as many parts as may be are under way, or
 * while nobody takes the answers. Ends early where the program is to stop or cannot go on: what has no answer is to be sent again.
 */
async function* answer(request: FastifyRequest, batch: Batch, parts: AsyncGenerator<Line[]>, work: Work): AsyncGenerator<string> {
  const underWay: Promise<Answered>[] = []
  let next: Promise<IteratorResult<Line[]>> | undefined
  const isStopped = new Promise<'stop'>((resolve) => {
    if (work.closing.aborted) resolve('stop')
    else work.closing.addEventListener('abort', () => resolve('stop'), { once: true })
  })
  let isOver = false
  try {
    while (!isOver || underWay.length > 0) {
      if (!isOver && underWay.length < partsAtOnce) next ??= parts.next()
      const first = underWay[0]?.then(() => 'answer' as const)
      const came = isOver
        ? await first
        : await Promise.race([first, next?.then(() => 'part' as const), isStopped].filter((one) => one !== undefined))
      if (came === 'stop') isOver = true
      else if (came === 'part') {
        const { done, value } = (await next)!
        next = undefined
        if (done) isOver = true
        else {
          const answered = answerPart(request, batch, value, work)
          answered.catch(() => {})
          underWay.push(answered)
        }
      } else {
        const { text, isLast } = await underWay.shift()!
        if (text !== '') yield text
        if (isLast) return
      }
    }
  } finally {
    next?.catch(() => {})
    // What is being written is written whole, whether or not somebody hears of it.
    await Promise.allSettled(underWay)
  }
}

type Answered = { text: string; isLast: boolean }

async function answerPart(request: FastifyRequest, batch: Batch, part: Line[], work: Work): Promise<Answered> {
  const { database, keys, clock, checkToken } = work
  let caller: FastifyRequest['caller']
  try {
    // A stream may take longer than its token is valid, or its system is trusted.
    caller = await checkToken(request.headers.authorization, request.id, clock())
  } catch (error) {
    const problem = toProblem(error)
    return { text: part.map(({ line }) => inWords(line, undefined, problem)).join(''), isLast: true }
  }
  const lines = await readPart(part, batch, work.check)
  const allowed = await waitForLetters(request, batch.senderId, lines.length, work)
  if (allowed === undefined) return { text: '', isLast: true }
  for (let tries = 1; ; tries += 1) {
    try {
      const outcomes = await acceptBatch(database, keys, caller.actor, batch, lines, allowed.newMax, clock())
      allowed.settle(outcomes.reduce((count, one) => count + (one instanceof Problem || !one.isNew ? 0 : 1), 0))
      return {
        text: lines.map(({ line, reference }, place) => inWords(line, reference, outcomes[place]!)).join(''),
        isLast: false,
      }
    } catch (error) {
      const problem = toProblem(error)
      if (problem.status >= 500 && tries < triesMax && !work.closing.aborted) {
        await sleep(tryAgainMs * tries)
        continue
      }
      allowed.settle(0)
      return { text: lines.map(({ line, reference }) => inWords(line, reference, problem)).join(''), isLast: true }
    }
  }
}

/** Until the service may send so many: meanwhile no more is read. Undefined where nobody waits for it any more. */
async function waitForLetters(
  request: FastifyRequest,
  senderId: string,
  count: number,
  { database, letters, clock, closing }: Work,
) {
  for (;;) {
    const allowed = await takeLetters(database, senderId, count, 'bulk', letters, clock())
    if (allowed.waitMs === 0) return allowed
    // That is no idleness of the sender's.
    movesAgain(request)
    await sleep(Math.min(allowed.waitMs, waitAtOnceMs))
    if (closing.aborted || request.raw.socket.destroyed) return undefined
  }
}

async function readPart(part: Line[], batch: Batch, check: Work['check']): Promise<BatchLine[]> {
  const lines: BatchLine[] = []
  for (const [place, line] of part.entries()) {
    if (place > 0 && place % linesInTurn === 0) await othersFirst()
    lines.push(readOne(line, batch, check))
  }
  return lines
}

function readOne({ line, bytes, start }: Line, { senderId }: Batch, check: Work['check']): BatchLine {
  if (bytes === undefined) return { line, reference: referenceIn(start!), submission: new Problem('line-too-long') }
  const parsed = parseLine(bytes)
  if (parsed === undefined) return { line, reference: referenceIn(bytes), submission: new Problem('not-json') }
  const message = parsed.value as BatchMessage
  if (!check(message)) {
    const { reference } = (message ?? {}) as Record<string, unknown>
    const submission = new Problem('body-invalid', fieldProblems((check.errors ?? []) as never))
    return { line, reference: isReference(reference) ? reference : undefined, submission }
  }
  const { recipient, answers, documents, reply, ...said } = message
  const submission = {
    ...said,
    serviceId: senderId,
    recipient,
    answersId: answers,
    documents: documents ?? [],
    reply: reply ?? { allowed: false },
  }
  return { line, reference: said.reference, submission }
}

function inWords(line: number, reference: string | undefined, outcome: Outcome): string {
  const answer =
    outcome instanceof Problem
      ? {
          line,
          reference,
          problem: { code: outcome.code, advice: problems[outcome.code][1], detail: outcome.message, errors: outcome.errors },
        }
      : { line, reference, id: outcome.messageId, state: outcome.availableAt === null ? 'accepted' : 'available' }
  return `${JSON.stringify(answer)}\n`
}
