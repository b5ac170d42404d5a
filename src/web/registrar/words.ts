import type { GrantRole } from '../../access/grant.ts'
import { merged, ownWish } from '../../registry/registration.ts'
import { dayInWords } from '../dates.ts'
import type { Language, Translate } from '../words.ts'

export function roleInWords({ role, isAdministrator }: { role: GrantRole; isAdministrator: boolean }, t: Translate): string {
  return t(`register-access:role.${isAdministrator && role !== 'none' ? `${role}-administrator` : role}`)
}

const reasons = [ownWish, merged, 'death', 'dissolved', 'other']

/** Why a registration was changed: one of the reasons that have a meaning, or what was typed. */
export function reasonInWords(reason: string, t: Translate): string {
  return reasons.includes(reason) ? t(`register-registration:reason.${reason}`) : reason
}

/** Of a day as YYYY-MM-DD. In English where nobody says otherwise, as in what is written down. */
export function dayOf(day: string, language: Language = 'en'): string {
  return dayInWords(new Date(`${day}T12:00:00Z`), language)
}
