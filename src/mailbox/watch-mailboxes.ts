import type { Actor } from '../access/actor.ts'
import { inOwnMailbox } from '../access/own-post.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfReceived } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { isUnread, stateOf } from './letter.ts'

type Row = { newest: string | null; unread: number; changed: string }

/** The state (see listFolder) of the mailbox as this actor sees it: another than before says that there is something new. */
export async function readState(db: Db, actor: Actor): Promise<string> {
  requireRight(actor, 'inbox:read')
  const mine = inOwnMailbox(db, actor)
  const [row] = await readWithin<Row>(
    db,
    scopeOfReceived(actor),
    db`
    select
      (select id from message where ${mine} order by id desc limit 1) as newest,
      (select count(*)::int from message where ${mine} and ${isUnread(db)}) as unread,
      (select changed from mailbox where ${own(db, db`id = ${actor.mailboxId}`)} and id = ${actor.mailboxId}) as changed`,
  )
  return stateOf(row!)
}

/** The same of many mailboxes at once, as their owners see them. */
export async function readStates(db: Db, mailboxIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await readWithin<Row & { mailboxId: string }>(
    db,
    { purpose: 'watching', watched: mailboxIds },
    db`
    select asked.mailbox_id, newest.id as newest, unread.count as unread, mailbox.changed
    from unnest(${mailboxIds as string[]}::uuid[]) as asked (mailbox_id)
      join mailbox on mailbox.id = asked.mailbox_id
      left join lateral (
        select id from message where message.mailbox_id = asked.mailbox_id and erased_at is null order by id desc limit 1
      ) as newest on true
      cross join lateral (
        select count(*)::int from message where message.mailbox_id = asked.mailbox_id and erased_at is null and ${isUnread(db)}
      ) as unread`,
  )
  return new Map(rows.map((row) => [row.mailboxId, stateOf(row)]))
}
