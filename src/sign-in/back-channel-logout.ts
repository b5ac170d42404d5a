import { createHash } from 'node:crypto'
import { jwtVerify } from 'jose'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import type { OneLogin } from './one-login.ts'

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const clockToleranceSeconds = 30

export type LogoutOrder = { subject: string; id: Buffer; expiresAt: Date }

/** Checks a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6). Throws when it is not one of One Login's for us. */
export async function readLogoutToken({ provider }: OneLogin, token: string, now: Date): Promise<LogoutOrder> {
  const { payload } = await jwtVerify(token, provider.keys(now), {
    typ: 'logout+jwt',
    algorithms: ['ES256'],
    issuer: provider.issuer,
    audience: provider.clientId,
    requiredClaims: ['sub', 'iat', 'exp', 'jti', 'events'],
    clockTolerance: clockToleranceSeconds,
    currentDate: now,
  })
  const { sub, jti, exp, events } = payload
  const isLogout = typeof events === 'object' && events !== null && isObject((events as Record<string, unknown>)[logoutEvent])
  // A nonce would make it an ID token in disguise.
  if (!isLogout || !sub || !jti || payload.nonce !== undefined) throw new Error('not a logout token')
  return {
    subject: sub,
    id: createHash('sha256')
      .update(JSON.stringify([provider.issuer, jti]))
      .digest(),
    expiresAt: new Date((exp! + clockToleranceSeconds) * 1000),
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/**
 * Ends every session of the person: One Login names no single one. The same token again does nothing, so that a copy of
 * it cannot sign out somebody who has signed in anew. Answers how many were ended.
 */
export async function endSessionsOfSubject(db: Db, { subject, id, expiresAt }: LogoutOrder): Promise<number> {
  const { count } = await within(
    db,
    { purpose: 'sign-in' },
    (sql) => sql`
    with first as (
      insert into used_token (id_hash, expires_at) values (${id}, ${expiresAt})
      on conflict do nothing
      returning true
    )
    delete from session where subject = ${subject} and party_id is not null and exists (select from first)`,
  )
  return count
}
