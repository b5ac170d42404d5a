import type { Actor } from '../access/actor.ts'
import { actionsInOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type Action, readAction, type StoredAction, soonFrom, type Urgency, urgencyOf } from '../documents/action.ts'
import { storedAction } from './letter.ts'

/** Something to do, with the letter that asks for it. */
export type ListedAction = Action & { messageId: string; senderName: string; serviceName: string }

/** More than anybody can have in view; who has more sees these first. */
const shownMax = 200
export const donePerPage = 20

/** What is to be done, across all senders: by date, and appointments to come that were accepted. */
export type ToDo = { waiting: Record<Urgency, ListedAction[]>; coming: ListedAction[] }

export async function listActions(db: Db, actor: Actor, now: Date): Promise<ToDo> {
  requireRight(actor, 'inbox:read')
  const rows = await read(
    db,
    actor,
    db`
    (
      select ${columns(db)}, true as is_waiting from ${withLetter(db, actor)} and state in ('open', 'started', 'failed')
      order by action.ends_at, action.id limit ${shownMax}
    )
    union all (
      select ${columns(db)}, false from ${withLetter(db, actor)} and state = 'done' and meets_at >= ${now}
      order by meets_at, action.id limit ${shownMax}
    )`,
  )
  const waiting: ToDo['waiting'] = { overdue: [], soon: [], later: [], undated: [] }
  for (const row of rows) if (row.isWaiting) waiting[urgencyOf(row, now)].push(row)
  return { waiting, coming: rows.filter(({ isWaiting }) => !isWaiting) }
}

/** What was done or declined, the newest first. `page` counts from 1. */
export async function listDone(db: Db, actor: Actor, page: number): Promise<{ actions: ListedAction[]; hasMore: boolean }> {
  requireRight(actor, 'inbox:read')
  const actions = await read(
    db,
    actor,
    db`
    select ${columns(db)}, false as is_waiting from ${withLetter(db, actor)} and state in ('done', 'cancelled')
    order by action.state_at desc, action.id limit ${donePerPage + 1} offset ${(page - 1) * donePerPage}`,
  )
  return { actions: actions.slice(0, donePerPage), hasMore: actions.length > donePerPage }
}

export type DueCounts = { overdue: number; soon: number }

/** How much is overdue, and to be done in the next days, as a query that stands in that of the inbox (list.ts). */
export function dueCounts(db: Db, actor: Actor, now: Date): Fragment {
  return db`
    select count(*) filter (where ends_at < ${now})::int as overdue, count(*) filter (where ends_at >= ${now})::int as soon
    from ${withLetter(db, actor)} and state in ('open', 'started', 'failed') and ends_at < ${soonFrom(now)}`
}

type Row = { action: StoredAction; messageId: string; senderName: string; serviceName: string; isWaiting: boolean }

async function read(db: Db, actor: Actor, query: Fragment): Promise<(ListedAction & { isWaiting: boolean })[]> {
  const rows = await readWithin<Row>(db, scopeOfReceived(actor), query)
  return rows.map(({ action, ...rest }) => ({ ...readAction(action), ...rest }))
}

function columns(db: Db): Fragment {
  return db`${storedAction(db)} as action, action.message_id, message.sender_name, message.service_name`
}

/** Who has thrown a letter away is not reminded of it. */
function withLetter(db: Db, actor: Actor): Fragment {
  return db`
    action join message on message.mailbox_id = action.mailbox_id and message.id = action.message_id
    where ${actionsInOwnMailbox(db, actor)} and message.erased_at is null and message.folder <> 'bin'`
}
