import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readLines } from '../lines.ts'

/** What the API answers to a line of a batch. */
export type LineAnswer = {
  line: number
  reference?: string
  id?: string
  state?: string
  problem?: { code: string; advice: string; detail: string; errors?: { field: string; message: string }[] }
}

/** An answer that is no success, as the API says it. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly retryAfterSeconds: number | undefined
  constructor(
    status: number,
    { code = 'unknown', title = `The API answered ${status}.` }: { code?: string; title?: string },
    retryAfter?: string,
  ) {
    super(title)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfter ? Number(retryAfter) : undefined
  }
}

const answerBytesMax = 1024 * 1024

/**
 * Sends lines to a batch and yields the answers as they come: no more is sent than is taken of these. Ends when the answer ends, which may be
 * before all was sent; throws where the connection breaks. Either way, what has no answer may be sent again.
 */
export async function* sendLines(
  address: string,
  token: string,
  lines: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
): AsyncGenerator<LineAnswer> {
  const send = address.startsWith('https:') ? requestHttps : requestHttp
  const request = send(address, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  })
  const answered = Promise.withResolvers<Readable & { statusCode?: number; headers: Record<string, unknown> }>()
  request.once('response', (response) => answered.resolve(response as never))
  request.once('error', answered.reject)
  // Where the other end stops reading, its answer says why.
  const sent = pipeline(Readable.from(lines, { objectMode: false, highWaterMark: 256 * 1024 }), request).catch(() => {})
  try {
    const response = await answered.promise
    if (response.statusCode !== 200) throw await readError(response)
    for await (const answers of readLines(response, answerBytesMax, 1)) {
      for (const { bytes } of answers) yield JSON.parse(bytes!.toString())
    }
  } finally {
    request.destroy()
    await sent
  }
}

async function readError(response: Readable & { statusCode?: number; headers: Record<string, unknown> }): Promise<ApiError> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  let problem = {}
  try {
    problem = JSON.parse(text)
  } catch {
    // It comes from somebody before the API, and says nothing of use.
  }
  return new ApiError(response.statusCode ?? 0, problem, response.headers['retry-after'] as string | undefined)
}
