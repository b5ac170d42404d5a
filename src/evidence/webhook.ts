import { createHmac, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { MessageEventType } from './events.ts'
import { isLoopbackAddress, isPublicAddress } from './public-address.ts'
import type { ChangedAction } from './record.ts'

/** Why a try failed. It says nothing of what was answered but its status; `reason` is a code of Node or of TLS. */
export type Failure =
  | { code: 'address-not-allowed' | 'network-not-public' | 'not-reached' }
  | { code: 'not-reached-because'; reason: string }
  | { code: 'no-answer'; seconds: number }
  | { code: 'answered'; status: number }

/** As the API says it. Pages have words of their own for each code. */
export function failureInEnglish(failure: Failure): string {
  switch (failure.code) {
    case 'address-not-allowed':
      return 'The address is not allowed.'
    case 'network-not-public':
      return 'The address leads to a network that is not public.'
    case 'not-reached':
      return 'The receiver could not be reached (no reason given).'
    case 'not-reached-because':
      return `The receiver could not be reached (${failure.reason}).`
    case 'no-answer':
      return `The receiver did not answer within ${failure.seconds} seconds.`
    case 'answered':
      return `The receiver answered ${failure.status}.`
  }
}

/** A service's webhook, as whoever looks after it sees it. The secret is shown where it is made, and never again. */
export type Webhook = {
  serviceId: string
  url: string
  isOn: boolean
  version: number
  createdAt: Date
  changedAt: Date
  changedByName: string
  /** To some seconds. */
  deliveredAt: Date | null
  waiting: number
  dead: number
  /** What went wrong at the latest of the tries of what is not delivered. */
  failure: Failure | null
  failedAt: Date | null
}

/** An event on its way to a webhook, or given up. Its id is that of the event. */
export type Delivery = {
  serviceId: string
  position: string
  id: string
  type: MessageEventType
  messageId: string
  reference: string
  at: Date
  action: ChangedAction | null
  state: 'waiting' | 'dead'
  tries: number
  firstTriedAt: Date | null
  lastTriedAt: Date | null
  failure: Failure | null
}

/** How many deliveries of one webhook are under way at once, whichever processes they are in. */
export const deliveriesAtOnce = 4
export const timeLimitMs = 10_000
/** After a process has ended in the middle of a delivery, another takes it up. */
export const leaseMs = 3 * timeLimitMs
/** A secret signs for this long after another has taken its place. */
export const secretOverlapMs = 24 * 3_600_000
/** From the first try on. After that a delivery is dead. */
export const triedForMs = 24 * 3_600_000

const [second, minute, hour] = [1_000, 60_000, 3_600_000]
/** After the first, second … try that failed; after all further ones the last. */
const pausesMs = [5 * second, 30 * second, 2 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 4 * hour]
/** Each pause is up to a quarter longer, so that what failed together is not tried together. */
const jitter = 0.25

/**
 * When to try again after `tries` tries, or undefined when to give up. The last try is when the time is over, whatever the
 * pauses add up to. `random` is from 0 to 1.
 */
export function nextTry(tries: number, firstTriedAt: Date, now: Date, random: number): Date | undefined {
  const end = firstTriedAt.getTime() + triedForMs
  if (now.getTime() >= end) return undefined
  const pauseMs = pausesMs[Math.min(tries, pausesMs.length) - 1]! * (1 + jitter * random)
  return new Date(Math.min(now.getTime() + pauseMs, end))
}

/** As "Standard Webhooks" writes it. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** What a secret is sealed for, so that it opens in no other service's row. */
export function secretBoundTo(serviceId: string): string {
  return `webhook ${serviceId}`
}

/** The three headers of a delivery: signed with each secret that is good now, the newest first. */
export function webhookHeaders(id: string, body: string, secrets: readonly string[], now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000))
  const sign = (secret: string) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  }
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': secrets.map(sign).join(' ') }
}

const urlLengthMax = 2_000
const namesOfLoopback = ['localhost', '127.0.0.1', '[::1]']

/** What may be connected to: public addresses and, in a demo, this machine itself. */
export function isAllowedAddress(address: string, demo: boolean): boolean {
  return isPublicAddress(address) || (demo && isLoopbackAddress(address))
}

/** An address that a webhook may have, as far as that can be said without asking where its name leads; otherwise undefined. */
export function readWebhookUrl(text: string, demo: boolean): URL | undefined {
  const url = text.length > urlLengthMax ? null : URL.parse(text)
  if (url === null || url.username || url.password || url.hash) return undefined
  if (url.protocol !== 'https:' && !(demo && url.protocol === 'http:' && namesOfLoopback.includes(url.hostname))) return undefined
  const address = url.hostname.replace(/^\[|\]$/g, '')
  // An address in place of a name is never looked up, and so has to be checked here.
  if (isIP(address) !== 0 && !isAllowedAddress(address, demo)) return undefined
  return url
}
