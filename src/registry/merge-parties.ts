import { noteLooks } from '../access/look.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteInHistory } from './change-registration.ts'
import { noteRecipientChange } from './recipient-changes.ts'
import { merged, type Registration } from './registration.ts'

/** Neither of the two parties acts in this, so no name of theirs stands beside it. */
const by = { kind: 'system', id: 'merge', name: 'The registry' } as const

/**
 * Two parties that are one person become one: everything of the first is the second's from then on, and its own mailbox stays
 * behind, empty and closed. The door makes sure that it is one person; here it is made sure that it can be. Throws `not-found`
 * unless both are people of the same name and birth date with an open mailbox.
 */
export async function mergeParties(
  db: Db,
  { fromPartyId, intoPartyId }: { fromPartyId: string; intoPartyId: string },
  now: Date,
): Promise<void> {
  await within(db, { purpose: 'merge' }, async (sql) => {
    // Nobody writes post meanwhile: a letter on its way to the mailbox that is given up would stay behind in it.
    await sql`lock table message, withheld_message in share row exclusive mode`
    const { from, into } = await findBoth(sql, fromPartyId, intoPartyId)
    await moveSignIn(sql, from.partyId, into.partyId)
    await movePost(sql, from, into)
    await moveGrants(sql, from.partyId, into.partyId, now)
    await moveConsents(sql, from.partyId, into.partyId, now)
    await moveContactDetails(sql, from.partyId, into.partyId)
    await sql`update look set party_id = ${into.partyId} where party_id = ${from.partyId}`
    await sql`
      update look set by_id = ${into.partyId}
      where by_kind = 'helper' and by_id = ${from.partyId}
        and party_id in (
          select giver_id from access_grant where holder_id = ${into.partyId}
          union select client.giver_id from access_grant employment join access_grant client on client.holder_id = employment.giver_id
          where employment.holder_id = ${into.partyId})`
    await sql`update link set party_id = ${into.partyId} where party_id = ${from.partyId}`
    await sql`update link_request set party_id = ${into.partyId} where party_id = ${from.partyId}`
    await sql`update mailbox set registration = 'closed' where party_id = ${from.partyId}`
    await noteInHistory(sql, { partyId: from.partyId, from: from.registration, to: 'closed', reason: merged, by }, now)
    await noteLooks(sql, [{ partyId: into.partyId, by, what: 'registration-changed', reason: merged }], now)
    // Senders see a difference only where the two could be reached differently.
    const isSame = from.registration === into.registration && !from.byConsent && !into.byConsent
    if (!isSame) await noteRecipientChange(sql, { partyId: into.partyId }, now)
  })
}

type Side = { partyId: string; mailboxId: string; registration: Registration; byConsent: boolean }

async function findBoth(db: Db, fromPartyId: string, intoPartyId: string): Promise<{ from: Side; into: Side }> {
  type Found = Side & { name: string; birthDate: string | null }
  const sides = await db<Found[]>`
    select party.id as party_id, lower(party.name) as name, party.birth_date::text, mailbox.id as mailbox_id, mailbox.registration,
           mailbox.by_consent
    from party join mailbox on mailbox.party_id = party.id
    where party.id in (${fromPartyId}, ${intoPartyId}) and party.kind = 'person' and mailbox.registration <> 'closed'
    order by party.id for update`
  const [from, into] = [fromPartyId, intoPartyId].map((id) => sides.find(({ partyId }) => partyId === id))
  const isOne = from && into && from !== into && from.name === into.name && from.birthDate && from.birthDate === into.birthDate
  if (!isOne) throw new Problem('not-found')
  return { from, into }
}

async function moveSignIn(db: Db, from: string, into: string): Promise<void> {
  await db`update one_login_subject set party_id = ${into} where party_id = ${from}`
  await db`
    update session set party_id = ${into}
    where party_id = ${from} and subject in (select subject from one_login_subject where party_id = ${into})`
}

/**
 * What was received, and what was sent: the ledger of a person is under their own id. Each table by its key, as everybody who
 * writes waits.
 */
