import type { Actor, By } from '../access/actor.ts'
import { isFromOutside, servicesFor } from '../access/actor.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'

export const draftKinds = ['new', 'answer', 'forward'] as const
export type DraftKind = (typeof draftKinds)[number]

/** So many drafts are kept in a mailbox: with their files they take room, and nobody writes a thousand letters at once. */
export const draftsMax = 200

/** A comment with which a letter is handed on, in characters. */
export const commentLengthMax = 512

/** Where a draft goes and what it is about. It stays as it is from the first save on, but for whom a letter is forwarded to. */
export type DraftAim = {
  kind: DraftKind
  messageId: string | null
  contactPointId: string | null
  toPartyId: string | null
  toName: string
  serviceId: string
  category: string
  recipientOnly: boolean
}

/** What is written in it. */
export type DraftWords = { subject: string; body: string; answers: string[] }

export type DraftFile = { id: string; filename: string; mediaType: string; size: number; sha256: string }

export type Draft = DraftAim &
  DraftWords & {
    id: string
    version: number
    serviceName: string
    updatedAt: Date
    writtenById: string
    writtenByName: string
    sendAt: Date | null
    sendBy: By | null
    refused: string | null
    files: DraftFile[]
  }

/** Which drafts an actor may see in the mailbox that is open: as of the post, all of them or those of some services and categories. */
export function inOwnDrafts(db: Db, actor: Actor): Fragment {
  const services = servicesFor(actor, 'messages:write')
  return own(
    db,
    db`draft.mailbox_id = ${actor.mailboxId}
    ${services ? db`and draft.service_id = any(${services as string[]}::uuid[])` : db``}
    ${actor.categories ? db`and draft.category = any(${actor.categories as string[]}::text[])` : db``}
    ${isFromOutside(actor) ? db`and not draft.recipient_only` : db``}`,
  )
}

/** What a list calls a draft: what is answered or forwarded has a subject of its own. */
export function draftSubject(db: Db): Fragment {
  return db`
    case when draft.message_id is null then draft.subject else coalesce((
      select message.subject from message where message.mailbox_id = draft.mailbox_id and message.id = draft.message_id
    ), '') end`
}

/** The columns of a Draft, from the table draft. */
export function draftColumns(db: Db): Fragment {
  return db`
    draft.id, draft.kind, draft.message_id, draft.contact_point_id, draft.to_party_id, draft.to_name, draft.service_id,
    (select name from service where service.id = draft.service_id) as service_name,
    draft.category, draft.recipient_only, draft.subject, draft.body, draft.answers, draft.version, draft.updated_at, draft.written_by_id,
    draft.written_by_name, draft.send_at, draft.send_by, draft.refused,
    coalesce((
      select jsonb_agg(jsonb_build_object('id', id, 'filename', filename, 'mediaType', media_type, 'size', size, 'sha256', sha256) order by id)
      from draft_file where draft_file.mailbox_id = draft.mailbox_id and draft_file.draft_id = draft.id
    ), '[]') as files`
}

export function isEmpty({ subject, body, answers }: DraftWords): boolean {
  return [subject, body, ...answers].every((text) => text.trim() === '')
}
