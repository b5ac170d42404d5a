import type { Missing } from './missing.ts'
import type { VerifierKey } from './note.ts'
import { type AddCheckpoint, formatAddCheckpoint, parseWitnessReply, type WitnessReply } from './witness.ts'

/** A hundred cosignatures have 20,000. */
const answerBytesMax = 65_536

/**
 * Asks a witness over HTTP (c2sp.org/tlog-witness) to cosign a checkpoint, and answers with what it says, or with why it says
 * nothing; it throws nothing. `url` is what comes before /add-checkpoint. The time limit is in milliseconds, from the asking to
 * the last byte.
 */
export async function askWitness(
  url: string,
  request: AddCheckpoint,
  key: VerifierKey,
  timeLimitMs = 5_000,
): Promise<WitnessReply | Missing> {
  try {
    const response = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: formatAddCheckpoint(request),
      // A witness has one address, which somebody has set: it does not get to send us to another.
      redirect: 'error',
      signal: AbortSignal.timeout(timeLimitMs),
    })
    const body = await readBody(response)
    if (body === undefined) return { code: 'witness-too-long', witness: key.name, bytes: answerBytesMax }
    const contentType = response.headers.get('content-type') ?? ''
    return parseWitnessReply({ status: response.status, contentType, body }, request.note.text, [key])
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError'
    if (isLate) return { code: 'witness-late', witness: key.name, ms: timeLimitMs }
    return { code: 'witness-not-reached', witness: key.name }
  }
}

async function readBody(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > answerBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
