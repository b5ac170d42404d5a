import { timingSafeEqual } from 'node:crypto'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type ContactKeys, codeTriesMax, hashOf } from './contact-detail.ts'
import { lockContactDetails } from './send-code.ts'

export type CodeOutcome = 'verified' | 'wrong' | 'too-late' | 'too-many-tries'

/** Whether this is the code that was sent to the address, which is verified then. Throws `not-found`. */
export async function verifyContactDetail(
  db: Db,
  keys: ContactKeys,
  { partyId, id, code }: { partyId: string; id: string; code: string },
  now: Date,
): Promise<CodeOutcome> {
  type Tried = { isVerified: boolean; codeHash: Buffer | null; codeEndsAt: Date | null; codeTries: number }
  // Counted first, and for good: a guess that is stopped half way has been a guess.
  const [tried] = await within(
    db,
    { party: partyId },
    (sql) => sql<Tried[]>`
      update contact_detail set code_tries = code_tries + 1 where ${own(sql, sql`party_id = ${partyId}`)} and id = ${id}
      returning verified_at is not null as is_verified, code_hash, code_ends_at, code_tries`,
  )
  if (tried === undefined) throw new Problem('not-found')
  if (tried.isVerified) return 'verified'
  if (tried.codeHash === null || tried.codeEndsAt === null || tried.codeEndsAt <= now) return 'too-late'
  if (tried.codeTries > codeTriesMax) return 'too-many-tries'
  if (!timingSafeEqual(tried.codeHash, hashOf(keys, 'code', id, code)))
    return tried.codeTries === codeTriesMax ? 'too-many-tries' : 'wrong'
  await within(db, { party: partyId }, (sql) => markVerified(sql, partyId, id, now))
  return 'verified'
}

/** For a transaction in a scope that may change the detail. A mobile number takes the place of the one before. */
export async function markVerified(db: Db, partyId: string, id: string, now: Date): Promise<void> {
  await lockContactDetails(db, partyId)
  await db`
    delete from contact_detail older using contact_detail newer
    where ${own(db, db`older.party_id = ${partyId}`)} and older.kind = 'mobile' and older.verified_at is not null
      and newer.party_id = older.party_id and newer.id = ${id} and newer.id <> older.id and newer.kind = 'mobile'`
  await db`
    update contact_detail set verified_at = ${now}, reconfirmed_at = ${now}, code_hash = null, code_ends_at = null, link_hash = null
    where ${own(db, db`party_id = ${partyId}`)} and id = ${id} and verified_at is null`
}
