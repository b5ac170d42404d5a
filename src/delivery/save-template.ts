import { isDeepStrictEqual } from 'node:util'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { readTemplate } from './find-templates.ts'
import type { Template } from './template.ts'

/** `version` is the one that was changed: 0 of a template that is new. */
export type TemplateToSave = { serviceId: string; id: string; version: number; template: Template }

/**
 * Saves one version more, and answers its number. The same again, sent twice, is that version. Throws `service-not-found`, `not-found`, or
 * `changed-meanwhile` where somebody has saved another since.
 */
export async function saveTemplate(
  db: Db,
  actor: Actor,
  { serviceId, id, version, template }: TemplateToSave,
  now: Date,
): Promise<number> {
  requireRight(actor, 'messages:write')
  if (!servicesFor(actor, 'messages:write')?.includes(serviceId)) throw new Problem('service-not-found')
  return within(db, { senders: [serviceId] }, async (sql) => {
    const moved =
      version === 0
        ? await sql`
          insert into letter_template (sender_id, id, version) values (${serviceId}, ${id}, 1) on conflict do nothing returning version`
        : await sql`
          update letter_template set version = version + 1
          where ${own(sql, sql`sender_id = ${serviceId}`)} and id = ${id} and version = ${version} and archived_at is null
          returning version`
    if (moved.length === 0) return seeWhy(sql, { serviceId, id, version, template })
    const { name, category, replyAllowed, recipientOnly, content } = template
    await sql`
      insert into letter_template_version (
        sender_id, template_id, version, name, category, reply_allowed, recipient_only, content, saved_at, saved_by_name
      ) values (
        ${serviceId}, ${id}, ${version + 1}, ${name}, ${category}, ${replyAllowed}, ${recipientOnly}, ${sql.json(content)}, ${now}, ${actor.by.name}
      )`
    return version + 1
  })
}

async function seeWhy(sql: Db, { serviceId, id, version, template }: TemplateToSave): Promise<number> {
  const newest = await readTemplate(sql, [serviceId], id)
  if (newest === undefined) throw new Problem('not-found')
  const { name, category, replyAllowed, recipientOnly, content } = newest
  const isSame = isDeepStrictEqual({ name, category, replyAllowed, recipientOnly, content }, template)
  if (isSame && newest.version === version + 1) return newest.version
  throw new Problem('changed-meanwhile')
}

/** Out of the list of those that can be used, or back into it. Mailings that were made with it go on. Again is harmless. Throws `not-found`. */
export async function archiveTemplate(
  db: Db,
  actor: Actor,
  { id, isArchived }: { id: string; isArchived: boolean },
  now: Date,
): Promise<void> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  await within(db, { senders }, async (sql) => {
    const changed = await sql`
      update letter_template set
        archived_at = case when ${isArchived} then coalesce(archived_at, ${now}) end,
        archived_by_name = case when ${isArchived} then coalesce(archived_by_name, ${actor.by.name}) end
      where ${own(sql, sql`sender_id = any(${senders}::uuid[])`)} and id = ${id}`
    if (changed.count === 0) throw new Problem('not-found')
  })
}
