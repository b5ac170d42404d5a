import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import type { Sent } from './channel.ts'
import type { ContactKeys, ContactKind, Language } from './contact-detail.ts'
import type { Template } from './message-texts.ts'
import type { Channels } from './open-channels.ts'
import { openPayload } from './outgoing.ts'

export type SendingOptions = { keys: ContactKeys; channels: Channels; clock: () => Date; signal: AbortSignal }

/** Longer than a channel may take for a try. */
const leaseMs = 30_000
const atOnce = 10
const firstPauseMs = 5_000
const longestPauseMs = 10 * 60_000

type Claimed = {
  id: string
  kind: ContactKind
  template: Template
  language: Language
  payloadSealed: Buffer
  tries: number
}

/**
 * Sends what is due, and answers how many it tried. May be run by any number of processes, and be ended anywhere: each message is leased
 * while it is sent, and tried again where nobody noted how it went; the channel is told then, so that it is not sent twice.
 */
export async function sendOutgoing(db: Db, options: SendingOptions): Promise<number> {
  await giveUpLate(db, options.clock())
  const claimed = await claim(db, Object.keys(options.channels) as ContactKind[], options.clock())
  await Promise.all(claimed.map((message) => sendOne(db, message, options)))
  return claimed.length
}

async function claim(db: Db, kinds: ContactKind[], now: Date): Promise<Claimed[]> {
  return within(
    db,
    { purpose: 'alerts' },
    (sql) => sql<Claimed[]>`
      with next as (
        select id from outgoing
        where sent_at is null and failed_at is null and due_at <= ${now} and (leased_until is null or leased_until <= ${now})
          and kind = any (${kinds}::text[])
        order by due_at limit ${atOnce} for update skip locked
      )
      update outgoing set leased_until = ${new Date(now.getTime() + leaseMs)}, tries = tries + 1
      from next where outgoing.id = next.id
      returning outgoing.id, kind, template, language, payload_sealed, tries`,
  )
}

async function giveUpLate(db: Db, now: Date): Promise<void> {
  await within(
    db,
    { purpose: 'alerts' },
    (sql) => sql`
      update outgoing set failed_at = ${now}, payload_sealed = null, failure = coalesce(failure, 'It could not be sent in time.')
      where sent_at is null and failed_at is null and due_at <= ${now} and ends_at <= ${now}
        and (leased_until is null or leased_until <= ${now})`,
  )
}

async function sendOne(db: Db, message: Claimed, { keys, channels, clock, signal }: SendingOptions): Promise<void> {
  const { id, kind, template, language, payloadSealed, tries } = message
  const payload = openPayload(keys, id, payloadSealed)
  const sent = await channels[kind]!.send({ id, template, language, ...payload }, { now: clock(), signal, isAgain: tries > 1 })
  // What is ended with the program is taken up again after its lease.
  if (sent !== 'sent' && signal.aborted) return
  await note(db, id, tries, sent, clock())
}

async function note(db: Db, id: string, tries: number, sent: Sent, now: Date): Promise<void> {
  await within(db, { purpose: 'alerts' }, async (sql) => {
    if (sent === 'sent') await sql`update outgoing set sent_at = ${now}, payload_sealed = null, failure = null where id = ${id}`
    else if (sent.failed === 'for-good')
      await sql`update outgoing set failed_at = ${now}, payload_sealed = null, failure = ${sent.why} where id = ${id} and sent_at is null`
    else {
      const pause = Math.min(firstPauseMs * 2 ** (tries - 1), longestPauseMs)
      await sql`
        update outgoing set leased_until = null, failure = ${sent.why}, due_at = ${new Date(now.getTime() + pause)}
        where id = ${id} and tries = ${tries} and sent_at is null`
    }
  })
}
