import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { noteStaffChange, type RoleFor, writeRoles } from './staff-change.ts'
import { findStaff, type StaffMember } from './staff-list.ts'

/** Why it was not done: somebody must always be there who manages the staff of a service, and nobody locks themselves out. */
export type StaffRefusal = { refused: 'subject-taken' | 'own-last-role' | 'last-manager' }

/** Adds somebody with roles for services whose staff the actor manages. */
export async function addStaff(
  db: Db,
  actor: Actor,
  { subject, name, roles }: { subject: string; name: string; roles: readonly RoleFor[] },
  now: Date,
): Promise<{ staffId: string } | StaffRefusal> {
  requireRight(actor, 'staff:manage')
  const mine = servicesOf(actor)
  if (roles.length === 0) throw new Problem('not-found')
  requireOwn(mine, roles)
  return within(db, scopeOf(actor), async (sql) => {
    const staffId = newId()
    const { count } = await sql`
      insert into staff_member (id, organisation_id, subject, name) values (${staffId}, ${actor.partyId}, ${subject}, ${name})
      on conflict do nothing`
    if (count === 0) return { refused: 'subject-taken' }
    const { given } = await writeRoles(sql, staffId, mine, roles)
    await note(sql, actor, { id: staffId, name }, { what: 'added', given, taken: [] }, now)
    return { staffId }
  })
}

/** Makes somebody's roles, for the services whose staff the actor manages, those that are given; roles for other services stay. */
export async function changeStaffRoles(
  db: Db,
  actor: Actor,
  { staffId, roles }: { staffId: string; roles: readonly RoleFor[] },
  now: Date,
): Promise<undefined | StaffRefusal> {
  requireRight(actor, 'staff:manage')
  const mine = servicesOf(actor)
  requireOwn(mine, roles)
  return within(db, scopeOf(actor), async (sql) => {
    await lockStaff(sql, actor)
    const member = await findStaff(sql, actor, staffId)
    const after = [...member.roles.filter(({ serviceId }) => !mine.includes(serviceId)), ...roles]
    if (member.isSelf && managedBy(after).length === 0) return { refused: 'own-last-role' }
    if (await leavesNobody(sql, actor, member, managedBy(after))) return { refused: 'last-manager' }
    const { given, taken } = await writeRoles(sql, staffId, mine, roles)
    if (given.length + taken.length > 0) await note(sql, actor, member, { what: 'roles-changed', given, taken }, now)
    return undefined
  })
}

/** Somebody who is deactivated cannot sign in, and the next click of one who is signed in leads to the sign-in. Roles stay. */
export async function setStaffActive(
  db: Db,
  actor: Actor,
  { staffId, isActive }: { staffId: string; isActive: boolean },
  now: Date,
): Promise<undefined | StaffRefusal> {
  requireRight(actor, 'staff:manage')
  return within(db, scopeOf(actor), async (sql) => {
    await lockStaff(sql, actor)
    const member = await findStaff(sql, actor, staffId)
    if (!member.mayDeactivate) throw new Problem('not-found')
    if (!isActive && (await leavesNobody(sql, actor, member, []))) return { refused: 'last-manager' }
    const { count } = await sql`
      update staff_member set is_active = ${isActive}
      where id = ${staffId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} and is_active <> ${isActive}`
    if (count === 0) return undefined
    await note(sql, actor, member, { what: isActive ? 'activated' : 'deactivated', given: [], taken: [] }, now)
    return undefined
  })
}

const servicesOf = (actor: Actor) => servicesFor(actor, 'staff:manage') ?? []
const managedBy = (roles: readonly RoleFor[]) =>
  roles.filter(({ role }) => role === 'staff-manager').map(({ serviceId }) => serviceId)

function requireOwn(mine: readonly string[], roles: readonly RoleFor[]): void {
  if (!roles.every(({ serviceId }) => mine.includes(serviceId))) throw new Problem('not-found')
}

/** One change at a time in a public body: of two who take each other's last role, the second sees what the first has done. */
async function lockStaff(sql: Db, actor: Actor): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('staff ' || ${actor.partyId}::text, 0))`
}

/** Whether a service that this one manages the staff of would have nobody who does. */
async function leavesNobody(sql: Db, actor: Actor, member: StaffMember, stillManaged: readonly string[]): Promise<boolean> {
  const lost = member.isActive ? managedBy(member.roles).filter((id) => !stillManaged.includes(id)) : []
  if (lost.length === 0) return false
  const others = await sql<{ serviceId: string }[]>`
    select distinct service_id
    from staff_role join staff_member on staff_member.id = staff_role.staff_id
    where ${own(sql, sql`staff_member.organisation_id = ${actor.partyId}`)} and staff_member.is_active and staff_member.id <> ${member.id}
      and role = 'staff-manager' and service_id = any (${lost}::uuid[])`
  return others.length < lost.length
}

async function note(
  sql: Db,
  actor: Actor,
  member: { id: string; name: string; roles?: readonly RoleFor[] },
  change: { what: 'added' | 'roles-changed' | 'deactivated' | 'activated'; given: RoleFor[]; taken: RoleFor[] },
  now: Date,
): Promise<void> {
  const changed = [...change.given, ...change.taken]
  const about = changed.length > 0 ? changed : (member.roles ?? [])
  // Of one without roles, those see it who look after the staff that it was done by.
  const serviceIds = about.length > 0 ? about.map(({ serviceId }) => serviceId) : servicesOf(actor)
  await noteStaffChange(
    sql,
    { organisationId: actor.partyId, staffId: member.id, staffName: member.name, serviceIds, by: actor.by, ...change },
    now,
  )
}
