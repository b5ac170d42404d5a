import { randomBytes, randomInt } from 'node:crypto'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { type ContactKind, type ContactOptions, codeMinutes, codesPerHour, hashOf, type Language } from './contact-detail.ts'
import { putOutgoing } from './outgoing.ts'

/** Changes to somebody's contact details come one after another: each counts what is there. For a transaction in the party's scope. */
export async function lockContactDetails(db: Db, partyId: string): Promise<void> {
  await db`select pg_advisory_xact_lock(hashtextextended('contact details ' || ${partyId}::text, 0))`
}

export async function mayHaveCode(db: Db, partyId: string, now: Date): Promise<boolean> {
  const hourAgo = new Date(now.getTime() - 3_600_000)
  const [row] = await db<{ count: number }[]>`
    select count(*)::int as count from outgoing
    where ${own(db, db`party_id = ${partyId}`)} and created_at > ${hourAgo} and template in ('confirm-email', 'confirm-mobile')`
  return row!.count < codesPerHour
}

export type CodeFor = { partyId: string; id: string; kind: ContactKind; value: string; language: Language }

/** A new code in place of the one before, on its way out. For a transaction in the party's scope. */
export async function sendCode(
  db: Db,
  { keys, baseUrl, serviceName }: ContactOptions,
  { partyId, id, kind, value, language }: CodeFor,
  now: Date,
): Promise<void> {
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  const token = randomBytes(32).toString('base64url')
  const endsAt = new Date(now.getTime() + codeMinutes * 60_000)
  await db`
    update contact_detail
    set code_hash = ${hashOf(keys, 'code', id, code)}, code_ends_at = ${endsAt}, code_tries = 0,
      link_hash = ${kind === 'email' ? hashOf(keys, 'link', token) : null}
    where ${own(db, db`party_id = ${partyId}`)} and id = ${id}`
  const values = { code, service: serviceName, link: `${baseUrl}/confirm-email/${token}` }
  await putOutgoing(db, keys, { partyId, template: `confirm-${kind}`, language, to: value, values, endsAt }, now)
}
