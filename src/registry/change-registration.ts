import { v7 as newId } from 'uuid'
import type { Actor, By } from '../access/actor.ts'
import { lockGrants } from '../access/grant.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { type Scope, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteRecipientChange } from './recipient-changes.ts'
import {
  type Change,
  type Changer,
  death,
  defaultRules,
  keptUntil,
  mayChange,
  ownWish,
  type PartyKind,
  type Registration,
  type RegistrationRules,
} from './registration.ts'

export type RegistrationChange = {
  partyId: string
  to: Registration
  /** For closing, one of `closingReasons`. A person who changes their own gives none. */
  reason: string
  note?: string | undefined
}

/**
 * A person becomes exempt, or joins again; a registrar does either for them, closes a mailbox, or opens one again that was
 * closed in error. Nothing is deleted. Throws `registration-not-possible` where the change may not be made.
 */
export async function changeRegistration(
  db: Db,
  actor: Actor,
  { partyId, to, reason, note }: RegistrationChange,
  now: Date,
  rules: RegistrationRules = defaultRules,
): Promise<void> {
  const isRegistrar = actor.rights.has('registry:manage')
  if (!isRegistrar) {
    requireRight(actor, 'registration:manage')
    if (partyId !== actor.partyId || actor.by.id !== partyId) throw new Problem('not-found')
  }
  const because = isRegistrar ? reason : ownWish
  await change(db, { partyId, to, reason: because, note, by: actor.by, changer: isRegistrar ? 'registrar' : 'owner' }, rules, now)
}

/** What was changed, and who changed it. */
export type Ordered = RegistrationChange & { by: By; changer: Changer }

/** The change itself, for whoever may make it: in one transaction with its history, the end of all grants, and what senders are told. */
export async function change(db: Db, ordered: Ordered, rules: RegistrationRules, now: Date): Promise<void> {
  const { partyId, to, reason, note, by, changer } = ordered
  const scope: Scope = changer === 'owner' ? { party: partyId } : { purpose: 'registry' }
  await within(db, scope, async (sql) => {
    const known = await findCurrent(sql, partyId)
    if (known === undefined) throw new Problem('not-found')
    const from = known.registration
    const closing = known.at === null ? undefined : { at: known.at, reason: known.reason! }
    if (!mayChange({ kind: known.kind, from, to, changer, reason, closing }, rules, now))
      throw new Problem('registration-not-possible')
    const kept = to === 'closed' ? keptUntil(reason, rules, now) : null
    await sql`update mailbox set registration = ${to}, kept_until = ${kept}::text::date where party_id = ${partyId}`
    await noteInHistory(sql, { partyId, from, to, reason, note, by }, now)
    if (to === 'closed') await endGrants(sql, partyId, by.name, now)
    if (to === 'closed') await endCalendarAddress(sql, known.mailboxId)
    if (to === 'closed' && (reason === death || known.kind === 'business')) await endAllOf(sql, partyId, by.name, now)
    if (changer !== 'owner') await noteLooks(sql, [{ partyId, by, what: 'registration-changed', reason }], now)
    await noteRecipientChange(sql, { partyId }, now)
  })
}

type Current = { mailboxId: string; kind: PartyKind; registration: Registration; at: Date | null; reason: string | null }

/** Held until the transaction ends, so that two changes follow each other. With when and why it was closed, where it is. */
async function findCurrent(db: Db, partyId: string): Promise<Current | undefined> {
  const [current] = await db<Current[]>`
    select mailbox.id as mailbox_id, party.kind, mailbox.registration, closing.at, closing.reason
    from mailbox join party on party.id = mailbox.party_id
    left join lateral (
      select at, reason from registration_change
      where party_id = mailbox.party_id and became = 'closed' and mailbox.registration = 'closed' order by at desc, id desc limit 1
    ) closing on true
    where mailbox.party_id = ${partyId} for update of mailbox`
  return current
}

export async function noteInHistory(
  db: Db,
  { partyId, from, to, reason, note, by }: Pick<Change, 'from' | 'to'> & RegistrationChange & { by: By },
  now: Date,
): Promise<void> {
  await db`
    insert into registration_change (party_id, id, at, was, became, reason, note, by_kind, by_id, by_name)
    values (${partyId}, ${newId()}, ${now}, ${from}, ${to}, ${reason}, ${note ?? null}, ${by.kind}, ${by.id}, ${by.name})`
}

/** Whoever was let in, or invited, is out from the next request on; and nobody is let in meanwhile. */
async function endGrants(db: Db, giverId: string, endedByName: string, now: Date): Promise<void> {
  await lockGrants(db)
  await db`
    update access_grant set ended_at = ${now}, ended_by_name = ${endedByName}, invitation_hash = null
    where giver_id = ${giverId} and ended_at is null`
}

/** Whoever has the address reads without signing in: it opens nothing any more. */
async function endCalendarAddress(db: Db, mailboxId: string): Promise<void> {
  await within(db, { mailbox: mailboxId }, (sql) => sql`delete from calendar_feed where mailbox_id = ${mailboxId}`)
}

/** Nobody acts as somebody who has died, or for a firm that is no more: not in their own mailbox, nor in one that they were let into. */
async function endAllOf(db: Db, partyId: string, endedByName: string, now: Date): Promise<void> {
  await db`
    update access_grant set ended_at = ${now}, ended_by_name = ${endedByName} where holder_id = ${partyId} and ended_at is null`
  await within(db, { purpose: 'sign-in' }, (sql) => sql`delete from session where party_id = ${partyId}`)
}
