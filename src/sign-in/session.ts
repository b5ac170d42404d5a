import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { deriveKey, seal, unseal } from '../seal.ts'

export type SessionKeys = { seal: Buffer; form: Buffer }
export type SessionLimits = { sessionIdleMinutes: number; sessionAbsoluteMinutes: number }

export function deriveSessionKeys(secretKey: Buffer): SessionKeys {
  return { seal: deriveKey(secretKey, 'session seal'), form: deriveKey(secretKey, 'session form') }
}

export type NewSession = {
  /** A person's party, or a member of staff. */
  owner: { partyId: string } | { staffId: string }
  subject: string
  idToken: string
  /** The session that the same browser had before, which ends. */
  replaces: string | undefined
}

/** Answers the token for the cookie. Only its hash is kept, so that who reads the database cannot use a session. */
export async function startSession(db: Db, keys: SessionKeys, session: NewSession, now: Date): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const id = hashToken(token)
  const { owner, subject, idToken, replaces } = session
  await db`
    with before as (delete from session where id_hash = ${hashToken(replaces ?? '')})
    insert into session (id_hash, party_id, staff_id, subject, id_token_sealed, created_at, last_seen_at)
    values (
      ${id}, ${'partyId' in owner ? owner.partyId : null}, ${'staffId' in owner ? owner.staffId : null},
      ${subject}, ${seal(keys.seal, id, idToken)}, ${now}, ${now}
    )`
  return token
}

export type Session = {
  role: 'person' | 'staff'
  actor: Actor
  /** Of the person, or of the member of staff. */
  name: string
  /** Of the public body, for staff. */
  organisationName: string | undefined
}

/** Whose session it is, unless it has ended: one query, as every page asks. Being seen is written at most once a minute. */
export async function readSession(
  db: Db,
  limits: SessionLimits,
  token: string,
  requestId: string,
  now: Date,
): Promise<Session | undefined> {
  const id = hashToken(token)
  const { idle, absolute } = earliest(limits, now)
  const [row] = await db<
    {
      partyId: string
      mailboxId: string
      partyName: string
      staffName: string | null
      serviceIds: string[] | null
      lastSeenAt: Date
    }[]
  >`
    select party.id as party_id, mailbox.id as mailbox_id, party.name as party_name,
      staff.name as staff_name, staff.service_ids, session.last_seen_at
    from session
    left join staff_member staff on staff.id = session.staff_id
    join party on party.id = coalesce(session.party_id, staff.organisation_id)
    join mailbox on mailbox.party_id = party.id
    where session.id_hash = ${id} and session.last_seen_at > ${idle} and session.created_at > ${absolute}`
  if (row === undefined) return undefined
  if (now.getTime() - row.lastSeenAt.getTime() >= 60_000) {
    await db`update session set last_seen_at = ${now} where id_hash = ${id} and last_seen_at < ${now}`
  }
  const role = row.staffName === null ? 'person' : 'staff'
  return {
    role,
    actor: {
      partyId: row.partyId,
      mailboxId: row.mailboxId,
      serviceIds: row.serviceIds ?? undefined,
      rights: rightsOf(role),
      door: role === 'person' ? 'citizen-pages' : 'department-pages',
      requestId,
    },
    name: row.staffName ?? row.partyName,
    organisationName: role === 'staff' ? row.partyName : undefined,
  }
}

/** Answers the provider's ID token, which it wants back for signing out there too; undefined when there was no such session. */
export async function endSession(db: Db, keys: SessionKeys, token: string): Promise<string | undefined> {
  const id = hashToken(token)
  const [row] = await db<{ idTokenSealed: Buffer }[]>`delete from session where id_hash = ${id} returning id_token_sealed`
  return row && unseal(keys.seal, id, row.idTokenSealed)
}

/** For a job: what has ended by itself, and the tokens that nobody can use again anyway. */
export async function deleteExpiredSessions(db: Db, limits: SessionLimits, now: Date): Promise<void> {
  const { idle, absolute } = earliest(limits, now)
  await db`delete from session where last_seen_at <= ${idle} or created_at <= ${absolute}`
  await db`delete from used_token where expires_at < ${now}`
}

/** What every form of the session carries. */
export function formToken(keys: SessionKeys, token: string): string {
  return createHmac('sha256', keys.form).update(token).digest('base64url')
}

function earliest({ sessionIdleMinutes, sessionAbsoluteMinutes }: SessionLimits, now: Date) {
  const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
  return { idle: before(sessionIdleMinutes), absolute: before(sessionAbsoluteMinutes) }
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
