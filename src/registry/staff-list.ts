import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { holdsForAll } from './approval.ts'
import type { RoleFor } from './staff-change.ts'

export type StaffMember = {
  id: string
  /** Who this is at the OpenID provider of the staff. */
  subject: string
  name: string
  isActive: boolean
  roles: RoleFor[]
  isSelf: boolean
  /** The actor manages the staff of every service for which this one has a role, and so may say whether they work here at all. */
  mayDeactivate: boolean
}

/** Everybody of the actor's public body, those who work there first; one of them where they are named. */
export async function listStaff(db: Db, actor: Actor, only?: string): Promise<StaffMember[]> {
  requireRight(actor, 'staff:manage')
  const rows = await readWithin<Omit<StaffMember, 'isSelf' | 'mayDeactivate'>>(
    db,
    scopeOf(actor),
    db`
    select id, subject, name, is_active,
      (select coalesce(jsonb_agg(jsonb_build_object('serviceId', service_id, 'role', role)), '[]')
       from staff_role where staff_role.staff_id = staff_member.id) as roles
    from staff_member
    where ${own(db, db`organisation_id = ${actor.partyId}`)} ${only === undefined ? db`` : db`and id = ${only}`}
    order by is_active desc, name, id`,
  )
  return rows.map((row) => {
    const services = row.roles.map(({ serviceId }) => serviceId)
    const isSelf = row.id === actor.by.id
    return { ...row, isSelf, mayDeactivate: !isSelf && holdsForAll(actor, 'staff:manage', services) }
  })
}

/** Throws `not-found`. */
export async function findStaff(db: Db, actor: Actor, staffId: string): Promise<StaffMember> {
  const [member] = await listStaff(db, actor, staffId)
  if (member === undefined) throw new Problem('not-found')
  return member
}
