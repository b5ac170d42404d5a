import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { unseal } from '../seal.ts'
import { type ContactKeys, hashOf } from './contact-detail.ts'
import { markVerified } from './verify-contact-detail.ts'

type Asked = { partyId: string; id: string; valueSealed: Buffer }

async function findAsked(db: Db, keys: ContactKeys, token: string, now: Date): Promise<Asked | undefined> {
  const [asked] = await db<Asked[]>`
    select party_id, id, value_sealed from contact_detail
    where link_hash = ${hashOf(keys, 'link', token)} and verified_at is null and code_ends_at > ${now}`
  return asked
}

/** The address that a link was sent to, for whoever opened it; undefined where it has ended. Who has the link reads what is sent there. */
export async function readLink(db: Db, keys: ContactKeys, token: string, now: Date): Promise<string | undefined> {
  return within(db, { purpose: 'alerts' }, async (sql) => {
    const asked = await findAsked(sql, keys, token, now)
    return asked && unseal(keys.seal, asked.id, asked.valueSealed)
  })
}

/** The address is theirs who asked, and verified; or it is not, and forgotten. Answers false where the link has ended. */
export async function answerLink(
  db: Db,
  keys: ContactKeys,
  { token, isTheirs }: { token: string; isTheirs: boolean },
  now: Date,
): Promise<boolean> {
  return within(db, { purpose: 'alerts' }, async (sql) => {
    const asked = await findAsked(sql, keys, token, now)
    if (asked === undefined) return false
    if (isTheirs) await markVerified(sql, asked.partyId, asked.id, now)
    else await sql`delete from contact_detail where party_id = ${asked.partyId} and id = ${asked.id} and verified_at is null`
    return true
  })
}
