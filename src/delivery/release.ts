import type { Database, Db, Fragment } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { lockFeeds } from '../evidence/events.ts'
import { mayReceive } from '../registry/find-recipients.ts'
import { carryOut } from './carry-out.ts'
import { unreachable } from './withheld.ts'
import { letterColumns } from './write.ts'

/** So many letters in one transaction, and it stays short. */
const lettersAtOnce = 500

/** Of an answer: what it answers, and in which mailbox that lies. */
type Due = { senderId: string; messageId: string; answersId: string | null; answersIn: string | null }

/**
 * Makes available what was accepted for a time that has come, and carries out what was decided of batches, until there is no more of it
 * or it is told to stop. Several processes may do so at once: each letter is one's. Between two steps of a batch goes all else
 * that is due, so that a batch of a million is in nobody's way.
 */
export async function releaseAll(db: Database, clock: () => Date, signal?: AbortSignal): Promise<void> {
  let isMore = true
  while (isMore && !signal?.aborted) isMore = (await release(db, clock())) === lettersAtOnce || (await carryOut(db, clock()))
}

/**
 * One transaction: the letter in its mailbox, the sender's ledger and events. A kill leaves it waiting, and the next beat takes it. Where
 * its recipient cannot be reached any more it fails, and its sender is told. Answers how many were due.
 */
async function release(db: Database, now: Date): Promise<number> {
  const due = await readWithin<Due>(
    db,
    { purpose: 'delivery' },
    db`
    select sender_id, message_id, letter->>'answers_id' as answers_id, mailbox.id as answers_in
    from (select * from withheld_message where why = 'scheduled' and release_at <= ${now} order by release_at limit ${lettersAtOnce}) as due
    left join mailbox on letter->>'answers_id' is not null and mailbox.party_id = (letter->>'sender_party_id')::uuid`,
  )
  if (due.length === 0) return 0
  const senders = [...new Set(due.map(({ senderId }) => senderId))]
  const mailboxes = [...new Set(due.flatMap(({ answersIn }) => answersIn ?? []))]
  const scope = { purpose: 'delivery', senders, ...(mailboxes.length > 0 ? { mailboxes } : {}) } as const
  await within(db, scope, async (sql) => releaseThese(sql, due, await findAnswered(sql, due), now))
  return due.length
}

/** In whose ledger the messages stand that are answered. */
type Answered = { senderId: string; messageId: string }

async function findAnswered(sql: Db, due: readonly Due[]): Promise<Answered[]> {
  const answers = due.filter(({ answersIn }) => answersIn !== null)
  if (answers.length === 0) return []
  return sql<Answered[]>`
    select distinct ledger.sender_id, ledger.message_id
    from unnest(${answers.map(({ answersIn }) => answersIn!)}::uuid[], ${answers.map(({ answersId }) => answersId!)}::uuid[])
      as answer (mailbox_id, message_id)
    join ledger on ledger.message_id = answer.message_id and ledger.mailbox_id = answer.mailbox_id`
}

/** As acceptance does it for an answer that is there at once (delivery/write.ts). */
function noteAnswers(sql: Db, answered: readonly Answered[]): Fragment {
  return sql`
    answer as materialized (
      select ledger.sender_id, ledger.message_id, ledger.reference, judged.at,
             jsonb_build_object('by', accepted.facts->'by', 'door', letter->>'door', 'answer', judged.message_id) as facts
      from unnest(${answered.map(({ senderId }) => senderId)}::uuid[], ${answered.map(({ messageId }) => messageId)}::uuid[])
        as asked (sender_id, message_id)
      join ledger on ledger.sender_id = asked.sender_id and ledger.message_id = asked.message_id
      join judged on is_reachable and (judged.letter->>'answers_id')::uuid = ledger.message_id
      join event as accepted on accepted.sender_id = judged.sender_id and accepted.message_id = judged.message_id and type = 'message.accepted'
    ),
    answered as (
      update ledger set answered_at = coalesce(answered_at, answer.at) from answer
      where ledger.sender_id = answer.sender_id and ledger.message_id = answer.message_id
    ),
    told_of_answers as (
      insert into event (sender_id, type, message_id, reference, at, facts)
      select sender_id, 'message.answered', message_id, reference, at, facts from feeds, answer
    ),`
}

