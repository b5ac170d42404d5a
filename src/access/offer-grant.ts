import { v7 as newId } from 'uuid'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, type Scope, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Actor, isFromOutside } from './actor.ts'
import { type Access, grantKinds, periodOf, refuseImpossible } from './grant.ts'
import { hashInvitationCode, invitationCode, invitationDays } from './grant-invitation.ts'
import { noteLooks } from './look.ts'
import { requireRight } from './rights.ts'

export type Offer = Access & {
  /** Whom it is for, as the giver calls them. */
  holderName: string
  startsAt?: Date | undefined
  endsAt?: Date | undefined
}

/**
 * Invites somebody to read, or to write as well, in the mailbox that is open: by its owner, or by a business's administrator, who
 * can give what the mailbox has, and not only what they have themselves. Whoever enters the code in time may accept it. Throws
 * `grant-not-possible`, `grant-over`, `mailbox-closed`.
 */
export async function offerGrant(
  db: Db,
  key: Buffer,
  actor: Actor,
  offer: Offer,
  now: Date,
): Promise<{ grantId: string; code: string }> {
  requireRight(actor, 'grants:manage')
  if (grantKinds[offer.kind].isByLaw) throw new Problem('grant-not-possible')
  const { startsAt, endsAt } = periodOf(offer, now)
  const grantId = newId()
  const code = invitationCode(key, grantId)
  const inTime = new Date(now.getTime() + invitationDays * 86_400_000)
  await within(db, ofMailbox(actor), async (sql) => {
    const giver = await findGiver(sql, actor.partyId)
    if (giver.registration === 'closed') throw new Problem('mailbox-closed')
    refuseImpossible(offer, giver.kind)
    await refuseMoreThanMailbox(sql, actor, offer)
    await sql`
      insert into access_grant ${sql({
        id: grantId,
        giver_id: actor.partyId,
        giver_name: giver.name,
        giver_is_business: giver.kind === 'business',
        kind: offer.kind,
        role: offer.role,
        is_administrator: offer.isAdministrator,
        service_ids: (offer.serviceIds as string[] | undefined) ?? null,
        categories: (offer.categories as string[] | undefined) ?? null,
        starts_at: startsAt,
        ends_at: endsAt,
        holder_name: offer.holderName,
        offered_at: now,
        offered_by_id: actor.by.id,
        offered_by_name: actor.by.name,
        invitation_hash: hashInvitationCode(key, code),
        invitation_ends_at: endsAt && endsAt < inTime ? endsAt : inTime,
      })}`
    if (actor.by.kind !== 'owner') await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'grant-entered' }], now)
  })
  return { grantId, code }
}

type Giver = { kind: string; name: string; registration: string }

/** A person or a business. Throws `not-found`. */
export async function findGiver(db: Db, partyId: string): Promise<Giver> {
  const [giver] = await db<Giver[]>`
    select party.kind, party.name, mailbox.registration from party join mailbox on mailbox.party_id = party.id
    where party.id = ${partyId} and party.kind <> 'public-body'`
  if (giver === undefined) throw new Problem('not-found')
  return giver
}

/** Throws `grant-not-possible` for a limit to what is not there: a service that has nothing to do with the mailbox, or no category. */
export async function refuseMoreThanMailbox(
  db: Db,
  mailbox: Pick<Actor, 'partyId' | 'mailboxId'>,
  { serviceIds, categories }: Pick<Access, 'serviceIds' | 'categories'>,
): Promise<void> {
  if (serviceIds !== undefined) {
    const known = new Set((await db<{ id: string }[]>`${servicesOf(db, mailbox)}`).map(({ id }) => id))
    if (serviceIds.length === 0 || !serviceIds.every((id) => known.has(id))) throw new Problem('grant-not-possible')
  }
  if (categories !== undefined) {
    const known = await db`select slug from category where slug = any(${categories as string[]}::text[])`
    if (categories.length === 0 || known.length < new Set(categories).size) throw new Problem('grant-not-possible')
  }
}

/** To which a grant may be limited: services that are linked with the mailbox, or have written to it. */
export async function listGrantableServices(
  db: Db,
  actor: Actor,
): Promise<{ id: string; name: string; organisationName: string }[]> {
  requireRight(actor, 'grants:manage')
  return readWithin(db, ofMailbox(actor), servicesOf(db, actor))
}

/** All of the mailbox, also for an administrator who may read none of it: of the post, only which services wrote. */
function ofMailbox(actor: Actor): Scope {
  return { party: actor.partyId, mailbox: actor.mailboxId, isHelper: isFromOutside(actor) }
}

function servicesOf(db: Db, { partyId, mailboxId }: Pick<Actor, 'partyId' | 'mailboxId'>): Fragment {
  return db`
    select service.id, service.name, party.name as organisation_name
    from service join party on party.id = service.organisation_id
    where service.id in (
      select link.service_id from link where ${own(db, db`link.party_id = ${partyId}`)}
      union select message.service_id from message where ${own(db, db`message.mailbox_id = ${mailboxId}`)}
    )
    order by party.name, service.name`
}
