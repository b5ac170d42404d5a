import { type Actor, servicesFor } from '../access/actor.ts'
import type { LookKind } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { ApprovalKind, Decision } from './approval.ts'
import type { ClientChange } from './client-change.ts'
import type { RoleFor, StaffChange } from './staff-change.ts'

/** One thing that staff or systems of a public body have done. Of people's post it says that it was done, and not to whom. */
export type LogEntry = { at: Date; id: string; byName: string; serviceIds: string[] } & (
  | { source: 'look'; what: LookKind; about: null; detail: { reason: string | null } }
  | { source: 'lookup'; what: 'looked-up'; about: null; detail: { count: number; found: number } }
  | { source: 'staff'; what: StaffChange['what']; about: string; detail: { given: RoleFor[]; taken: RoleFor[] } }
  | { source: 'client'; what: ClientChange['what']; about: string; detail: { key: string | null; approvedBy: string | null } }
  | { source: 'batch'; what: 'released' | 'discarded' | 'taken-back'; about: string; detail: null }
  | { source: 'approval'; what: 'asked' | Decision; about: string | null; detail: { kind: ApprovalKind; key: string | null } }
)

export const logPageSize = 50
export type LogPlace = { at: Date; id: string }

/**
 * What was done in the services whose log the actor reads, or in one of them: the newest first, from a place on. `next` is the
 * place to go on from. By places and not by pages, as a log grows at the end where one begins to read.
 */
export async function listServiceLog(
  db: Db,
  actor: Actor,
  { serviceId, before }: { serviceId?: string | undefined; before?: LogPlace | undefined },
): Promise<{ entries: LogEntry[]; next: LogPlace | undefined }> {
  requireRight(actor, 'logs:read')
  const mine = servicesFor(actor, 'logs:read') ?? []
  if (serviceId !== undefined && !mine.includes(serviceId)) throw new Problem('not-found')
  const services = serviceId === undefined ? mine : [serviceId]
  const rows = await readWithin<LogEntry>(
    db,
    { organisation: actor.partyId, ownServices: services, senders: services },
    db`
    select * from (
      select done.* from unnest(${services as string[]}::uuid[]) as service (id) cross join lateral (${ofService(db, before)}) as done
      union all
      select done.* from (${ofOrganisation(db, actor.partyId, services, before)}) as done
    ) as entry
    order by at desc, id desc limit ${logPageSize + 1}`,
  )
  const entries = rows.slice(0, logPageSize)
  const last = entries.at(-1)
  return { entries, next: rows.length > logPageSize && last ? { at: last.at, id: last.id } : undefined }
}

/** What has the service in its key: so that each is read from an index, however long the log. */
function ofService(db: Db, before: LogPlace | undefined) {
  return db`
    (select look.at, look.id, look.by_name, array[look.service_id] as service_ids, 'look' as source, look.what, null as about,
        jsonb_build_object('reason', look.reason) as detail
      from look
      where ${own(db, db`look.service_id = service.id`)} and look.by_kind in ('staff', 'system') and look.what <> 'looked-up'
        ${older(db, 'look.at', 'look.id', before)}
      order by look.at desc, look.id desc limit ${logPageSize + 1})
    union all
    (select lookup_log.at, lookup_log.id,
        coalesce((select client.name from client where client.id = lookup_log.client_id),
          (select staff_member.name from staff_member where staff_member.id::text = lookup_log.client_id), lookup_log.client_id),
        array[lookup_log.service_id], 'lookup', 'looked-up', null,
        jsonb_build_object('count', lookup_log.count, 'found', lookup_log.found)
      from lookup_log
      where ${own(db, db`lookup_log.service_id = service.id`)} ${older(db, 'lookup_log.at', 'lookup_log.id', before)}
      order by lookup_log.at desc, lookup_log.id desc limit ${logPageSize + 1})
    union all
    ${decidedAlone(db, before)}`
}

/** What one member of staff decided of a whole batch: where two did, their asking and approving is in the log. */
function decidedAlone(db: Db, before: LogPlace | undefined) {
  const released = db`select from batch_decision where sender_id = batch.sender_id and batch_id = batch.id and decision = 'release'`
  return db`
    (select decided_at, batch_id, decided_by_name, array[batch.sender_id], 'batch',
        case when decision = 'release' then 'released' when hold and not exists (${released}) then 'discarded' else 'taken-back' end, batch.name, null
      from batch_decision decided join batch on batch.sender_id = decided.sender_id and batch.id = batch_id
      where ${own(db, db`decided.sender_id = service.id`)} and decided_by_name = doer -> 'by' ->> 'name'
        ${older(db, 'decided_at', 'batch_id', before)}
      order by decided_at desc, batch_id desc limit ${logPageSize + 1})`
}

/** Changes of staff and of systems, and what was asked and decided. */
function ofOrganisation(db: Db, organisationId: string, services: readonly string[], before: LogPlace | undefined) {
  const mine = (table: string) =>
    own(db, db`${db(table)}.organisation_id = ${organisationId} and ${db(table)}.service_ids && ${services as string[]}::uuid[]`)
  const limit = db`limit ${logPageSize + 1}`
  return db`
    (select at, id, by_name, service_ids, 'staff' as source, what, staff_name as about,
        jsonb_build_object('given', given, 'taken', taken) as detail
      from staff_change where ${mine('staff_change')} ${older(db, 'at', 'id', before)} order by at desc, id desc ${limit})
    union all
    (select at, id, by_name, service_ids, 'client', what, client_name, jsonb_build_object('key', key, 'approvedBy', approved_by_name)
      from client_change where ${mine('client_change')} ${older(db, 'at', 'id', before)} order by at desc, id desc ${limit})
    union all
    (select asked_at, approval.id, staff_member.name, service_ids, 'approval', 'asked', approval.what ->> 'name',
        jsonb_build_object('kind', kind, 'key', approval.what ->> 'thumbprint')
      from approval join staff_member on staff_member.id = asked_by
      where ${mine('approval')} ${older(db, 'asked_at', 'approval.id', before)} order by asked_at desc, approval.id desc ${limit})
    union all
    (select decided_at, approval.id, staff_member.name, service_ids, 'approval', decision, approval.what ->> 'name',
        jsonb_build_object('kind', kind, 'key', approval.what ->> 'thumbprint')
      from approval join staff_member on staff_member.id = decided_by
      where ${mine('approval')} and decided_at is not null ${older(db, 'decided_at', 'approval.id', before)}
      order by decided_at desc, approval.id desc ${limit})`
}

function older(db: Db, at: string, id: string, before: LogPlace | undefined) {
  return before === undefined ? db`` : db`and (${db(at)}, ${db(id)}) < (${before.at}::timestamptz, ${before.id}::uuid)`
}
