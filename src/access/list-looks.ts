import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { type Actor, type By, isFromOutside, servicesFor } from './actor.ts'
import type { LookKind } from './look.ts'
import { requireRight } from './rights.ts'
import { scopeOf } from './scope-of.ts'

/** One look, or all look-ups that one asker made on one day. */
export type SeenLook = {
  at: Date
  byKind: By['kind']
  /** Whether it was whoever reads this. */
  isOwn: boolean
  byName: string
  what: LookKind
  reason: string | null
  /** How often, of look-ups. */
  count: number
  serviceName: string | null
  organisationName: string | null
  isAboutLetter: boolean
  /** The letter, where the reader may read it too. */
  letter: { id: string; subject: string; isSent: boolean } | undefined
}

export const looksPageSize = 50

type Row = Omit<SeenLook, 'isOwn' | 'letter'> & {
  byId: string
  messageId: string | null
  subject: string | null
  isSent: boolean | null
  letterServiceId: string | null
  total: number
}

/**
 * Every look into the mailbox that is open, newest first. A helper sees those that are about what the helper may see: of some
 * services or categories only, and never of a letter for the recipient alone.
 */
export async function listLooks(
  db: Db,
  actor: Actor,
  { page, othersOnly }: { page: number; othersOnly: boolean },
): Promise<{ looks: SeenLook[]; page: number; pages: number }> {
  requireRight(actor, 'looks:read')
  // Who manages a business's people without reading its post sees that there was a letter, and not its subject.
  const scope = { ...scopeOf(actor), services: servicesFor(actor, 'looks:read'), senders: [actor.partyId] }
  const rows = await readWithin<Row>(
    db,
    scope,
    db`
      select seen.at, seen.by_kind, seen.by_id, seen.by_name, seen.what, seen.reason, seen.count, seen.total,
        service.name as service_name, body.name as organisation_name, seen.message_id is not null as is_about_letter,
        letter.id as message_id, letter.subject, letter.is_sent, letter.service_id as letter_service_id
      from (
        select max(seen.at) as at, max(seen.id::text) as last_id, seen.by_kind, seen.by_id, seen.by_name, seen.what, seen.reason,
          seen.service_id, seen.message_id, count(*)::int as count, count(*) over ()::int as total
        from (${looksOf(db, actor)}) as seen
        where ${own(db, isWithinLimits(db, actor))}
          ${othersOnly ? db`and not (seen.by_id = ${actor.by.id} and seen.by_kind in ('owner', 'helper'))` : db``}
        group by (seen.at at time zone 'Europe/London')::date, seen.by_kind, seen.by_id, seen.by_name, seen.what, seen.reason,
          seen.service_id, seen.message_id, case when seen.what = 'looked-up' then null else seen.id end
        order by max(seen.at) desc, max(seen.id::text) desc
        limit ${looksPageSize} offset ${(page - 1) * looksPageSize}
      ) as seen
      left join service on service.id = seen.service_id
      left join party body on body.id = service.organisation_id
      left join lateral (${letterOf(db, actor, db`true`)} limit 1) as letter on true
      order by seen.at desc, seen.last_id desc`,
  )
  const pages = Math.max(1, Math.ceil((rows[0]?.total ?? 0) / looksPageSize))
  return { looks: rows.map((row) => toLook(row, actor)), page, pages }
}

/** What is noted of everybody who looks, and what the party itself wrote, of which nothing is noted but the message. */
function looksOf(db: Db, { partyId }: Actor): Fragment {
  return db`
    select at, id, by_kind, by_id, by_name, what, message_id, service_id, reason from look
    where ${own(db, db`party_id = ${partyId}`)}
    union all
    select ledger.accepted_at, message.id, 'owner', ${partyId}::text, (select name from party where id = ${partyId}),
      case when message.answers_id is null then 'wrote' else 'answered' end, message.id, message.service_id, null
    from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ledger.sender_id = ${partyId} and message.written_by_id is null`
}

/** Of a row `seen`: whether it is about what the actor may see. */
function isWithinLimits(db: Db, actor: Actor): Fragment {
  const services = servicesFor(actor, 'looks:read') as string[] | undefined
  const categories = actor.categories as string[] | undefined
  return db`
    true ${services === undefined ? db`` : db`and seen.service_id = any(${services}::uuid[])`}
    ${isFromOutside(actor) ? db`and (seen.message_id is null or exists (${letterOf(db, actor, db`not message.recipient_only`)}))` : db``}
    ${categories === undefined ? db`` : db`and exists (${letterOf(db, actor, db`message.category = any(${categories})`)})`}`
}

/** The letter that a look is about, if it is such a one: one received, or one sent. */
function letterOf(db: Db, { partyId, mailboxId }: Actor, isSuch: Fragment): Fragment {
  const columns = db`message.id, message.subject, message.service_id`
  return db`
    select ${columns}, message.mailbox_id <> ${mailboxId} as is_sent from message
    where ${own(db, db`message.mailbox_id = ${mailboxId} and message.erased_at is null`)} and message.id = seen.message_id and ${isSuch}
    union all
    select ${columns}, true
    from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ledger.sender_id = ${partyId} and ledger.message_id = seen.message_id and ${isSuch}`
}

function toLook({ byId, messageId, subject, isSent, letterServiceId, total: _, ...look }: Row, actor: Actor): SeenLook {
  const right = isSent ? 'messages:read' : 'inbox:read'
  const mayRead = actor.rights.has(right) && (servicesFor(actor, right)?.includes(letterServiceId ?? '') ?? true)
  const isOwn = byId === actor.by.id && (look.byKind === 'owner' || look.byKind === 'helper')
  const letter = messageId !== null && mayRead ? { id: messageId, subject: subject!, isSent: isSent! } : undefined
  return { ...look, isOwn, letter }
}
