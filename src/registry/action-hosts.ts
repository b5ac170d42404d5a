import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { type FieldProblem, Problem } from '../problems.ts'
import type { DeclaredOrganisation } from './declaration.ts'

/** A site that letters of a public body may lead to. */
export type ActionHost = { host: string; addedAt: Date; addedByName: string }

const hostName = /^(?=.{4,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z][a-z0-9-]*[a-z0-9]$/
const loopbackOrigin = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** The name of a site, as it is kept; of a whole address its name. Undefined where it is none, or an address of a machine. */
export function readHost(text: string, demo: boolean): string | undefined {
  const typed = text.trim().toLowerCase()
  if (demo && loopbackOrigin.test(typed)) return typed
  const name = typed.startsWith('https://') ? (URL.parse(typed)?.host ?? '') : typed
  return hostName.test(name) ? name : undefined
}

export type HostsAsker = { organisationId: string; name: string }

/** Again is harmless. Throws `host-not-allowed`. */
export async function addActionHost(
  db: Db,
  { organisationId, name }: HostsAsker,
  { host: typed, demo }: { host: string; demo: boolean },
  now: Date,
): Promise<void> {
  const host = readHost(typed, demo)
  if (host === undefined) throw new Problem('host-not-allowed')
  await within(db, { organisation: organisationId }, (sql) => insert(sql, { organisationId, name }, host, now))
}

/** Letters that were sent before lead there still. Again is harmless. */
export async function removeActionHost(db: Db, { organisationId }: HostsAsker, { host }: { host: string }): Promise<void> {
  await within(
    db,
    { organisation: organisationId },
    (sql) => sql`delete from action_host where ${own(sql, sql`organisation_id = ${organisationId}`)} and host = ${host}`,
  )
}

export async function listActionHosts(db: Db, { organisationId }: Pick<HostsAsker, 'organisationId'>): Promise<ActionHost[]> {
  return readWithin<ActionHost>(
    db,
    { organisation: organisationId },
    db`
    select host, added_at, added_by_name from action_host
    where ${own(db, db`organisation_id = ${organisationId}`)} order by host`,
  )
}

/** Adds those that a declaration names, as `register` does. */
export async function bringActionHosts(
  db: Db,
  organisationId: string,
  { actionHosts = [] }: DeclaredOrganisation,
  { at, demo }: { at: string; demo: boolean },
  problems: FieldProblem[],
  now: Date,
): Promise<void> {
  for (const [index, text] of actionHosts.entries()) {
    const host = readHost(text, demo)
    if (host === undefined)
      problems.push({ field: `${at}/actionHosts/${index}`, message: 'must be the name of a site, such as www.gov.uk' })
    else await insert(db, { organisationId, name: 'Registration' }, host, now)
  }
}

async function insert(db: Db, { organisationId, name }: HostsAsker, host: string, now: Date): Promise<void> {
  await db`
    insert into action_host (organisation_id, host, added_at, added_by_name) values (${organisationId}, ${host}, ${now}, ${name})
    on conflict do nothing`
}
