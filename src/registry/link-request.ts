import { createHash, randomBytes } from 'node:crypto'

/**
 * A link under way, from the request or the offer to its end. `taken` is an identifier that somebody else has already; where
 * that seems to be the same person, their two mailboxes can be brought together (`joining`).
 */
const states = {
  asked: { answer: 'answered' },
  answered: { confirm: 'confirmed', decline: 'declined', clash: 'taken', misplace: 'misplaced' },
  taken: { join: 'joining', misplace: 'misplaced' },
  joining: { join: 'joining', joined: 'joined', misplace: 'misplaced' },
  confirmed: {},
  declined: {},
  joined: {},
  /** It came to somebody else than who asked. */
  misplaced: {},
} as const satisfies Record<string, Partial<Record<string, string>>>

export type LinkState = keyof typeof states
export type LinkEvent = 'answer' | 'confirm' | 'decline' | 'clash' | 'misplace' | 'join' | 'joined'

/** The state after an event; undefined where the event cannot be. */
export function nextState(state: LinkState, event: LinkEvent): LinkState | undefined {
  return (states[state] as Partial<Record<LinkEvent, LinkState>>)[event]
}

/** Why a link goes no further. Its page says what to do. */
export type LinkRefusal =
  | 'unreadable'
  | 'unknown-service'
  | 'keys-unreachable'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'nonce'
  | 'identifier'
  | 'old'
  | 'used'
  | 'other-session'
export type Refused = { refused: LinkRefusal }

/** How long a request or an answer counts after it was signed. */
export const tokenMinutes = 10
/** How long a person has for signing in, proving who they are, and confirming. */
export const confirmMinutes = 60

/** A service's own identifiers have this scheme: the only one that a service can vouch for alone. */
export const linkedScheme = 'link'

/** Something that nobody can guess, and its hash, which is all that is kept. */
export function newSecret(): { secret: string; hash: Buffer } {
  const secret = randomBytes(32).toString('base64url')
  return { secret, hash: hashSecret(secret) }
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export function minutesAfter(now: Date, minutes: number): Date {
  return new Date(now.getTime() + minutes * 60_000)
}

/** The last characters of an identifier, so that its owner knows it again and nobody else learns it: never more than half. */
export function endingOf(value: string): string {
  const characters = [...value]
  return characters.slice(characters.length - Math.min(3, Math.floor(characters.length / 2))).join('')
}
