import { Problem } from '../../problems.ts'
import type { FieldError } from '../page.ts'
import type { Translate } from '../words.ts'

const fieldOf: Partial<Record<string, string>> = {
  'grant-to-oneself': 'name',
  'grant-in-circle': 'name',
  'grant-not-possible': 'kind',
  'grant-over': 'end',
  'mailbox-closed': 'kind',
}

/** Why access cannot be entered, beside the field that it is about. Throws what no field can mend. */
export function grantError(error: unknown, t: Translate): FieldError {
  const code = error instanceof Problem ? error.code : ''
  const field = fieldOf[code]
  if (field === undefined) throw error
  return { field, text: t(`register-access:refused.${code}`) }
}
