import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { mergeParties } from './merge-parties.ts'

/**
 * Brings together the two mailboxes of one person, who asked for it (`askToJoin`) and has proven who they are since. Three
 * things agree: the service says that the identifier is this person's, both mailboxes have the name and the date of birth
 * that One Login has proven now, and the person asked. The older mailbox stays; answers whose party it is, or undefined
 * where nothing of the kind was asked for, or it does not agree.
 */
export async function joinMailboxes(
  db: Db,
  { partyId, identity }: { partyId: string; identity: { name: string; birthDate: string } },
  now: Date,
): Promise<string | undefined> {
  return within(db, { purpose: 'linking', party: partyId }, async (sql) => {
    const parties = await sql<{ id: string }[]>`
      with asked as (
        select link.party_id as holder_id from link_request
        join link using (service_id, scheme, value_hash)
        where link_request.party_id = ${partyId} and link_request.state = 'joining' and link_request.expires_at > ${now}
        order by link_request.id desc limit 1
      )
      select party.id from party, asked
      where party.id in (asked.holder_id, ${partyId}) and party.kind = 'person'
        and lower(party.name) = lower(${identity.name}) and party.birth_date = ${identity.birthDate}::text::date
      order by party.created_at, party.id`
    const [older, newer, ...more] = parties
    if (older === undefined || newer === undefined || more.length > 0) return undefined
    await sql`update link_request set state = 'joined' where party_id = ${partyId} and state = 'joining'`
    await mergeParties(sql, { fromPartyId: newer.id, intoPartyId: older.id }, now)
    return older.id
  })
}
