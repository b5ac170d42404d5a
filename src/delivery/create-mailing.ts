import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { lockMailing } from './find-mailings.ts'
import { takesFile } from './mailing.ts'

/**
 * A mailing of the newest version of a template, for good. `id` is made where its form is shown: sent twice, it is one. Throws `not-found`, also
 * for a template that is archived.
 */
export async function createMailing(
  db: Db,
  actor: Actor,
  { id, name, templateId }: { id: string; name: string; templateId: string },
  now: Date,
): Promise<void> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  await within(db, { senders }, async (sql) => {
    const [template] = await sql<{ senderId: string; version: number }[]>`
      select sender_id, version from letter_template
      where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and id = ${templateId} and archived_at is null`
    if (template === undefined) throw new Problem('not-found')
    await sql`
      insert into mailing (sender_id, id, name, template_id, template_version, created_at, created_by_name)
      values (${template.senderId}, ${id}, ${name}, ${templateId}, ${template.version}, ${now}, ${actor.by.name})
      on conflict do nothing`
  })
}

/** Of a mailing that was never sent. Its rows go with it. Throws `not-found`, `changed-meanwhile` where it has been sent. */
export async function deleteMailing(db: Db, actor: Actor, id: string): Promise<void> {
  requireRight(actor, 'messages:write')
  const senders = servicesFor(actor, 'messages:write') ?? []
  await within(db, { senders }, async (sql) => {
    const { senderId, state } = await lockMailing(sql, senders, id)
    if (!takesFile(state)) throw new Problem('changed-meanwhile')
    await sql`delete from mailing where sender_id = ${senderId} and id = ${id}`
  })
}
