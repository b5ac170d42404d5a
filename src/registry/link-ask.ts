import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { minutesAfter, newSecret, tokenMinutes } from './link-request.ts'

/** Begins a link from inside the mailbox. Answers the nonce, which the service's answer must repeat. */
export async function askForLink(db: Db, actor: Actor, { serviceId }: { serviceId: string }, now: Date): Promise<string> {
  requireRight(actor, 'links:manage')
  const { secret: nonce, hash } = newSecret()
  await within(
    db,
    scopeOf(actor),
    (sql) => sql`
      insert into link_request (id, service_id, kind, party_id, state, nonce_hash, created_at, expires_at)
      values (${newId()}, ${serviceId}, 'request', ${actor.partyId}, 'asked', ${hash}, ${now}, ${minutesAfter(now, answerMinutes)})`,
  )
  return nonce
}

/** The request itself must reach the service within `tokenMinutes`; then the person signs in there. */
const answerMinutes = 30 + tokenMinutes
