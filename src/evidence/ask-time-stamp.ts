import { randomBytes } from 'node:crypto'
import type { Missing } from './missing.ts'
import { readTimeStampResponse, timeStampBytesMax, timeStampRequest } from './time-stamp.ts'

/**
 * Asks a time-stamp authority over HTTP (RFC 3161, section 3.4) for a token for the data, and answers with the DER of the
 * TimeStampToken, or with why there is none; it throws nothing. The token is for this data and this request, but whose
 * it is has not been looked at: that is verifyTimeStamp's. The time limit is in milliseconds, from the asking to the last byte.
 *
 *     const token = await askTimeStamp('https://tsa.example/', checkpoint)
 */
export async function askTimeStamp(url: string, data: Uint8Array, timeLimitMs = 10_000): Promise<Uint8Array | Missing> {
  // RFC 3161 wants 64 bits at least.
  const nonce = randomBytes(16)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: new Uint8Array(timeStampRequest(data, nonce)),
      // An authority has one address, which somebody has set: it does not get to send us to another.
      redirect: 'error',
      signal: AbortSignal.timeout(timeLimitMs),
    })
    const answer = await readAnswer(response)
    if (!(answer instanceof Uint8Array)) return answer
    const token = readTimeStampResponse(answer, data, nonce)
    return typeof token === 'string' ? { code: 'stamp-wrong', why: token } : token
  } catch (error) {
    // Not in the words of fetch, which hold the address, and with it perhaps a password.
    const isLate = error instanceof DOMException && error.name === 'TimeoutError'
    if (isLate) return { code: 'stamp-late', ms: timeLimitMs }
    return { code: 'stamp-not-reached' }
  }
}

/** The body, of a length that a token may have. What is left of another is not read. */
async function readAnswer(response: Response): Promise<Uint8Array | Missing> {
  const refuse = async (missing: Missing) => {
    await response.body?.cancel()
    return missing
  }
  if (response.status !== 200) return refuse({ code: 'stamp-status', status: response.status })
  const type = response.headers.get('content-type') ?? ''
  if (!/^application\/timestamp-reply\b/i.test(type)) return refuse({ code: 'stamp-other-type' })
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > timeStampBytesMax) return { code: 'stamp-too-long', bytes: timeStampBytesMax }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
