import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { seal } from '../seal.ts'
import { type ContactKind, type ContactOptions, emailsMax, hashOfValue, type Language } from './contact-detail.ts'
import { lockContactDetails, mayHaveCode, sendCode } from './send-code.ts'

export type NewContactDetail = { partyId: string; kind: ContactKind; value: string; language: Language }
export type Refusal = { refused: 'known' | 'too-many' | 'too-many-codes' }

/**
 * Takes an address on, and sends a code to it: it is of no use until that comes back. One that waits for its code gets a new one. There
 * is one mobile number: the one that waits is replaced at once, the one that is verified when the new one is.
 */
export async function addContactDetail(
  db: Db,
  options: ContactOptions,
  { partyId, kind, value, language }: NewContactDetail,
  now: Date,
): Promise<{ id: string } | Refusal> {
  const { keys } = options
  const hash = hashOfValue(keys, kind, value)
  return within(db, { party: partyId }, async (sql) => {
    await lockContactDetails(sql, partyId)
    const all = await sql<{ id: string; kind: ContactKind; isVerified: boolean; isSame: boolean }[]>`
      select id, kind, verified_at is not null as is_verified, value_hash = ${hash} as is_same from contact_detail
      where ${own(sql, sql`party_id = ${partyId}`)}`
    const same = all.find(({ isSame }) => isSame)
    if (same?.isVerified) return { refused: 'known' }
    if (!same && kind === 'email' && all.filter((each) => each.kind === 'email').length >= emailsMax)
      return { refused: 'too-many' }
    if (!(await mayHaveCode(sql, partyId, now))) return { refused: 'too-many-codes' }
    const id = same?.id ?? newId()
    if (!same) {
      if (kind === 'mobile')
        await sql`
        delete from contact_detail where ${own(sql, sql`party_id = ${partyId}`)} and kind = 'mobile' and verified_at is null`
      await sql`
        insert into contact_detail (party_id, id, kind, value_sealed, value_hash, created_at)
        values (${partyId}, ${id}, ${kind}, ${seal(keys.seal, id, value)}, ${hash}, ${now})`
    }
    await sendCode(sql, options, { partyId, id, kind, value, language }, now)
    return { id }
  })
}
