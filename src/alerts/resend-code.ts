import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { unseal } from '../seal.ts'
import type { Refusal } from './add-contact-detail.ts'
import type { ContactKind, ContactOptions, Language } from './contact-detail.ts'
import { lockContactDetails, mayHaveCode, sendCode } from './send-code.ts'

/** Another code to an address that is not verified yet; the one before ends. Throws `not-found`. */
export async function resendCode(
  db: Db,
  options: ContactOptions,
  { partyId, id, language }: { partyId: string; id: string; language: Language },
  now: Date,
): Promise<'sent' | Refusal> {
  return within(db, { party: partyId }, async (sql) => {
    await lockContactDetails(sql, partyId)
    const [row] = await sql<{ kind: ContactKind; valueSealed: Buffer }[]>`
      select kind, value_sealed from contact_detail
      where ${own(sql, sql`party_id = ${partyId}`)} and id = ${id} and verified_at is null`
    if (row === undefined) throw new Problem('not-found')
    if (!(await mayHaveCode(sql, partyId, now))) return { refused: 'too-many-codes' }
    const value = unseal(options.keys.seal, id, row.valueSealed)
    await sendCode(sql, options, { partyId, id, kind: row.kind, value, language }, now)
    return 'sent'
  })
}
