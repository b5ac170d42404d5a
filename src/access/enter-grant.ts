import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { type FieldProblem, Problem } from '../problems.ts'
import type { Actor } from './actor.ts'
import { type Access, grantKinds, kindsOfClosed, lockGrants, periodOf, refuseCircle, refuseImpossible } from './grant.ts'
import { noteLooks } from './look.ts'
import { findGiver, refuseMoreThanMailbox } from './offer-grant.ts'
import { requireRight } from './rights.ts'

/** By which it is entered: checked by the door that took it. */
export type GrantDocument = { filename: string; mediaType: string; bytes: Buffer }

export type Entry = Access & {
  giverId: string
  holderId: string
  startsAt?: Date | undefined
  endsAt?: Date | undefined
  reason: string
  document?: GrantDocument | undefined
}

/**
 * A registrar lets one party into another's mailbox: by law, with a document and an end; or as a business's administrator,
 * where it has lost its own. It holds at once. Throws `not-found` for parties that are not there, `grant-incomplete` with the
 * fields that are missing, and what acceptGrant throws.
 */
export async function enterGrant(db: Db, actor: Actor, entry: Entry, now: Date): Promise<{ grantId: string }> {
  requireRight(actor, 'registry:manage')
  refuseIncomplete(entry)
  const { isByLaw } = grantKinds[entry.kind]
  if (!isByLaw && !(entry.kind === 'employee' && entry.isAdministrator)) throw new Problem('grant-not-possible')
  const { startsAt, endsAt } = periodOf(entry, now)
  const { giverId, holderId, kind, role, isAdministrator, serviceIds, categories, reason, document } = entry
  const grantId = newId()
  await within(db, { purpose: 'registry' }, async (sql) => {
    await lockGrants(sql)
    const [giver, holder] = [await findGiver(sql, giverId), await findGiver(sql, holderId)]
    const [mailbox] = await sql<{ id: string }[]>`select id from mailbox where party_id = ${giverId}`
    refuseClosed(giver.registration, entry)
    refuseImpossible(entry, giver.kind, holder.kind)
    await refuseCircle(sql, giverId, holderId, now)
    await within(sql, { party: giverId, mailbox: mailbox!.id }, (own) =>
      refuseMoreThanMailbox(own, { partyId: giverId, mailboxId: mailbox!.id }, entry),
    )
    await sql`
      insert into access_grant ${sql({
        id: grantId,
        giver_id: giverId,
        giver_name: giver.name,
        giver_is_business: giver.kind === 'business',
        holder_id: holderId,
        holder_name: holder.name,
        kind,
        role,
        is_administrator: isAdministrator,
        service_ids: (serviceIds as string[] | undefined) ?? null,
        categories: (categories as string[] | undefined) ?? null,
        starts_at: startsAt,
        ends_at: endsAt,
        offered_at: now,
        offered_by_id: actor.by.id,
        offered_by_name: actor.by.name,
        accepted_at: now,
        reason,
      })}`
    if (document) {
      const { filename, mediaType, bytes } = document
      await sql`
        insert into grant_document (party_id, grant_id, filename, media_type, bytes)
        values (${giverId}, ${grantId}, ${filename}, ${mediaType}, ${bytes})`
    }
    await noteLooks(sql, [{ partyId: giverId, by: actor.by, what: 'grant-entered', reason }], now)
  })
  return { grantId }
}

function refuseIncomplete({ kind, reason, endsAt, document }: Entry): void {
  const missing: FieldProblem[] = []
  if (reason.trim() === '') missing.push({ field: '/reason', message: 'Say why.' })
  if (grantKinds[kind].isByLaw) {
    if (endsAt === undefined) missing.push({ field: '/endsAt', message: 'Say when it ends.' })
    if (document === undefined || document.bytes.length === 0)
      missing.push({ field: '/document', message: 'Add the document by which it is given.' })
  }
  if (missing.length > 0) throw new Problem('grant-incomplete', missing)
}

/** What a closed mailbox keeps, an executor or an insolvency practitioner may read. */
function refuseClosed(registration: string, { kind, role }: Access): void {
  const mayBeClosed = kindsOfClosed.includes(kind) && role === 'reader'
  if (registration === 'closed' && !mayBeClosed) throw new Problem('mailbox-closed')
}
