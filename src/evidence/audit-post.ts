import { createHash } from 'node:crypto'
import type { Database, Db, Fragment } from '../database/connect.ts'
import type { Finding } from './audit.ts'

const findingsMax = 1_000

/**
 * Whether what evidence tells of still is as it says: each message has its evidence, with the times of its sender's ledger, and
 * texts and files have the digests that were sealed. Of what is older than `kept`, evidence may have been erased. `db` is of the owner of the tables.
 */
export async function auditPost(db: Database, kept: Date): Promise<Finding[]> {
  const rows = await db.begin(async (sql) => {
    // This one reads tables whole (database/connect.ts).
    await sql`select set_config(name, value, true) from unnest(
      array['statement_timeout', 'enable_hashjoin', 'enable_seqscan', 'enable_mergejoin', 'plan_cache_mode'], array['0', 'on', 'on', 'on', 'auto']
    ) as setting (name, value)`
    return sql<{ what: string; messageId: string; evidenceId: string | null }[]>`
      with recorded as materialized (
        select sender_id, message_id, facts, at, id as event_id from event where type = 'message.accepted' and facts is not null
      )
      select 'A message has no evidence of its acceptance.' as what, ledger.message_id, null::uuid as evidence_id
      from ledger where accepted_at >= ${kept} and not exists (
        select from event where event.sender_id = ledger.sender_id and event.message_id = ledger.message_id and type = 'message.accepted'
      )
      union all
      select 'A message was accepted at another time than its ledger says, or its ledger is gone.', message_id, event_id
      from recorded left join ledger using (sender_id, message_id) where ledger.accepted_at is distinct from recorded.at
      union all
      select 'A message was ' || what || ' at another time than its ledger says.', message_id, event_id
      from recorded join ledger using (sender_id, message_id)
      cross join lateral (values ('available', 'message.available', available_at), ('opened', 'message.opened', opened_at)) as said (what, type, said_at)
      left join lateral (
        select min(at) as at from event
        where event.sender_id = recorded.sender_id and event.message_id = recorded.message_id and event.type = said.type
      ) known on true
      where said.said_at is distinct from known.at
      union all
      select 'A message is not in its mailbox any more.', message_id, event_id
      from recorded join ledger using (sender_id, message_id)
      where not exists (select from message where message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id)
        and not exists (select from withheld_message as withheld where withheld.sender_id = ledger.sender_id and withheld.message_id = ledger.message_id)
      union all
      select 'The text of a message is not as it was sealed.', recorded.message_id, recorded.event_id
      from recorded join ledger using (sender_id, message_id)
      -- What was recalled says nothing in the mailbox any more.
      left join withheld_message as withheld on withheld.sender_id = ledger.sender_id and withheld.message_id = ledger.message_id
      left join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where coalesce(withheld.message_id, message.id) is not null and (
        select jsonb_agg(jsonb_build_object('subject', text->>'subject', 'digest', encode(sha256(convert_to(text->>'body', 'UTF8')), 'hex')) order by place)
        from jsonb_array_elements(coalesce(withheld.letter->'content', message.content)) with ordinality as texts (text, place)
      ) is distinct from (
        select jsonb_agg(jsonb_build_object('subject', part->'subject', 'digest', part->'digest') order by place)
        from jsonb_array_elements(facts->'parts') with ordinality as parts (part, place) where part->>'part' = 'text'
      )
      union all
      select 'A file of a message is not as it was sealed, or is gone.', message_id, event_id
      from recorded join ledger using (sender_id, message_id)
      where (
        select array_agg(digest order by digest) from file
        left join upload on upload.sender_id = file.upload_sender_id and upload.id = file.upload_id
        cross join lateral (select coalesce(encode(sha256(file.bytes), 'hex'), upload.sha256) as digest) as is_now
        where file.mailbox_id = ledger.mailbox_id and file.message_id = ledger.message_id
      ) is distinct from (
        select array_agg(part->>'digest' order by part->>'digest') from jsonb_array_elements(facts->'parts') as part where part->>'part' not in ('text', 'action')
      )
      union all
      ${askedOtherwise(sql)}
      limit ${findingsMax}`
  })
  return rows.map(({ what, messageId, evidenceId }) => ({ what, messageId, ...(evidenceId ? { evidenceId } : {}) }))
}

type Whole = { senderId: string; id: string; sha256: string }

/** Whether the bytes of uploads, which many messages may have, are still those that were checked. Each is read piece by piece. */
export async function auditUploads(db: Database): Promise<Finding[]> {
  const findings: Finding[] = []
  const uploads = await db<Whole[]>`select sender_id, id, sha256 from upload where sha256 is not null`
  for (const { senderId, id, sha256 } of uploads) {
    const digest = createHash('sha256')
    const chunks = db<{ bytes: Buffer }[]>`
      select bytes from upload_chunk where sender_id = ${senderId} and upload_id = ${id} order by starts_at`
    for await (const rows of chunks.cursor(1)) for (const { bytes } of rows) digest.update(bytes)
    if (digest.digest('hex') === sha256) continue
    const [one] = await db<{ messageId: string }[]>`select message_id from file where upload_id = ${id} limit 1`
    findings.push({ what: 'A document that was uploaded is not as it was checked, or is gone.', ...one })
  }
  return findings
}

/** What is withheld keeps what it asks with it. */
function askedOtherwise(db: Db): Fragment {
  return db`
    select 'What a message asks to do is not as it was sealed, or is gone.', recorded.message_id, event_id
    from recorded join ledger using (sender_id, message_id)
    left join withheld_message as withheld on withheld.sender_id = ledger.sender_id and withheld.message_id = ledger.message_id
    where (
      select array_agg(encode(sha256(convert_to(said, 'UTF8')), 'hex') order by ordinal) from (
        select said, ordinal from action where action.mailbox_id = ledger.mailbox_id and action.message_id = ledger.message_id
        union all
        select said, ordinal from jsonb_populate_recordset(null::action, nullif(withheld.letter->'actions', 'null'))
      ) as asked
    ) is distinct from (
      select array_agg(part->>'digest' order by place)
      from jsonb_array_elements(facts->'parts') with ordinality as parts (part, place) where part->>'part' = 'action'
    )`
}
