import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { death, type PartyKind, type Reachability, type Registration } from './registration.ts'

export type OwnRegistration = Reachability & {
  kind: PartyKind
  keptUntil: string | null
  /** The newest first. */
  history: { at: string; was: Registration; became: Registration; reason: string; byKind: string; byName: string }[]
}

/** Whether the owner of the open mailbox can be reached, and how that came to be. */
export async function findRegistration(db: Db, actor: Actor): Promise<OwnRegistration> {
  requireRight(actor, 'registration:manage')
  const [found] = await readWithin<OwnRegistration>(
    db,
    scopeOf(actor),
    db`
    select party.kind, mailbox.registration, nullif(mailbox.reachable_from, '-infinity') as reachable_from, mailbox.kept_until::text,
      case when mailbox.by_consent then array(
        select category from consent where consent.party_id = mailbox.party_id and withdrawn_at is null order by category
      ) end as categories,
      (select coalesce(jsonb_agg(jsonb_build_object(
          'at', at, 'was', was, 'became', became, 'reason', reason, 'byKind', by_kind, 'byName', by_name
        ) order by at desc, id desc), '[]')
       from registration_change where registration_change.party_id = mailbox.party_id) as history
    from mailbox join party on party.id = mailbox.party_id
    where ${own(db, db`mailbox.party_id = ${actor.partyId}`)} and party.kind <> 'public-body'`,
  )
  if (found === undefined) throw new Problem('not-found')
  return found
}

/** Whether a mailbox is closed because its owner has died, so that nobody can be let in as them. */
export async function isClosedByDeath(db: Db, partyId: string): Promise<boolean> {
  const [found] = await readWithin<{ reason: string }>(
    db,
    { party: partyId },
    db`
    select closing.reason from mailbox
    join lateral (
      select reason from registration_change where party_id = mailbox.party_id and became = 'closed' order by at desc, id desc limit 1
    ) as closing on true
    where mailbox.party_id = ${partyId} and mailbox.registration = 'closed'`,
  )
  return found?.reason === death
}

export type Consent = { category: string; givenAt: Date; withdrawnAt: Date | null; wording: string; language: string }

/** All that the owner has ever consented to, the newest first. */
export async function listConsents(db: Db, actor: Actor): Promise<Consent[]> {
  requireRight(actor, 'registration:manage')
  return readWithin<Consent>(
    db,
    scopeOf(actor),
    db`
    select category, given_at, withdrawn_at, wording, language from consent
    where ${own(db, db`party_id = ${actor.partyId}`)} order by given_at desc, id desc`,
  )
}
