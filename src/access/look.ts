import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import type { By } from './actor.ts'

/** What can be done with what is somebody's, in the words of the record. `docs/rights.md` has the sentences that the owner reads. */
export const lookKinds = [
  'opened',
  'read',
  'downloaded',
  'filed',
  'answered',
  'acted',
  'wrote',
  'draft-read',
  'mailbox-opened',
  'searched',
  'looked-up',
  'record-viewed',
  'registration-changed',
  'grant-entered',
  'grant-ended',
  'link-made',
  'link-ended',
] as const
export type LookKind = (typeof lookKinds)[number]

/** One look into, or act on, what is a party's: for its owner to see. */
export type Look = {
  /** Whose it is. */
  partyId: string
  by: By
  what: LookKind
  messageId?: string | undefined
  serviceId?: string | undefined
  /** Why, where that must be said: by registrars. */
  reason?: string | undefined
}

/** Notes looks, in the transaction and scope of what they are about. */
export async function noteLooks(db: Db, looks: readonly Look[], now: Date): Promise<void> {
  if (looks.length === 0) return
  const rows = looks.map(({ partyId, by, what, messageId, serviceId, reason }) => ({
    party_id: partyId,
    id: newId(),
    at: now,
    by_kind: by.kind,
    by_id: by.id,
    by_name: by.name,
    what,
    message_id: messageId ?? null,
    service_id: serviceId ?? null,
    reason: reason ?? null,
  }))
  await db`insert into look ${db(rows)}`
}
