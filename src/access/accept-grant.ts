import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { Actor } from './actor.ts'
import {
  type Grant,
  grantColumns,
  grantHolds,
  holderOf,
  lockGrants,
  personOf,
  refuseCircle,
  refuseImpossible,
  type Side,
} from './grant.ts'
import { hashInvitationCode } from './grant-invitation.ts'

const triesMax = 10
const triesMs = 3_600_000

// An offer is nobody's until it is accepted: it is found across parties, and shown to whoever entered its code.

/**
 * What is offered by this code, for the person who entered it: they may accept it from now on, and nobody who entered it before.
 * Throws `invitation-not-valid`, the same for every code that leads to none, and `too-many-attempts`.
 */
export async function enterInvitationCode(
  db: Db,
  key: Buffer,
  actor: Actor,
  code: string,
  now: Date,
): Promise<{ grantId: string }> {
  const personId = personOf(actor)
  // Counted first, and for good: a guess that is stopped half way has been a guess.
  const tries = await countTry(db, personId, now)
  if (tries > triesMax) throw new Problem('too-many-attempts')
  const [offer] = await within(
    db,
    { purpose: 'granting', party: personId },
    (sql) => sql<{ id: string }[]>`
      update access_grant offered set shown_to_id = ${personId}
      where offered.invitation_hash = ${hashInvitationCode(key, code)} and ${isOpen(sql, now)}
      returning offered.id`,
  )
  if (offer === undefined) throw new Problem('invitation-not-valid')
  await within(
    db,
    { party: personId },
    (sql) => sql`update grant_attempt set tries = tries - 1 where ${own(sql, sql`party_id = ${personId}`)}`,
  )
  return { grantId: offer.id }
}

async function countTry(db: Db, personId: string, now: Date): Promise<number> {
  const hourAgo = new Date(now.getTime() - triesMs)
  const [row] = await within(
    db,
    { party: personId },
    (sql) => sql<{ tries: number }[]>`
      insert into grant_attempt as attempt (party_id, began_at, tries) values (${personId}, ${now}, 1)
      on conflict (party_id) do update set
        tries = case when attempt.began_at <= ${hourAgo} then 1 else attempt.tries + 1 end,
        began_at = case when attempt.began_at <= ${hourAgo} then excluded.began_at else attempt.began_at end
      returning tries`,
  )
  return row!.tries
}

/** What is offered to the person who entered its code. Throws `not-found`. */
export async function findOffer(db: Db, actor: Actor, grantId: string, now: Date): Promise<Grant> {
  const personId = personOf(actor)
  return within(db, { purpose: 'granting', party: personId }, (sql) => findShown(sql, grantId, personId, now))
}

async function findShown(db: Db, grantId: string, personId: string, now: Date): Promise<Grant> {
  const [offer] = await db<Grant[]>`
    select ${grantColumns(db)} from access_grant held join access_grant offered on offered.id = held.id
    where held.id = ${grantId} and offered.shown_to_id = ${personId} and ${isOpen(db, now)}`
  if (offer === undefined) throw new Problem('not-found')
  return offer
}

/**
 * The person takes on what is offered, for themselves or for the firm whose mailbox they have open: the holder may open the
 * mailbox from its beginning on. Throws `not-found`, `scope-missing` where the firm's grants are not theirs to manage, and
 * `grant-to-oneself`, `grant-in-circle`, `grant-not-possible`, `mailbox-closed` where it must not be.
 */
export async function acceptGrant(db: Db, actor: Actor, grantId: string, now: Date, side: Side = 'person'): Promise<void> {
  const personId = personOf(actor)
  const holderId = holderOf(actor, side)
  await within(db, { purpose: 'granting', party: personId }, async (sql) => {
    await lockGrants(sql)
    const offer = await findShown(sql, grantId, personId, now)
    const [made] = await sql<{ offeredById: string; isClosed: boolean; name: string; isBusiness: boolean }[]>`
      select offered.offered_by_id, holder.name, holder.kind = 'business' as is_business,
        mailbox.registration = 'closed' or (holder.kind = 'business' and own_mailbox.registration = 'closed') as is_closed
      from access_grant offered join mailbox on mailbox.party_id = offered.giver_id
        join party holder on holder.id = ${holderId} join mailbox own_mailbox on own_mailbox.party_id = holder.id
      where offered.id = ${grantId}`
    if (made === undefined) throw new Problem('not-found')
    if (made.isClosed) throw new Problem('mailbox-closed')
    refuseImpossible(offer, offer.giverIsBusiness ? 'business' : 'person', made.isBusiness ? 'business' : 'person')
    // An administrator decides on the others, and not on what they may read themselves, nor through a firm.
    if (made.offeredById === personId) throw new Problem('grant-to-oneself')
    await refuseCircle(sql, offer.giverId, holderId, now)
    await sql`
      update access_grant
      set holder_id = ${holderId}, holder_name = ${made.name}, holder_is_business = ${made.isBusiness}, accepted_at = ${now},
        accepted_by_name = ${made.isBusiness ? actor.by.name : null}, invitation_hash = null
      where id = ${grantId}`
  })
}

/** The person does not want it. Throws `not-found`. */
export async function declineGrant(db: Db, actor: Actor, grantId: string, now: Date): Promise<void> {
  const personId = personOf(actor)
  await within(db, { purpose: 'granting', party: personId }, async (sql) => {
    const { count } = await sql`
      update access_grant offered set declined_at = ${now}, invitation_hash = null
      where offered.id = ${grantId} and offered.shown_to_id = ${personId} and ${isOpen(sql, now)}`
    if (count === 0) throw new Problem('not-found')
  })
}

/** Of a row `offered` of access_grant: it can be accepted, and whoever made it might still make it. */
function isOpen(db: Db, now: Date): Fragment {
  return db`
    offered.accepted_at is null and offered.declined_at is null and offered.ended_at is null and offered.invitation_ends_at > ${now}
    and (offered.offered_by_id = offered.giver_id or exists (
      select from access_grant held
      where held.giver_id = offered.giver_id and held.holder_id = offered.offered_by_id and held.is_administrator
        and ${grantHolds(db, now)}
    ))`
}
