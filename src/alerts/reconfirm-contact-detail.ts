import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

/** Its owner says that it is still right. Throws `not-found`. */
export async function reconfirmContactDetail(db: Db, { partyId, id }: { partyId: string; id: string }, now: Date): Promise<void> {
  const { count } = await within(
    db,
    { party: partyId },
    (sql) => sql`
      update contact_detail set reconfirmed_at = ${now}
      where ${own(sql, sql`party_id = ${partyId}`)} and id = ${id} and verified_at is not null`,
  )
  if (count === 0) throw new Problem('not-found')
}
