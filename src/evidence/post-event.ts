import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Config } from '../config.ts'
import { deriveKey } from '../seal.ts'
import { type Failure, isAllowedAddress, readWebhookUrl, timeLimitMs } from './webhook.ts'

/** How a name is looked up: all its addresses. */
export type Resolve = (hostname: string, callback: (error: Error | null, addresses: LookupAddress[]) => void) => void

const askSystem: Resolve = (hostname, callback) => lookUp(hostname, { all: true }, callback)

/** Where webhooks may lead, and how names are looked up. */
export type WebhookReach = { demo: boolean; resolve?: Resolve }

/** What webhooks need of the settings; `key` seals their secrets. */
export function webhookReach({ demo, secretKey }: Config): WebhookReach & { key: Buffer } {
  return { demo, key: deriveKey(secretKey, 'webhook secrets') }
}

const answerBytesMax = 16_384

class NotAllowedError extends Error {}

/**
 * Looks a name up, and refuses it where any of its addresses is not allowed. It is handed to the connection itself, so that
 * what is checked is what is connected to: a name could lead elsewhere at its next look-up.
 */
function checkedLookup({ demo, resolve = askSystem }: WebhookReach): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const refused = new NotAllowedError()
      const isAllowed = addresses?.length > 0 && addresses.every(({ address }) => isAllowedAddress(address, demo))
      if (error !== null || !isAllowed) return callback(error ?? refused, [])
      if (options.all) return callback(null, addresses)
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

/** Whether a webhook may have this address: what it says, and where its name leads now. */
export async function mayBePostedTo(text: string, reach: WebhookReach): Promise<boolean> {
  const url = readWebhookUrl(text, reach.demo)
  if (url === undefined) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  // A name that is an address was checked above, and comes back as it is.
  checkedLookup(reach)(url.hostname.replace(/^\[|\]$/g, ''), { all: true }, (error) => resolve(error === null))
  return promise
}

/**
 * Posts a body to an address, once, and answers nothing where it was taken (2xx), or else what went wrong. Redirects are not
 * followed: they would lead past the check of the address.
 */
export async function postEvent(
  text: string,
  { headers, body }: { headers: Record<string, string>; body: string },
  reach: WebhookReach,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const url = readWebhookUrl(text, reach.demo)
  if (url === undefined) return { code: 'address-not-allowed' }
  const { promise, resolve } = Promise.withResolvers<Failure | undefined>()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)])
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const request = send(url, {
    method: 'POST',
    // A connection that is kept could be closed at the other end just now, and what is sent then would fail for nothing.
    agent: false,
    lookup: checkedLookup(reach),
    signal: limit,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'digital-post-webhook',
      ...headers,
    },
  })
  request.on('error', (error) => resolve(failureOf(error, limit)))
  request.on('response', (response) => {
    const { statusCode = 0 } = response
    const outcome = statusCode >= 200 && statusCode < 300 ? undefined : ({ code: 'answered', status: statusCode } as const)
    let size = 0
    // What it says further changes nothing: it is read so that the receiver can end, and no more than this.
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > answerBytesMax) response.destroy()
    })
    response.on('error', () => {})
    response.on('close', () => resolve(outcome))
  })
  request.end(body)
  return promise
}

/** Codes of Node and TLS are words of their own; messages of errors could repeat what the receiver says of itself. */
function failureOf(error: Error & { code?: string }, limit: AbortSignal): Failure {
  if (error instanceof NotAllowedError) return { code: 'network-not-public' }
  if (limit.aborted) return { code: 'no-answer', seconds: timeLimitMs / 1000 }
  return error.code === undefined ? { code: 'not-reached' } : { code: 'not-reached-because', reason: error.code }
}