/**
 * Of a row of mailbox beside a row `addressed`: whether the identifier by which the letter was sent still means who has the mailbox. Whoever
 * has unlinked it gets nothing more by it, nor does whoever has linked it since.
 */
function isStillMeant(sql: Db): Fragment {
  return sql`(addressed.value_hash is null or mailbox.party_id = (
    select link.party_id from link
    where link.service_id = addressed.namespace and link.scheme = addressed.scheme and link.value_hash = addressed.value_hash
  ))`
}

/** Those of them that still wait: who recalls one, or releases it too, holds its row or has it gone. */
async function releaseThese(sql: Db, due: readonly Due[], answered: readonly Answered[], now: Date): Promise<void> {
  await sql`
    with feeds as materialized (
      ${lockFeeds(
        sql,
        [...due, ...answered].map(({ senderId }) => senderId),
      )}
    ),
    taken as materialized (
      -- Row-level security keeps what calls a function out of an index: the hash is made here.
      select withheld.*, (letter->'addressed'->>'namespace')::uuid as namespace, letter->'addressed'->>'scheme' as scheme,
             decode(letter->'addressed'->>'hash', 'hex') as value_hash
      from unnest(${due.map(({ senderId }) => senderId)}::uuid[], ${due.map(({ messageId }) => messageId)}::uuid[])
        as asked (sender_id, message_id)
      join withheld_message as withheld on withheld.sender_id = asked.sender_id and withheld.message_id = asked.message_id
      where why = 'scheduled' for update of withheld skip locked
    ),
    judged as materialized (
      select addressed.*, (${mayReceive(sql, false)} and ${isStillMeant(sql)}) as is_reachable
      from (select taken.*, ${now}::timestamptz as at, letter->>'category' as category from taken offset 0) as addressed
      join mailbox on mailbox.id = addressed.mailbox_id
    ),
    delivered as (
      insert into message (${letterColumns(sql)})
      select ${letterColumns(sql)} from (
        select letter.* from judged, jsonb_populate_record(null::message, judged.letter || jsonb_build_object('available_at', at)) as letter
        where is_reachable
      ) as letter
    ),
    asked as (
      insert into action (mailbox_id, id, message_id, ordinal, sender_id, service_id, category, recipient_only, kind, said,
                          starts_at, ends_at, meets_at, state_at)
      select judged.mailbox_id, action.id, judged.message_id, action.ordinal, judged.sender_id, judged.service_id, judged.category,
             (letter->>'recipient_only')::boolean, action.kind, action.said, action.starts_at, action.ends_at, action.meets_at, at
      from judged cross join lateral jsonb_populate_recordset(null::action, nullif(letter->'actions', 'null')) as action
      where is_reachable
    ),
    corrected as (
      update message set corrected_by_id = judged.message_id, modseq = nextval('modseq')
      from judged
      where is_reachable and message.mailbox_id = judged.mailbox_id and message.id = (judged.letter->>'corrects_id')::uuid
        and message.sender_id = judged.sender_id
    ),
    ${answered.length === 0 ? sql`` : noteAnswers(sql, answered)}
    freed as (
      delete from withheld_message as withheld using judged
      where is_reachable and withheld.sender_id = judged.sender_id and withheld.message_id = judged.message_id
    ),
    kept as (
      update withheld_message as withheld set why = 'failed' from judged
      where not is_reachable and withheld.sender_id = judged.sender_id and withheld.message_id = judged.message_id
    ),
    noted as (
      update ledger
      set available_at = case when is_reachable then at end, failed_at = case when not is_reachable then at end,
          failed_because = case when not is_reachable then ${unreachable} end
      from judged
      where ledger.sender_id = judged.sender_id and ledger.message_id = judged.message_id
      returning ledger.sender_id, ledger.message_id, ledger.reference, is_reachable
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    select sender_id, case when is_reachable then 'message.available' else 'message.failed' end, message_id, reference, ${now},
           case when not is_reachable then jsonb_build_object('reasons', jsonb_build_array(
             jsonb_build_object('code', 'recipient-not-reachable', 'reason', ${unreachable}::text))) end
    from feeds, noted`
}
