import { createHmac, timingSafeEqual } from 'node:crypto'
import { Problem } from '../problems.ts'

/** A payment as GOV.UK Pay tells of it, of which we read only this. */
export type PayPayment = { id: string; status: string; finished: boolean; nextUrl: string | undefined }

export type NewPayment = {
  /** In pence. */
  amount: number
  reference: string
  description: string
  returnUrl: string
  language: 'en' | 'cy'
}

const timeLimitMs = 10_000

/** Creates a payment. Whatever goes wrong is `unavailable`: nothing of what was answered is repeated. */
export function createPayment(url: string, token: string, payment: NewPayment): Promise<PayPayment> {
  const { amount, reference, description, returnUrl, language } = payment
  const body = JSON.stringify({ amount, reference, description, return_url: returnUrl, language })
  return ask(`${url}/v1/payments`, token, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
}

export function getPayment(url: string, token: string, id: string): Promise<PayPayment> {
  return ask(`${url}/v1/payments/${encodeURIComponent(id)}`, token, {})
}

async function ask(address: string, token: string, request: RequestInit): Promise<PayPayment> {
  const headers = { ...request.headers, authorization: `Bearer ${token}`, accept: 'application/json' }
  try {
    const signal = AbortSignal.timeout(timeLimitMs)
    const answer = await fetch(address, { ...request, headers, redirect: 'error', signal })
    if (answer.ok) return readPayment(await answer.json())
    await answer.body?.cancel()
  } catch {
    // Said below.
  }
  throw new Problem('unavailable')
}

/** Throws where it is no payment. */
export function readPayment(value: unknown): PayPayment {
  const {
    payment_id: id,
    state,
    _links: links,
  } = (value ?? {}) as {
    payment_id?: unknown
    state?: { status?: unknown; finished?: unknown }
    _links?: { next_url?: { href?: unknown } | null }
  }
  if (typeof id !== 'string' || typeof state?.status !== 'string') throw new TypeError('not a payment')
  const href = links?.next_url?.href
  return { id, status: state.status, finished: state.finished === true, nextUrl: typeof href === 'string' ? href : undefined }
}

/** How a payment has ended, or undefined where it may still go either way. */
export function endOf({ status, finished }: Pick<PayPayment, 'status' | 'finished'>): PaymentEnd | undefined {
  if (status === 'success') return 'success'
  if (!finished) return undefined
  return status === 'cancelled' ? 'cancelled' : status === 'failed' ? 'failed' : 'error'
}
export type PaymentEnd = 'success' | 'failed' | 'cancelled' | 'error'

/** Pay-Signature: HMAC-SHA-256 of the body, in small hexadecimal. */
export function signBody(secret: string, body: Buffer): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

export function isSignedBy(secret: string, body: Buffer, signature: string): boolean {
  const [given, wanted] = [Buffer.from(signature), Buffer.from(signBody(secret, body))]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** Where payment pages may be: at the API's own site, or, of GOV.UK Pay, its neighbours (www., card.). As a policy of browsers has it. */
export function payPages(url: string): string {
  const { protocol, hostname, origin } = new URL(url)
  const site = /^publicapi\.(.+)$/.exec(hostname)?.[1]
  return site === undefined ? origin : `${protocol}//*.${site}`
}

export function isPayPage(address: string, url: string): boolean {
  const page = URL.parse(address)
  if (page === null || page.username || page.password) return false
  const allowed = payPages(url)
  return allowed.includes('//*.')
    ? page.protocol === 'https:' && !page.port && page.hostname.endsWith(allowed.slice(allowed.indexOf('*') + 1))
    : page.origin === allowed
}
