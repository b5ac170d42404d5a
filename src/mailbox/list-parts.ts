import type { Actor } from '../access/actor.ts'
import { inOwnLedger, inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'

/** Letters that are downloaded together: those after `after` up to `until`, both ids. */
export type Part = {
  after: string
  until: string
  from: Date
  to: Date
  letters: number
  unopened: number
  bytes: number
}

/**
 * As much as a ZIP file holds with room to spare, and a connection that breaks loses. Files count as well: each comes with the
 * receipt that it was handed over.
 */
export const partLimits = { letters: 1_000, files: 10_000, bytes: 1024 ** 3 }

const beforeAll = '00000000-0000-0000-0000-000000000000'

/** All that the actor has received and sent, in parts, the oldest first. */
export async function listParts(db: Db, actor: Actor, limits = partLimits): Promise<Part[]> {
  requireRight(actor, 'mailbox:download')
  const columns = db`message.id, message.available_at, content.bytes, content.files`
  const content = db`
    cross join lateral (
      select coalesce(sum((file->>'size')::bigint), 0) as bytes, count(*) as files
      from jsonb_array_elements(message.documents) as document, jsonb_array_elements(document->'files') as file
    ) as content`
  const weight = db`bytes / ${limits.bytes}::numeric + files / ${limits.files}::numeric + 1.0 / ${limits.letters}::numeric`
  const rows = await readWithin<
    Omit<Part, 'after' | 'letters' | 'unopened' | 'bytes'> & Record<'letters' | 'unopened' | 'bytes', string>
  >(
    db,
    scopeOf(actor),
    db`
    select max(id::text) as until, min(available_at) as "from", max(available_at) as "to", count(*) as letters,
           count(*) filter (where is_unopened) as unopened, sum(bytes)::bigint as bytes
    from (
      select letter.*, floor(sum(${weight}) over (order by id)) as part
      from (
        select ${columns}, message.opened_at is null and message.recalled_at is null as is_unopened from message ${content} where ${inOwnMailbox(db, actor)}
        union all
        select ${columns}, false
        from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id ${content}
        where ${inOwnLedger(db, actor)} and message.mailbox_id <> ${actor.mailboxId}
      ) as letter
    ) as numbered
    group by part order by until`,
  )
  return rows.map((row, index) => ({
    ...row,
    after: rows[index - 1]?.until ?? beforeAll,
    letters: Number(row.letters),
    unopened: Number(row.unopened),
    bytes: Number(row.bytes),
  }))
}
