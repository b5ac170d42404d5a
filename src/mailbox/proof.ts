import { type Actor, senderIdsOf } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf, scopeOfReceived, scopeOfSent } from '../access/scope-of.ts'
import type { Database } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import type { MakeReceipt } from '../evidence/make-receipt.ts'
import { type Asked, type Evidence, listEvidence } from '../evidence/read-evidence.ts'
import { Problem } from '../problems.ts'
import { find } from './find.ts'
import { type Letter, senderIdOf } from './letter.ts'
import { lookAt } from './open.ts'

/**
 * What can be proved of a message that the actor has received or sent, without opening it. Whoever may see the message may see it,
 * and gets the opening of their side. Throws `not-found`, as for the message.
 */
export async function findProof(
  db: Database,
  actor: Actor,
  messageId: string,
): Promise<{ letter: Letter; evidence: Evidence[] }> {
  const letter = await find(db, actor, messageId)
  return { letter, evidence: await listEvidence(db, askedOf(db, actor, letter)) }
}

/** The same of a letter that was read before. */
export async function listProof(db: Database, actor: Actor, letter: Letter): Promise<Evidence[]> {
  return listEvidence(db, askedOf(db, actor, letter))
}

/** The receipts of all of it, by one who has taken the letter. What is being sealed has none yet. */
export async function listReceipts(db: Database, actor: Actor, letter: Letter, makeReceipt: MakeReceipt, now: Date) {
  return makeReceipt.all(db, askedOf(db, actor, letter), now)
}

/** A receipt of it, as a file. Whoever is not the owner leaves a look. Throws `not-found` and `evidence-pending`. */
export async function findReceipt(
  db: Database,
  actor: Actor,
  messageId: string,
  evidenceId: string,
  makeReceipt: MakeReceipt,
  now: Date,
): Promise<string> {
  const letter = await find(db, actor, messageId)
  const receipt = await makeReceipt(db, askedOf(db, actor, letter), evidenceId, now)
  if (actor.by.kind !== 'owner') {
    await within(db, scopeOf(actor), (sql) => noteLooks(sql, [lookAt(actor, letter, 'downloaded')], now))
  }
  return receipt
}

/** What can be proved of a message that the actor sent, or that was rejected: a rejected one is in no mailbox. Throws `not-found`. */
export async function listSentEvidence(db: Database, actor: Actor, messageId: string): Promise<Evidence[]> {
  requireRight(actor, 'messages:read')
  const evidence = await listEvidence(db, askedOfSent(db, actor, messageId))
  if (evidence.length === 0) throw new Problem('not-found')
  return evidence
}

/** A receipt of it, as a file. Throws `not-found` and `evidence-pending`. */
export async function findSentReceipt(
  db: Database,
  actor: Actor,
  messageId: string,
  evidenceId: string,
  makeReceipt: MakeReceipt,
  now: Date,
): Promise<string> {
  requireRight(actor, 'messages:read')
  return makeReceipt(db, askedOfSent(db, actor, messageId), evidenceId, now)
}

function askedOf(db: Database, actor: Actor, letter: Letter): Asked {
  if (letter.isSent) return askedOfSent(db, actor, letter.id)
  return {
    scope: scopeOfReceived(actor),
    mine: db`
      event.sender_id = ${senderIdOf(letter)}
      and exists (select from message where ${inOwnMailbox(db, actor)} and message.id = event.message_id)`,
    messageId: letter.id,
    audience: 'recipient',
  }
}

function askedOfSent(db: Database, actor: Actor, messageId: string): Asked {
  return {
    scope: scopeOfSent(actor),
    mine: own(db, db`event.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`),
    messageId,
    audience: 'sender',
  }
}
