import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { noteRecipientChange } from './recipient-changes.ts'

/** The administrator of a new business has signed in: from now on it can be written to. Harmless where it could be before. */
export async function endGracePeriod(db: Db, { partyId }: { partyId: string }, now: Date): Promise<void> {
  await within(db, { party: partyId }, async (sql) => {
    const [ended] = await sql`
      update mailbox set reachable_from = ${now} where ${own(sql, sql`party_id = ${partyId}`)} and reachable_from > ${now} returning id`
    if (ended !== undefined) await noteRecipientChange(sql, { partyId }, now)
  })
}
