import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

/** Nothing is sent there any more. Throws `not-found`. */
export async function removeContactDetail(db: Db, { partyId, id }: { partyId: string; id: string }): Promise<void> {
  const { count } = await within(
    db,
    { party: partyId },
    (sql) => sql`delete from contact_detail where ${own(sql, sql`party_id = ${partyId}`)} and id = ${id}`,
  )
  if (count === 0) throw new Problem('not-found')
}
