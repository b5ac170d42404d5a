import type { ContactKind } from './contact-detail.ts'
import type { Outgoing } from './outgoing.ts'

/** How a try went. `why` is for the log and the table: it says nothing of whom or what. */
export type Sent = 'sent' | { failed: 'for-now' | 'for-good'; why: string }

/** A way out: GOV.UK Notify, or a mail server. */
export type Channel = {
  kinds: readonly ContactKind[]
  /** `isAgain` where a try before may have sent it, and nobody knows. */
  send: (message: Outgoing, options: { now: Date; signal: AbortSignal; isAgain: boolean }) => Promise<Sent>
}

export const timeLimitMs = 10_000
