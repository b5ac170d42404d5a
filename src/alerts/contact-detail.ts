import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Config } from '../config.ts'
import { deriveKey } from '../seal.ts'

/** By what somebody can be told that there is post. */
export type ContactKind = 'email' | 'mobile'
export type Language = 'en' | 'cy'

export type ContactDetail = {
  id: string
  kind: ContactKind
  value: string
  createdAt: Date
  /** When a code or link that was sent there came back; undefined where none has yet. */
  verifiedAt: Date | undefined
  /** When its owner last said that it is still right, which verifying says too. */
  reconfirmedAt: Date | undefined
}

export const emailsMax = 3
export const codeMinutes = 15
export const codeTriesMax = 5
/** For each person, whatever they are sent to: what costs money, and can annoy others, has an end. */
export const codesPerHour = 5
/** After that, its owner is asked whether it is still right: the law asks for the last verified one. */
export const reconfirmDays = 365

export type ContactKeys = { seal: Buffer; hash: KeyObject }
/** What whoever writes to contact details must know. `baseUrl` is without a slash at the end. */
export type ContactOptions = { keys: ContactKeys; baseUrl: string; serviceName: string }

/** What can be sent to at all, by the channels that are configured. */
export function offeredKinds({ alerts: { notify, smtp } }: Config): Record<ContactKind, boolean> {
  return { email: (smtp ?? notify) !== undefined, mobile: notify !== undefined }
}

export function contactOptions({ secretKey, baseUrl, serviceName }: Config): ContactOptions {
  const hash = createSecretKey(deriveKey(secretKey, 'contact detail hash'))
  return { keys: { seal: deriveKey(secretKey, 'contact detail seal'), hash }, baseUrl, serviceName }
}

/** Keyed, as a code of six digits or a mobile number could be found out from a plain hash. */
export function hashOf({ hash }: ContactKeys, ...what: readonly string[]): Buffer {
  return createHmac('sha256', hash).update(JSON.stringify(what)).digest()
}

/** As it may be sent to, or undefined. The part before the @ is kept as typed: only its provider knows whether capitals matter. */
export function readEmail(text: string): string | undefined {
  const [, local = '', domain = ''] = /^([^\s@]+)@([^\s@]+)$/.exec(text.trim()) ?? []
  const isLocal = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(local) && local.length <= 64
  const host = domain.toLowerCase()
  const isHost = host.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{2,59})$/.test(host)
  return isLocal && isHost ? `${local}@${host}` : undefined
}

/** A mobile number as E.164 has it, of the United Kingdom where it says no country; or undefined. */
export function readMobile(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/\(0\)/, '')
    .replaceAll(/[\s().\u2010-\u2015-]/g, '')
  const number = bare
    .replace(/^00/, '+')
    .replace(/^0/, '+44')
    .replace(/^44(?=7)/, '+44')
  // 070 is for forwarding and 076 for pagers, but for 07624, which is the Isle of Man’s.
  if (number.startsWith('+44')) return /^\+447([1-57-9]\d{8}|624\d{6})$/.test(number) ? number : undefined
  return /^\+[1-9]\d{7,14}$/.test(number) ? number : undefined
}

/** As people write it: 07700 900123 in the United Kingdom. */
export function numberInWords(number: string): string {
  const national = /^\+44(\d{4})(\d{6})$/.exec(number)
  return national ? `0${national[1]} ${national[2]}` : number
}

/** By which the same one is known again. */
export function hashOfValue(keys: ContactKeys, kind: ContactKind, value: string): Buffer {
  return hashOf(keys, 'value', kind, value.toLowerCase())
}
