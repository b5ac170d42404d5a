import type { RowFault } from '../src/delivery/mailing.ts'
import type { Missing } from '../src/evidence/missing.ts'
import type { Failure } from '../src/evidence/webhook.ts'
import type { FieldFault, ProblemCode } from '../src/problems.ts'

type ValuesOf<Reason extends { code: string }, Code> = Reason extends unknown
  ? Code extends Reason['code']
    ? Omit<Reason, 'code'>
    : never
  : never
type EachOf<Reason extends { code: string }> = { [Code in Reason['code']]: ValuesOf<Reason, Code> }
const asReasons = <Reason>(each: Record<string, object>) =>
  Object.entries(each).map(([code, values]) => ({ code, ...values })) as Reason[]

/** Everything that can be wrong with a row, with values. One that is left out is an error of types. */
export const rowFaults: RowFault[] = asReasons<RowFault>({
  empty: {},
  formula: {},
  'spreadsheet-error': {},
  'number-shortened': {},
  'reference-of-letter': {},
  'cell-count': { cells: 3, columns: 4 },
  'scheme-not-allowed': { allowed: 'link, nino' },
  'identifier-form': { scheme: 'nino' },
  'identifier-check-digit': { scheme: 'nhs-number' },
  'too-long': { max: 128 },
  'subject-too-long': { max: 256 },
  'letter-too-long': { max: 100_000 },
  'reference-repeated': { row: 2 },
  'recipient-repeated': { row: 2 },
} satisfies EachOf<RowFault>)

/** Every way in which a webhook's delivery can fail, likewise. */
export const failures: Failure[] = asReasons<Failure>({
  'address-not-allowed': {},
  'network-not-public': {},
  'not-reached': {},
  'not-reached-because': { reason: 'ECONNRESET' },
  'no-answer': { seconds: 10 },
  answered: { status: 500 },
} satisfies EachOf<Failure>)

/** Whatever can be wrong with a field of a letter in a batch, likewise. */
export const fieldFaults: FieldFault[] = asReasons<FieldFault>({
  needed: {},
  unknown: {},
  'type-string': {},
  'type-number': {},
  'type-integer': {},
  'type-boolean': {},
  'type-array': {},
  'type-object': {},
  enum: { allowed: ['"main"', '"additional"', '"technical"'] },
  pattern: {},
  'format-base64': {},
  'format-uuid': {},
  'format-date': {},
  'format-date-time': {},
  'format-uri': {},
  oneOf: {},
  empty: {},
  minLength: { limit: 2 },
  maxLength: { limit: 256 },
  minItems: { limit: 2 },
  maxItems: { limit: 20 },
  minimum: { limit: 1 },
  maximum: { limit: 19 },
  uniqueItems: {},
  'identifier-empty': {},
  'identifier-form': { scheme: 'nino' },
  'identifier-check-digit': { scheme: 'nhs-number' },
  'action-url-needed': {},
  'action-booking-needed': {},
  'action-appointment-unfit': {},
  'action-amount-needed': {},
  'action-amount-unfit': {},
  'action-reference-needed': {},
  'action-reference-unfit': {},
  'action-reference-address': {},
  'action-appointment-order': {},
  'action-until-order': {},
  'action-document-unknown': {},
  // Of the problems those that lie in one field.
  'file-name-not-allowed': {},
  'file-type-not-allowed': {},
  'file-type-mismatch': {},
  'file-empty': {},
  'upload-not-found': {},
  'action-address-not-allowed': {},
  'action-address-personal': {},
  'payments-not-set-up': {},
} satisfies Omit<EachOf<FieldFault>, ProblemCode> & Partial<EachOf<FieldFault>>)

/** Why what should vouch for the log is not there, likewise. */
export const missing: Missing[] = asReasons<Missing>({
  'witness-not-reached': { witness: 'witness.example/one' },
  'witness-unsteady': { witness: 'witness.example/one' },
  'witness-behind': { witness: 'witness.example/one' },
  'witness-late': { witness: 'witness.example/one', ms: 5_000 },
  'witness-too-long': { witness: 'witness.example/one', bytes: 65_536 },
  'witness-refused': { witness: 'witness.example/one', status: 403 },
  'witness-ahead': { witness: 'witness.example/one', seen: 512, size: 256 },
  'stamp-not-reached': {},
  'stamp-other-type': {},
  'stamp-late': { ms: 10_000 },
  'stamp-too-long': { bytes: 65_536 },
  'stamp-status': { status: 503 },
  'stamp-wrong': { why: 'The time-stamp is for other data.' },
  stopping: {},
} satisfies EachOf<Missing>)
