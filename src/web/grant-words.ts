import type { Grant, GrantKind, GrantRole, GrantState } from '../access/grant.ts'
import type { OpenMailbox } from '../sign-in/session.ts'
import { dayInWords } from './dates.ts'

const kinds: Record<GrantKind, string> = {
  helper: 'helper',
  employee: 'employee',
  adviser: 'adviser from outside',
  guardian: 'guardian',
  attorney: 'attorney',
  executor: 'executor',
  'insolvency-practitioner': 'insolvency practitioner',
}
const roles: Record<GrantRole, string> = { none: 'no post', reader: 'read only', writer: 'read and write' }
const states: Record<GrantState, string> = {
  offered: 'Waiting for an answer',
  expired: 'Nobody accepted in time',
  declined: 'Declined',
  'not-begun': 'Not begun yet',
  active: 'Active',
  over: 'Over',
  ended: 'Ended',
}

export const kindInWords = (kind: GrantKind) => kinds[kind]
export const stateInWords = (state: GrantState) => states[state]

type Described = Pick<OpenMailbox, 'role' | 'isAdministrator' | 'serviceNames' | 'categoryNames' | 'endsAt'>

/** Read only, Council tax only, until 3 March 2027. */
export function accessInWords(access: Described): string {
  const { endsAt } = access
  const words = [rightsInWords(access), limitsInWords(access), endsAt && `until ${dayInWords(endsAt)}`].filter(Boolean).join(', ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function rightsInWords({ role, isAdministrator }: Pick<Described, 'role' | 'isAdministrator'>): string {
  return isAdministrator ? `${roles[role]}, administrator` : roles[role]
}

/** Undefined where it is all post. */
export function limitsInWords({
  serviceNames,
  categoryNames,
}: Pick<Described, 'serviceNames' | 'categoryNames'>): string | undefined {
  const limits = [...(serviceNames ?? []), ...(categoryNames ?? [])]
  return limits.length === 0 ? undefined : `${limits.join(', ')} only`
}

/** A helper, an executor. */
const oneOf = (kind: GrantKind) => `${/^[aeiou]/.test(kinds[kind]) ? 'an' : 'a'} ${kinds[kind]}`

/** As a helper (read only, Council tax only, until 3 March 2027): for whoever has another's mailbox open. */
export function accessInMailbox(open: OpenMailbox): string {
  const words = accessInWords(open)
  const through = open.firmName === null ? '' : `, through ${open.firmName}`
  return `as ${oneOf(open.kind)}${through} (${words.charAt(0).toLowerCase()}${words.slice(1)})`
}

export type GrantView = {
  id: string
  giverName: string
  holderName: string
  kind: string
  /** With its article. */
  role: string
  access: string
  state: string
}

export function viewGrant(
  grant: Described & Pick<Grant, 'id' | 'giverName' | 'holderName' | 'kind'>,
  state: GrantState,
): GrantView {
  return {
    id: grant.id,
    giverName: grant.giverName,
    holderName: grant.holderName,
    kind: kindInWords(grant.kind),
    role: oneOf(grant.kind),
    access: accessInWords(grant),
    state: stateInWords(state),
  }
}
