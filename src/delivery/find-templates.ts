import { type Actor, senderIdsOf } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { Template } from './template.ts'

/** One version of a template. */
export type TemplateFound = Template & {
  id: string
  senderId: string
  version: number
  /** Of the template, which may have a newer one. */
  newestVersion: number
  savedAt: Date
  savedByName: string
  archivedAt: Date | null
  archivedByName: string | null
}

const templates = (db: Db, senderIds: readonly string[]): Fragment => db`
  select template.sender_id, template.id, template.version as newest_version, archived_at, archived_by_name,
         saved.version, name, category, reply_allowed, recipient_only, content, saved_at, saved_by_name
  from letter_template template
  join letter_template_version saved on saved.sender_id = template.sender_id and saved.template_id = template.id
  where ${own(db, db`template.sender_id = any(${senderIds as string[]}::uuid[])`)}`

/** The newest version of each template of the services that the actor reads for, by name. */
export async function listTemplates(db: Db, actor: Actor): Promise<TemplateFound[]> {
  requireRight(actor, 'messages:read')
  return readWithin<TemplateFound>(
    db,
    scopeOfSent(actor),
    db`${templates(db, senderIdsOf(actor))} and saved.version = template.version order by name, id`,
  )
}

/** Throws `not-found`. Without a version, the newest. */
export async function findTemplate(db: Db, actor: Actor, id: string, version?: number): Promise<TemplateFound> {
  requireRight(actor, 'messages:read')
  const found = await readTemplate(db, senderIdsOf(actor), id, version)
  if (found === undefined) throw new Problem('not-found')
  return found
}

/** All versions of a template, the newest first. Throws `not-found`. */
export async function listTemplateVersions(db: Db, actor: Actor, id: string): Promise<TemplateFound[]> {
  requireRight(actor, 'messages:read')
  const found = await readWithin<TemplateFound>(
    db,
    scopeOfSent(actor),
    db`${templates(db, senderIdsOf(actor))} and template.id = ${id} order by saved.version desc`,
  )
  if (found.length === 0) throw new Problem('not-found')
  return found
}

/** The same of services that the caller has asked about already. */
export async function readTemplate(
  db: Db,
  senderIds: readonly string[],
  id: string,
  version?: number,
): Promise<TemplateFound | undefined> {
  const which = version === undefined ? db`saved.version = template.version` : db`saved.version = ${version}`
  const [found] = await readWithin<TemplateFound>(
    db,
    { senders: senderIds },
    db`${templates(db, senderIds)} and template.id = ${id} and ${which}`,
  )
  return found
}
