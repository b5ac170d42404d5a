import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type Draft, draftSubject, inOwnDrafts } from './draft.ts'

export type DraftSummary = Pick<
  Draft,
  'id' | 'kind' | 'toName' | 'serviceName' | 'subject' | 'updatedAt' | 'writtenById' | 'writtenByName' | 'sendAt' | 'refused'
> & { beginning: string; files: number }

/** What is being written in the mailbox that is open; what was changed last comes first. There are never more than `draftsMax`. */
export async function listDrafts(db: Db, actor: Actor): Promise<DraftSummary[]> {
  requireRight(actor, 'messages:write')
  return readWithin<DraftSummary>(
    db,
    scopeOf(actor),
    db`
      select draft.id, draft.kind, draft.to_name, (select name from service where service.id = draft.service_id) as service_name,
        ${draftSubject(db)} as subject,
        left(draft.body, 200) as beginning, draft.updated_at, draft.written_by_id, draft.written_by_name, draft.send_at, draft.refused,
        (select count(*)::int from draft_file where draft_file.mailbox_id = draft.mailbox_id and draft_file.draft_id = draft.id) as files
      from draft where ${inOwnDrafts(db, actor)}
      order by draft.updated_at desc, draft.id desc`,
  )
}
