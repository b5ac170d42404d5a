import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { Actor } from './actor.ts'
import { type Grant, grantColumns, personOf } from './grant.ts'
import { requireRight } from './rights.ts'

/** Who may do what in the mailbox that is open, was offered it, or could once; the newest first. */
export async function listGiven(db: Db, actor: Actor): Promise<Grant[]> {
  requireRight(actor, 'grants:manage')
  return readWithin<Grant>(
    db,
    { party: actor.partyId },
    db`select ${grantColumns(db)} from access_grant held where ${own(db, db`held.giver_id = ${actor.partyId}`)} order by held.id desc`,
  )
}

/** One of them. Throws `not-found`. */
export async function findGiven(db: Db, actor: Actor, grantId: string): Promise<Grant> {
  requireRight(actor, 'grants:manage')
  const [grant] = await readWithin<Grant>(
    db,
    { party: actor.partyId },
    db`select ${grantColumns(db)} from access_grant held where held.id = ${grantId} and ${own(db, db`held.giver_id = ${actor.partyId}`)}`,
  )
  if (grant === undefined) throw new Problem('not-found')
  return grant
}

/** Of whom the person may open the mailbox, or could once; the newest first. Of what is over, the last hundred. */
export async function listHeld(db: Db, actor: Actor): Promise<Grant[]> {
  const personId = personOf(actor)
  return readWithin<Grant>(
    db,
    { party: personId },
    db`
      select ${grantColumns(db)} from access_grant held where ${own(db, db`held.holder_id = ${personId}`)}
      order by held.ended_at is not null, held.id desc limit 100`,
  )
}

/** By which a registrar entered a grant: for whose mailbox it is about, and for registrars. Throws `not-found`. */
export async function readGrantDocument(
  db: Db,
  actor: Actor,
  grantId: string,
): Promise<{ filename: string; mediaType: string; bytes: Buffer }> {
  const isRegistrar = actor.by.kind === 'registrar'
  requireRight(actor, isRegistrar ? 'registry:manage' : 'grants:manage')
  const [document] = await readWithin<{ filename: string; mediaType: string; bytes: Buffer }>(
    db,
    isRegistrar ? { purpose: 'registry' } : { party: actor.partyId },
    db`
      select filename, media_type, bytes from grant_document
      where grant_id = ${grantId} ${isRegistrar ? db`` : db`and ${own(db, db`party_id = ${actor.partyId}`)}`}`,
  )
  if (document === undefined) throw new Problem('not-found')
  return document
}
