import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type ActionKind, dueOf, hostOfAction, isPersonal, misfitsOfAction, type NewAction, wayOf } from '../documents/action.ts'
import { Problem, type ProblemCode, wrongField } from '../problems.ts'
import { type Submission, saidOf } from './message.ts'

/** What a message asks to do, as a row of the table. */
export type ActionRow = {
  id: string
  ordinal: number
  kind: ActionKind
  said: string
  starts_at: string | undefined
  ends_at: string | undefined
  meets_at: string | undefined
}

export function toActionRow(action: NewAction, ordinal: number): ActionRow {
  const { kind, from, appointment } = action
  return {
    id: newId(),
    ordinal,
    kind,
    said: saidOf(action),
    starts_at: from,
    ends_at: dueOf(action),
    meets_at: appointment?.start,
  }
}

const problemAt = (code: ProblemCode, action: number, field: string) =>
  new Problem(code, [wrongField(`/actions/${action}/${field}`, { code })])

/** What can be said of actions without the database. Throws `action-not-valid`, `action-address-not-allowed`, `action-address-personal`. */
export function checkActions(actor: Actor, { actions = [], documents, recipient }: Submission): void {
  // Who writes to a public body asks it for nothing by a button.
  if (actions.length > 0 && !actor.isOrganisation) throw new Problem('action-not-valid')
  const misfits = actions.flatMap((action, place) =>
    misfitsOfAction(action, documents.length).map(({ field, code }) => wrongField(`/actions/${place}/${field}`, { code })),
  )
  if (misfits.length > 0) throw new Problem('action-not-valid', misfits)
  for (const [place, { url }] of actions.entries()) {
    if (url === undefined) continue
    if (hostOfAction(url) === undefined) throw problemAt('action-address-not-allowed', place, 'url')
    if (isPersonal(url, recipient?.value)) throw problemAt('action-address-personal', place, 'url')
  }
}

type Asking = { actor: Actor; submission: Submission }

/** By place: why its actions cannot be taken, as far as that depends on what is registered. One query, and none where nothing asks for anything. */
export async function refuseActions(db: Db, asking: readonly Asking[]): Promise<(Problem | undefined)[]> {
  const withActions = asking.filter(({ submission }) => submission.actions?.length)
  if (withActions.length === 0) return asking.map(() => undefined)
  const [organisations, services] = [
    withActions.map(({ actor }) => actor.partyId),
    withActions.map(({ submission }) => submission.serviceId),
  ]
  const registered = await readWithin<{ id: string; host: string | null }>(
    db,
    { purpose: 'delivery' },
    db`
    select organisation_id as id, host from action_host where organisation_id = any(${[...new Set(organisations)]}::uuid[])
    union all select service_id, null from pay_account where service_id = any(${[...new Set(services)]}::uuid[])`,
  )
  const known = new Set(registered.map(({ id, host }) => `${id} ${host}`))
  return asking.map(({ actor, submission: { actions = [], serviceId } }) => {
    for (const [place, action] of actions.entries()) {
      const { url } = action
      if (url !== undefined && !known.has(`${actor.partyId} ${hostOfAction(url)}`))
        return problemAt('action-address-not-allowed', place, 'url')
      if (wayOf(action) === 'payment' && !known.has(`${serviceId} null`)) return problemAt('payments-not-set-up', place, 'amount')
    }
    return undefined
  })
}
