import type { Db } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import { readWithin, within } from '../database/scope.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import type { LetterLimits } from './allow-letters.ts'
import { checkMailing } from './check-mailing.ts'
import { mailingColumns } from './find-mailings.ts'
import type { Mailing } from './mailing.ts'
import { sendMailing } from './send-mailing.ts'

/** What a service may look up and send, where the declaration says nothing else of it. */
export type MailingLimits = { lookups: { perMinute: number; perDay: number }; letters: LetterLimits }

/** How long a process may be silent about a part of a mailing before another takes it up: several times what a part needs. */
const leaseMs = 15_000

/**
 * Looks up the recipients of mailings and sends their letters, each a part at a time in turn, until there is nothing to do now. Harmless when run
 * twice or beside itself: a mailing is leased for a part, what was looked up is looked up again, and each letter has its reference.
 */
export async function workOnMailings(
  db: Db,
  keys: IdentifierKeys,
  limits: MailingLimits,
  clock: () => Date,
  signal: AbortSignal,
): Promise<void> {
  for (let isMoving = true; isMoving && !signal.aborted; ) {
    isMoving = false
    for (const one of await findWork(db, clock())) {
      if (signal.aborted) return
      if (await workOn(db, keys, limits, one, clock)) isMoving = true
    }
  }
}

type OneMailing = Pick<Mailing, 'senderId' | 'id'>

async function findWork(db: Db, now: Date): Promise<OneMailing[]> {
  return readWithin<OneMailing>(
    db,
    { purpose: 'delivery' },
    db`select sender_id, id from mailing where state in ('checking', 'sending') and leased_until <= ${now} order by id`,
  )
}

/** Whether there may be more to do for it at once. */
async function workOn(
  db: Db,
  keys: IdentifierKeys,
  limits: MailingLimits,
  { senderId, id }: OneMailing,
  clock: () => Date,
): Promise<boolean> {
  const now = clock()
  const scope = { senders: [senderId] }
  const until = new Date(now.getTime() + leaseMs)
  const [mailing] = await within(
    db,
    scope,
    (sql) => sql<Mailing[]>`
    update mailing set leased_until = ${until}
    where sender_id = ${senderId} and id = ${id} and state in ('checking', 'sending') and leased_until <= ${now}
    returning ${mailingColumns(sql)}`,
  )
  if (mailing === undefined) return false
  try {
    if (mailing.state === 'checking') return await checkMailing(db, keys, limits.lookups, mailing, now)
    return await sendMailing(db, keys, limits.letters, mailing, now)
  } catch (error) {
    console.error('A part of a mailing was not done, and is tried again soon.', describeError(error))
    return false
  } finally {
    await within(
      db,
      scope,
      (sql) => sql`
      update mailing set leased_until = '-infinity' where sender_id = ${senderId} and id = ${id} and leased_until = ${until}`,
    ).catch(() => {})
  }
}