async function movePost(db: Db, from: Side, into: Side): Promise<void> {
  // Whoever searches next has the index of both made anew: it looks for letters that are newer than those it has.
  const both = [from.mailboxId, into.mailboxId]
  for (const table of ['search_state', 'search_word', 'search_letter', 'document_text']) {
    await db`delete from ${db(table)} where mailbox_id = any(${both}::uuid[])`
  }
  await db`update saved_search set party_id = ${into.partyId} where party_id = ${from.partyId}`
  await db`update file set mailbox_id = ${into.mailboxId} where mailbox_id = ${from.mailboxId}`
  await db`update action set mailbox_id = ${into.mailboxId} where mailbox_id = ${from.mailboxId}`
  await db`update payment set mailbox_id = ${into.mailboxId} where mailbox_id = ${from.mailboxId}`
  // Its address is known to programs of whoever made it: they make another.
  await db`delete from calendar_feed where mailbox_id = ${from.mailboxId}`
  await db`
    update ledger set mailbox_id = ${into.mailboxId} from message
    where message.mailbox_id = ${from.mailboxId} and ledger.sender_id = message.sender_id and ledger.message_id = message.id`
  await db`
    update message set mailbox_id = ${into.mailboxId}, modseq = nextval('modseq') where mailbox_id = ${from.mailboxId}`
  await db`
    update message set sender_id = ${into.partyId}, sender_party_id = ${into.partyId}
    from ledger
    where ledger.sender_id = ${from.partyId} and message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id`
  await db`
    update ledger set mailbox_id = ${into.mailboxId} from withheld_message as withheld
    where withheld.mailbox_id = ${from.mailboxId} and ledger.sender_id = withheld.sender_id and ledger.message_id = withheld.message_id`
  await db`
    update withheld_message set mailbox_id = ${into.mailboxId}, letter = letter || jsonb_build_object('mailbox_id', ${into.mailboxId}::text)
    where mailbox_id = ${from.mailboxId}`
  await db`update folder set mailbox_id = ${into.mailboxId} where mailbox_id = ${from.mailboxId}`
  await db`delete from filing where mailbox_id in (${from.mailboxId}, ${into.mailboxId})`
  await db`update ledger set sender_id = ${into.partyId} where sender_id = ${from.partyId}`
  await db`update event set sender_id = ${into.partyId} where sender_id = ${from.partyId}`
  // With their files.
  await db`update draft set mailbox_id = ${into.mailboxId} where mailbox_id = ${from.mailboxId}`
  await db`
    update draft set send_by = jsonb_set(send_by, '{id}', to_jsonb(${into.partyId}::text))
    where mailbox_id = ${into.mailboxId} and send_by->>'id' = ${from.partyId}::text`
}

/** One person cannot let themselves in: what they gave each other ends, and stays where it was. */
async function moveGrants(db: Db, from: string, into: string, now: Date): Promise<void> {
  await db`
    update access_grant set ended_at = ${now}, ended_by_name = ${by.name}
    where ended_at is null and ((giver_id = ${from} and holder_id = ${into}) or (giver_id = ${into} and holder_id = ${from}))`
  await db`update access_grant set giver_id = ${into} where giver_id = ${from} and holder_id is distinct from ${into}`
  await db`update access_grant set holder_id = ${into} where holder_id = ${from} and giver_id <> ${into}`
  await db`update access_grant set offered_by_id = ${into} where offered_by_id = ${from} and giver_id = ${into}`
  await db`
    update access_grant set shown_to_id = ${into}
    where shown_to_id = ${from} and (holder_id = ${into} or holder_is_business or accepted_at is null)`
  // Nor through a firm that lets them in, and that the other of the two had let in.
  await db`
    update access_grant client set ended_at = ${now}, ended_by_name = ${by.name}
    where giver_id = ${into} and holder_is_business and ended_at is null
      and exists (select from access_grant where giver_id = client.holder_id and holder_id = ${into} and ended_at is null)`
  await db`
    update grant_document set party_id = ${into} from access_grant
    where grant_document.party_id = ${from} and access_grant.id = grant_document.grant_id and access_grant.giver_id = ${into}`
}

/** What both have given, and a mobile number where there is one, stays that of the party that stays. */
async function moveContactDetails(db: Db, from: string, into: string): Promise<void> {
  await db`
    delete from contact_detail as gone
    where party_id = ${from} and exists (
      select from contact_detail as kept
      where kept.party_id = ${into} and (kept.value_hash = gone.value_hash or (kept.kind = 'mobile' and gone.kind = 'mobile'))
    )`
  await db`update contact_detail set party_id = ${into} where party_id = ${from}`
  await db`update outgoing set party_id = ${into} where party_id = ${from}`
  await db`
    insert into preference (party_id, language, welcomed_at)
    select ${into}, language, welcomed_at from preference where party_id = ${from} on conflict do nothing`
}

/** Where both consent to the same, the one that stays is the one of the mailbox that stays. */
async function moveConsents(db: Db, from: string, into: string, now: Date): Promise<void> {
  await db`
    update consent set withdrawn_at = ${now}
    where party_id = ${from} and withdrawn_at is null
      and category in (select category from consent as other where other.party_id = ${into} and other.withdrawn_at is null)`
  await db`update consent set party_id = ${into} where party_id = ${from}`
}
