import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { type Right, requireRight, rightsOfStaff, type StaffRole } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

/**
 * What takes two people: one asks, and nothing is done until another approves. For each kind, the right that both need, for all
 * services that it is about. What is then done stands with the page where it is approved (web/department/approvals.ts).
 */
export const approvalKinds = {
  client: 'systems:manage',
  'client-key': 'systems:manage',
  'batch-release': 'messages:write',
  'batch-recall': 'messages:write',
} as const satisfies Record<string, Right>
export type ApprovalKind = keyof typeof approvalKinds

const waitsForDays = 7

export type Decision = 'approved' | 'refused' | 'withdrawn'
type Person = { id: string; name: string }

export type Approval = {
  id: string
  organisationId: string
  kind: ApprovalKind
  serviceIds: string[]
  what: unknown
  askedBy: Person
  askedAt: Date
  expiresAt: Date
  decision: Decision | null
  decidedAt: Date | null
  decidedByName: string | null
  /** Not decided, not over, and asked by somebody who works here and may still ask for it. */
  isWaiting: boolean
  /** Whether the actor asked for it: then they may withdraw it, and otherwise approve or refuse it. */
  isOwn: boolean
}

/** Does what was approved, in the transaction that approves it. If it throws, nothing is approved. */
export type Effect = (sql: Db, approval: Approval, approvedBy: Person, now: Date) => Promise<void>
export type Effects = Record<ApprovalKind, Effect>

/** Asks for something that another has to approve, in the transaction and scope of the verb that asks. */
export async function askApproval(
  sql: Db,
  actor: Actor,
  asked: { kind: ApprovalKind; serviceIds: readonly string[]; what: object },
  now: Date,
): Promise<{ approvalId: string }> {
  const right = approvalKinds[asked.kind]
  requireRight(actor, right)
  if (!holdsForAll(actor, right, asked.serviceIds)) throw new Problem('not-found')
  const approvalId = newId()
  const expiresAt = new Date(now.getTime() + waitsForDays * 86_400_000)
  await sql`
    insert into approval (id, organisation_id, kind, service_ids, what, asked_by, asked_at, expires_at)
    values (${approvalId}, ${actor.partyId}, ${asked.kind}, ${asked.serviceIds as string[]}::uuid[], ${sql.json(asked.what as never)},
            ${actor.by.id}, ${now}, ${expiresAt})`
  return { approvalId }
}

type Row = Omit<Approval, 'askedBy' | 'isOwn' | 'isWaiting'> & {
  askedById: string
  askedByName: string
  isAskerActive: boolean
  askerRoles: { role: StaffRole; serviceId: string }[]
}

function selectApprovals(db: Db, actor: Actor, which: Fragment) {
  return db`
    select approval.id, approval.organisation_id, approval.kind, approval.service_ids, approval.what, approval.asked_at, approval.expires_at,
      approval.decision, approval.decided_at, decider.name as decided_by_name,
      asker.id as asked_by_id, asker.name as asked_by_name, asker.is_active as is_asker_active,
      (select coalesce(jsonb_agg(jsonb_build_object('role', role, 'serviceId', service_id)), '[]')
       from staff_role where staff_role.staff_id = asker.id) as asker_roles
    from approval
    join staff_member asker on asker.id = approval.asked_by
    left join staff_member decider on decider.id = approval.decided_by
    where ${own(db, db`approval.organisation_id = ${actor.partyId}`)} and ${which}
    order by approval.asked_at, approval.id`
}

/** What waits and is about services for which the actor has the right, the oldest first. */
export async function listApprovals(db: Db, actor: Actor, now: Date): Promise<Approval[]> {
  const open = db`approval.decided_at is null and approval.expires_at > ${now}`
  const rows = await readWithin<Row>(db, scopeOf(actor), selectApprovals(db, actor, open))
  return rows.flatMap((row) => toApproval(row, actor, now) ?? []).filter(({ isWaiting }) => isWaiting)
}

/** One, waiting or not. Throws `not-found`. */
export async function findApproval(db: Db, actor: Actor, approvalId: string, now: Date): Promise<Approval> {
  const [row] = await readWithin<Row>(db, scopeOf(actor), selectApprovals(db, actor, db`approval.id = ${approvalId}`))
  const approval = row && toApproval(row, actor, now)
  if (approval === undefined) throw new Problem('not-found')
  return approval
}

/**
 * Decides, and does what was approved: of its kind there must be an effect. Answers `over` where it does not wait any more, as for the second of two who decide at
 * once. Who asked may only withdraw, and nobody else may; otherwise throws `not-found`.
 */
export async function decideApproval(
  db: Db,
  actor: Actor,
  { approvalId, decision }: { approvalId: string; decision: Decision },
  effects: Partial<Effects>,
  now: Date,
): Promise<'decided' | 'over'> {
  return within(db, scopeOf(actor), async (sql) => {
    // Whoever comes second waits here, and sees then that it is decided.
    await sql`select from approval where id = ${approvalId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} for update`
    const approval = await findApproval(sql, actor, approvalId, now)
    if (approval.isOwn !== (decision === 'withdrawn')) throw new Problem('not-found')
    if (!approval.isWaiting) return 'over'
    await sql`
      update approval set decided_by = ${actor.by.id}, decided_at = ${now}, decision = ${decision}
      where id = ${approvalId} and ${own(sql, sql`organisation_id = ${actor.partyId}`)} and decided_at is null`
    if (decision === 'approved') await effects[approval.kind]!(sql, approval, { id: actor.by.id, name: actor.by.name }, now)
    return 'decided'
  })
}

/** Undefined where the actor may not know of it. */
function toApproval(row: Row, actor: Actor, now: Date): Approval | undefined {
  const { askedById, askedByName, isAskerActive, askerRoles, ...approval } = row
  const right = approvalKinds[approval.kind]
  if (!holdsForAll(actor, right, approval.serviceIds)) return undefined
  const asker = { rights: rightsOfStaff(askerRoles) }
  const mayStillAsk = isAskerActive && holdsForAll(asker, right, approval.serviceIds)
  const isWaiting = approval.decision === null && approval.expiresAt > now && mayStillAsk
  return { ...approval, askedBy: { id: askedById, name: askedByName }, isWaiting, isOwn: askedById === actor.by.id }
}

/** Whether somebody has the right for all of these services. */
export function holdsForAll(holder: Pick<Actor, 'rights'>, right: Right, serviceIds: readonly string[]): boolean {
  if (!holder.rights.has(right)) return false
  const services = servicesFor(holder as Actor, right)
  return services === undefined || serviceIds.every((id) => services.includes(id))
}
