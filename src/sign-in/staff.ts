import { ClientSecretBasic } from 'openid-client'
import type { Config } from '../config.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { openProvider, type Provider } from './provider.ts'

/** Where staff of public bodies sign in; in demo, the stand-in for it. */
export function staffIssuer(config: Config): string {
  return config.staff.issuer ?? `${config.baseUrl}/staff-stand-in/`
}

export function openStaffProvider(config: Config): Provider {
  return openProvider(config, {
    issuer: staffIssuer(config),
    clientId: config.staff.clientId,
    redirectUri: `${config.baseUrl}/department/sign-in/callback`,
    authentication: ClientSecretBasic(config.staff.clientSecret),
  })
}

export async function findStaffMember(db: Db, subject: string): Promise<string | undefined> {
  const [row] = await readWithin<{ id: string }>(
    db,
    { purpose: 'sign-in' },
    db`select id from staff_member where subject = ${subject} and is_active`,
  )
  return row?.id
}

/** A registrar, who signs in where staff do. */
export async function findRegistrar(db: Db, subject: string): Promise<string | undefined> {
  const [row] = await readWithin<{ id: string }>(
    db,
    { purpose: 'sign-in' },
    db`select id from registrar where subject = ${subject} and is_active`,
  )
  return row?.id
}
