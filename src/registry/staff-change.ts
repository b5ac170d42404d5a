import { v7 as newId } from 'uuid'
import type { StaffRole } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'

/** A role of a member of staff, for one service. */
export type RoleFor = { serviceId: string; role: StaffRole }

export type StaffChange = {
  organisationId: string
  staffId: string
  staffName: string
  what: 'added' | 'roles-changed' | 'deactivated' | 'activated'
  given?: readonly RoleFor[]
  taken?: readonly RoleFor[]
  /** Whose log shows it. */
  serviceIds: readonly string[]
  /** A member of staff; the operator of the installation has no id. */
  by: { id: string | null; name: string }
}

/** Notes a change for the log, in the transaction that makes it. */
export async function noteStaffChange(sql: Db, change: StaffChange, now: Date): Promise<void> {
  const { organisationId, staffId, staffName, what, given = [], taken = [], serviceIds, by } = change
  await sql`
    insert into staff_change (organisation_id, id, at, what, staff_id, staff_name, given, taken, service_ids, by_id, by_name)
    values (${organisationId}, ${newId()}, ${now}, ${what}, ${staffId}, ${staffName}, ${sql.json(given as never)},
            ${sql.json(taken as never)}, ${[...new Set(serviceIds)]}::uuid[], ${by.id}, ${by.name})`
}

/** Makes the roles of somebody for these services those that are wanted, and answers what that changed. */
export async function writeRoles(
  sql: Db,
  staffId: string,
  serviceIds: readonly string[],
  wanted: readonly RoleFor[],
): Promise<{ given: RoleFor[]; taken: RoleFor[] }> {
  const [services, roles] = [wanted.map(({ serviceId }) => serviceId), wanted.map(({ role }) => role as string)]
  const given = await sql<RoleFor[]>`
    insert into staff_role (staff_id, service_id, role)
    select ${staffId}, service_id, role from unnest(${services}::uuid[], ${roles}::text[]) as wanted (service_id, role)
    on conflict do nothing
    returning service_id, role`
  const taken = await sql<RoleFor[]>`
    delete from staff_role
    where staff_id = ${staffId} and service_id = any (${serviceIds as string[]}::uuid[])
      and not exists (
        select from unnest(${services}::uuid[], ${roles}::text[]) as wanted (service_id, role)
        where wanted.service_id = staff_role.service_id and wanted.role = staff_role.role
      )
    returning service_id, role`
  return { given: [...given], taken: [...taken] }
}
