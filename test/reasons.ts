import type { RowFault } from '../src/delivery/mailing.ts'
import type { Failure } from '../src/evidence/webhook.ts'

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
  'subject-too-long': { max: '256' },
  'letter-too-long': { max: '100,000' },
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
