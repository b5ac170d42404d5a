import { v7 as newId } from 'uuid'
import { type Actor, doerOf } from '../access/actor.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { writeWithin } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import type { Problem } from '../problems.ts'
import { addressingOf, type Submission } from './message.ts'

export type Rejected = { actor: Actor; submission: Submission; problem: Problem }

/** Who may not send for a service is told nothing of it, and nothing of them comes into its feed. */
const withoutRecord: readonly string[] = [
  'service-not-found',
  'scope-missing',
  // Not rejected: it may be sent again as it is.
  'batch-paused',
  'batch-over',
  'letters-of-day-used',
]

/**
 * The evidence that a submission was rejected, and why; a line of its sender's feed. Nothing that it said is kept: only its
 * reference, who submitted it, and the reason. Each try is an event of its own.
 */
export async function recordRejections(db: Db, rejected: readonly Rejected[], now: Date): Promise<void> {
  const rows = rejected.filter(({ problem }) => !withoutRecord.includes(problem.code)).map((one) => toRow(one))
  if (rows.length === 0) return
  const senders = [...new Set(rows.map(({ sender_id }) => sender_id))]
  const statement = (sql: Db, setsScope: Fragment) => sql`
    with submitted as materialized (
      select submitted.* from (select ${setsScope}) as scope left join lateral jsonb_to_recordset(${sql.json(rows as never)})
        as submitted (message_id uuid, sender_id uuid, sender_party_id uuid, service_id uuid, reference text, facts jsonb) on true
    ),
    feeds as materialized (${lockFeeds(sql, senders)})
    insert into event (sender_id, type, message_id, reference, at, facts)
    select sender_id, 'message.rejected', message_id, reference, ${now},
           facts || jsonb_build_object('senderName', party.name, 'serviceName', service.name)
    from feeds, submitted join party on party.id = sender_party_id join service on service.id = service_id
    returning message_id`
  await writeWithin(db, { purpose: 'delivery', senders }, statement)
}

function toRow({ actor, submission, problem }: Rejected) {
  return {
    message_id: newId(),
    sender_id: actor.isOrganisation ? submission.serviceId : actor.partyId,
    sender_party_id: actor.partyId,
    service_id: submission.serviceId,
    reference: submission.reference,
    facts: {
      by: doerOf(actor),
      door: actor.door,
      addressedBy: addressingOf(submission),
      parts: [],
      isToService: !actor.isOrganisation && submission.recipientId === undefined,
      ...(submission.recipientId === undefined ? {} : { isBetweenParties: true }),
      reasons: [{ code: problem.code, reason: problem.message }],
    },
  }
}
