import { Problem } from '../../problems.ts'
import type { FieldError } from '../page.ts'

/** Why access cannot be entered, beside the field that it is about. Throws what no field can mend. */
export function grantError(error: unknown): FieldError {
  const words: Partial<Record<string, FieldError>> = {
    'grant-to-oneself': { field: 'name', text: 'Nobody can be given access to their own mailbox' },
    'grant-in-circle': {
      field: 'name',
      text: 'This person’s own mailbox can be opened, through others, by the one whose record this is',
    },
    'grant-not-possible': { field: 'kind', text: 'Access of this kind cannot be given here' },
    'grant-over': { field: 'end', text: 'The last day must be today or later' },
    'mailbox-closed': {
      field: 'kind',
      text: 'The mailbox is closed: only an executor or an insolvency practitioner can be let in, to read',
    },
  }
  const found = error instanceof Problem ? words[error.code] : undefined
  if (found === undefined) throw error
  return found
}
