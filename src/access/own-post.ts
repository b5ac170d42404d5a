import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { type Actor, isFromOutside, senderIdsOf, servicesFor } from './actor.ts'

/** What the actor may see in the mailbox that is open: all of it but what was erased, or only what is of some services and categories. */
export function inOwnMailbox(db: Db, actor: Actor): Fragment {
  return own(db, db`message.mailbox_id = ${actor.mailboxId} and message.erased_at is null ${limits(db, actor)}`)
}

/** The same of what letters ask to do. */
export function actionsInOwnMailbox(db: Db, actor: Actor): Fragment {
  return own(db, db`action.mailbox_id = ${actor.mailboxId} ${limits(db, actor, 'action')}`)
}

/** Whether the actor sees some of the post in the mailbox only. */
export function isLimited(actor: Actor): boolean {
  return servicesFor(actor, 'inbox:read') !== undefined || actor.categories !== undefined
}

/** The own folders of the mailbox that is open. Their names tell of letters: who sees some of these only sees the folders that hold such. */
export function inOwnFolders(db: Db, actor: Actor): Fragment {
  const holdsSome = db`
    and exists (
      select from message where ${inOwnMailbox(db, actor)} and message.folder <> 'inbox' and message.folder = folder.id::text
    )`
  return own(db, db`folder.mailbox_id = ${actor.mailboxId} ${isLimited(actor) ? holdsSome : db``}`)
}

/** What the actor has written, by its ledger, joined with the message. */
export function inOwnLedger(db: Db, actor: Actor): Fragment {
  return own(db, db`ledger.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[]) ${limits(db, actor)}`)
}

function limits(db: Db, actor: Actor, table: 'message' | 'action' = 'message'): Fragment {
  const services = servicesFor(actor, 'inbox:read')
  const of = db(table)
  return db`
    ${services ? db`and ${of}.service_id = any(${services as string[]}::uuid[])` : db``}
    ${actor.categories ? db`and ${of}.category = any(${actor.categories as string[]}::text[])` : db``}
    ${isFromOutside(actor) ? db`and not ${of}.recipient_only` : db``}`
}
