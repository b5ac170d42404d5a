import type { Actor } from '../access/actor.ts'
import { personOf } from '../access/grant.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Device, unpackDevice } from './device.ts'
import { earliest, type SessionLimits } from './session.ts'

export type OwnSession = { id: string; createdAt: Date; lastSeenAt: Date; device: Device }

/** Where the person is signed in: what was used last is first. */
export async function listSessions(db: Db, actor: Actor, limits: SessionLimits, now: Date): Promise<OwnSession[]> {
  const personId = personOf(actor)
  const { idle, absolute } = earliest(limits, now)
  const rows = await readWithin<Omit<OwnSession, 'device'> & { device: string | null }>(
    db,
    { party: personId },
    db`
      select id, created_at, last_seen_at, device from session
      where ${own(db, db`party_id = ${personId}`)} and party_id is not null and last_seen_at > ${idle} and created_at > ${absolute}
      order by last_seen_at desc, id`,
  )
  return rows.map((row) => ({ ...row, device: unpackDevice(row.device) }))
}

/** Signs the person out elsewhere. Throws `not-found`. */
export async function endOwnSession(db: Db, actor: Actor, sessionId: string): Promise<void> {
  const personId = personOf(actor)
  const { count } = await within(
    db,
    { party: personId },
    (sql) => sql`delete from session where ${own(sql, sql`party_id = ${personId}`)} and id = ${sessionId}`,
  )
  if (count === 0) throw new Problem('not-found')
}

/** Signs the person out everywhere but here. */
export async function endOtherSessions(db: Db, actor: Actor, sessionId: string): Promise<void> {
  const personId = personOf(actor)
  await within(
    db,
    { party: personId },
    (sql) => sql`
      delete from session where ${own(sql, sql`party_id = ${personId}`)} and party_id is not null and id <> ${sessionId}`,
  )
}
