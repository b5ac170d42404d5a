import type { Actor } from '../access/actor.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type Draft, draftSubject, inOwnDrafts } from './draft.ts'
import type { SearchFilters } from './search-query.ts'

export type DraftToSearch = Pick<
  Draft,
  'id' | 'kind' | 'toName' | 'serviceName' | 'subject' | 'body' | 'answers' | 'updatedAt'
> & {
  filenames: string[]
}

/**
 * The drafts in the mailbox that is open with all their words, that were changed in that time, and are for that service or have files where
 * that is asked; none for who may not write there. They are never more than `draftsMax`, and change all the time: each search reads them.
 */
export async function findDrafts(
  db: Db,
  actor: Actor,
  { serviceId, from, until, hasDocument }: SearchFilters,
): Promise<DraftToSearch[]> {
  if (!actor.rights.has('messages:write')) return []
  return readWithin<DraftToSearch>(
    db,
    scopeOf(actor),
    db`
    select draft.* from (
      select draft.id, draft.kind, draft.to_name, (select name from service where service.id = draft.service_id) as service_name,
        ${draftSubject(db)} as subject, draft.body, draft.answers, draft.updated_at,
        array(
          select filename from draft_file where draft_file.mailbox_id = draft.mailbox_id and draft_file.draft_id = draft.id order by draft_file.id
        ) as filenames
      from draft
      where ${inOwnDrafts(db, actor)}
        ${serviceId === undefined ? db`` : db`and draft.service_id = ${serviceId}`}
        ${from === undefined ? db`` : db`and draft.updated_at >= ${from}`}
        ${until === undefined ? db`` : db`and draft.updated_at <= ${until}`}
    ) as draft
    ${hasDocument ? db`where draft.filenames <> '{}'` : db``}`,
  )
}

/** Every word by which a draft shall be found. */
export function textOfDraft({ toName, serviceName, subject, body, answers, filenames }: DraftToSearch): string {
  return [toName, serviceName, subject, body, ...answers, ...filenames].join('\n')
}
