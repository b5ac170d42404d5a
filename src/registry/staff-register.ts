import { v7 as newId } from 'uuid'
import type { StaffRole } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import { operator } from './client-change.ts'
import type { DeclaredOrganisation } from './declaration.ts'
import { noteStaffChange, writeRoles } from './staff-change.ts'

/**
 * Brings the staff of a public body to what its declaration says: also the first staff-manager of a service, and a new one where
 * the last has left. Somebody who was deactivated stays so.
 */
export async function bringStaff(
  sql: Db,
  organisationId: string,
  { staff = [], services: all }: DeclaredOrganisation,
  serviceIds: ReadonlyMap<string, string>,
  at: string,
  problems: FieldProblem[],
  now: Date,
): Promise<void> {
  const ofOrganisation = all.map(({ slug }) => serviceIds.get(slug)!)
  for (const [index, { subject, name, services, roles = ['post-reader', 'post-writer'] }] of staff.entries()) {
    const [known] = await sql<{ id: string; organisationId: string; name: string }[]>`
      select id, organisation_id, name from staff_member where subject = ${subject}`
    if (known !== undefined && known.organisationId !== organisationId) {
      problems.push({ field: `${at}/staff/${index}/subject`, message: 'belongs to another organisation' })
      continue
    }
    const staffId = known?.id ?? newId()
    if (known === undefined) {
      await sql`
        insert into staff_member (id, organisation_id, subject, name) values (${staffId}, ${organisationId}, ${subject}, ${name})`
    } else if (known.name !== name) {
      await sql`update staff_member set name = ${name} where id = ${staffId}`
    }
    const wanted = services.flatMap((slug) =>
      roles.map((role) => ({ serviceId: serviceIds.get(slug)!, role: role as StaffRole })),
    )
    const { given, taken } = await writeRoles(sql, staffId, ofOrganisation, wanted)
    if (known !== undefined && given.length + taken.length === 0) continue
    const what = known === undefined ? 'added' : 'roles-changed'
    const changed = [...given, ...taken].map(({ serviceId }) => serviceId)
    await noteStaffChange(
      sql,
      { organisationId, staffId, staffName: name, what, given, taken, serviceIds: changed, by: operator },
      now,
    )
  }
}
