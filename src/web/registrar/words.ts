import type { GrantRole } from '../../access/grant.ts'
import { merged, ownWish } from '../../registry/registration.ts'
import { dayInWords } from '../dates.ts'

export const registrationInWords: Record<string, string> = {
  registered: 'Can be reached',
  exempt: 'Exempt',
  closed: 'Closed',
}

export const kindInWords: Record<string, string> = {
  helper: 'Helper',
  employee: 'Employee',
  adviser: 'Adviser',
  guardian: 'Guardian or deputy',
  attorney: 'Attorney',
  executor: 'Executor or administrator of an estate',
  'insolvency-practitioner': 'Insolvency practitioner',
}

const roles: Record<GrantRole, string> = {
  none: 'Manages people, reads no post',
  reader: 'Reads',
  writer: 'Reads and writes',
}

export function roleInWords({ role, isAdministrator }: { role: GrantRole; isAdministrator: boolean }): string {
  return isAdministrator && role !== 'none' ? `${roles[role]}, and manages people` : roles[role]
}

const reasons: Record<string, string> = {
  [ownWish]: 'The owner’s own wish.',
  [merged]: 'Merged into another record of the same person.',
  death: 'Death.',
  dissolved: 'The business has been dissolved.',
  other: 'Another reason.',
}

/** Why a registration was changed: one of the reasons that have a meaning, or what was typed. */
export function reasonInWords(reason: string): string {
  return reasons[reason] ?? reason
}

/** Of a day as YYYY-MM-DD. */
export function dayOf(day: string): string {
  return dayInWords(new Date(`${day}T12:00:00Z`))
}
