import type { Asker } from '../access/revive-actor.ts'
import type { ProblemCode } from '../problems.ts'
import type { Identifier } from '../registry/identifier.ts'
import { flawOf, type Schemes } from '../registry/scheme.ts'
import type { Submission } from './message.ts'
import { type CsvRow, type Fault, FileFault } from './read-csv.ts'
import { columnKey, fillTemplate, ownColumns, type Template, type TooLong, tooLong, toValue } from './template.ts'

/**
 * One template, sent to everybody in a file. New: has no file. Checking: recipients are being looked up. Refused: rows are wrong. Ready: nothing is.
 * Sending: is a batch, whose letters are being accepted. Sent: every row has been. Stopped: its batch was broken off.
 */
export const mailingStates = ['new', 'checking', 'refused', 'ready', 'sending', 'sent', 'stopped'] as const
export type MailingState = (typeof mailingStates)[number]

/** Another file may take the place of the one before until a mailing is sent. */
export function takesFile(state: MailingState): boolean {
  return state === 'new' || state === 'checking' || state === 'refused' || state === 'ready'
}

export type Mailing = {
  id: string
  /** The service that sends. */
  senderId: string
  name: string
  templateId: string
  templateVersion: number
  state: MailingState
  fileId: string | null
  createdAt: Date
  createdByName: string
  batchId: string | null
  sentAt: Date | null
  sentBy: AskedBy | null
  availableFrom: Date | null
  /** Rows up to this one are accepted, or refused. */
  sentTo: number
  endedAt: Date | null
  /** Why it does not go on just now. */
  waitsBecause: ProblemCode | null
}

/** Who asked for what the worker does. */
export type AskedBy = { mailboxId: string; by: Asker }

export const mailingNameMax = 100
/** Of letters. Who has more divides them. */
export const rowsMax = 1_000_000
/** Who has never used a file in so many days has forgotten it: its rows are deleted. So are those of a mailing that has ended. */
export const rowsKeptDays = 14
/** A file with more errors is wrong as a whole: the first of them say how. */
export const errorsKept = 100_000

/** Where in a row of the file each thing stands. `cells` are those of the placeholders, in their order. */
export type Columns = { names: string[]; identifier: number; scheme: number; reference: number; cells: number[] }

/** What the first row of a file must have, and may have. */
export function headerFor(placeholders: readonly string[]): string[] {
  return [...ownColumns, ...placeholders]
}

/** What a cell says: without the apostrophe by which `asText` kept it from being a formula, in a file that was downloaded here. */
const readCell = (cell: string): string => toValue(cell).replace(/^'(?=[+\-@])/, '')

/** Throws FileFault, which names every column that is wrong. */
export function readHeader({ cells }: CsvRow, placeholders: readonly string[]): Columns {
  const names = cells.map(readCell)
  while (names.at(-1) === '') names.pop()
  const keys = names.map(columnKey)
  const place = (name: string) => keys.indexOf(columnKey(name))
  const known = headerFor(placeholders).map(columnKey)
  const missing = ['identifier', ...placeholders].filter((name) => place(name) < 0)
  const repeated = names.filter((_, at) => keys[at] !== '' && keys.indexOf(keys[at]!) < at)
  const unknown = names.filter((name, at) => name !== '' && !known.includes(keys[at]!))
  const faults: Fault[] = [
    ...missing.map((name) => ({ code: 'column-missing', name }) as const),
    ...repeated.map((name) => ({ code: 'column-repeated', name }) as const),
    ...unknown.map((name) => ({ code: 'column-unknown', name }) as const),
    ...names.flatMap((name, at) => (name === '' ? ({ code: 'column-unnamed', place: at + 1 } as const) : [])),
  ]
  if (faults.length > 0) throw new FileFault(...faults)
  return {
    names,
    identifier: place('identifier'),
    scheme: place('identifier scheme'),
    reference: place('reference'),
    cells: placeholders.map(place),
  }
}

export type Row = { row: number; identifier: Identifier; reference: string | undefined; cells: string[] }

/** One thing that is wrong with a row. It repeats nothing that stands in it. Pages have the words for each code. */
export type RowFault =
  | { code: 'empty' | 'formula' | 'spreadsheet-error' | 'number-shortened' | 'reference-of-letter' }
  | { code: 'cell-count'; cells: number; columns: number }
  | { code: 'scheme-not-allowed'; allowed: string }
  | { code: 'identifier-form' | 'identifier-check-digit'; scheme: string }
  | { code: 'too-long'; max: number }
  | TooLong
  /** `row`: the one before with the same. */
  | { code: 'reference-repeated' | 'recipient-repeated'; row: number }

/** `column` undefined is the row as a whole. */
export type RowError = { row: number; column: string | undefined; fault: RowFault }

export type RowRules = {
  columns: Columns
  template: Pick<Template, 'content'>
  placeholders: readonly string[]
  /** What kind of identifier it is where the row does not say. */
  scheme: string
  /** Those that the service may use. */
  schemesAllowed: readonly string[]
  schemes: Schemes
}

/**
 * A row as far as it can be checked by itself, with everything that is wrong with it. It is there also where something is wrong, but for whom it
 * is to: so that it can be compared with the others.
 */
export function readRow({ row, cells: all }: CsvRow, rules: RowRules): { read: Row | undefined; errors: RowError[] } {
  const { columns, template, placeholders } = rules
  const cells = all.map(readCell)
  while (cells.length > columns.names.length && cells.at(-1) === '') cells.pop()
  if (cells.length !== columns.names.length) {
    const fault: RowFault = { code: 'cell-count', cells: cells.length, columns: columns.names.length }
    return { read: undefined, errors: [{ row, column: undefined, fault }] }
  }
  const errors: RowError[] = []
  const wrong = (at: number, fault: RowFault | undefined) => {
    if (fault !== undefined) errors.push({ row, column: columns.names[at], fault })
  }
  const reference = columns.reference < 0 ? undefined : cells[columns.reference] || undefined
  const scheme = (columns.scheme < 0 ? '' : cells[columns.scheme]!) || rules.scheme
  const identifier = { scheme, value: cells[columns.identifier]! }
  if (!rules.schemesAllowed.includes(scheme))
    wrong(columns.scheme, { code: 'scheme-not-allowed', allowed: rules.schemesAllowed.join(', ') })
  else wrong(columns.identifier, wrongNumber(identifier.value) ?? wrongIdentifier(rules.schemes, identifier))
  if (reference !== undefined) wrong(columns.reference, wrongNumber(reference) ?? wrongLength(reference))
  const isAddressed = errors.length === 0
  for (const at of columns.cells) wrong(at, wrongCell(cells[at]!))
  const values = columns.cells.map((at) => cells[at]!)
  if (errors.length === 0) {
    const fault = tooLong(fillTemplate(template.content, valuesOf(placeholders, values)))
    if (fault !== undefined) errors.push({ row, column: undefined, fault })
  }
  return { read: isAddressed ? { row, identifier, reference, cells: values } : undefined, errors }
}

function wrongIdentifier(schemes: Schemes, { scheme, value }: Identifier): RowFault | undefined {
  const flaw = flawOf(schemes, scheme, value)
  return wrongLength(value) ?? (flaw && { code: `identifier-${flaw}`, scheme })
}

function wrongLength(value: string): RowFault | undefined {
  return value.length > 128 ? { code: 'too-long', max: 128 } : undefined
}

function wrongCell(value: string): RowFault | undefined {
  if (value === '') return { code: 'empty' }
  if (/^#(REF!|N\/A|NAME\?|VALUE!|DIV\/0!|NUM!|NULL!|SPILL!|CALC!)$/.test(value)) return { code: 'spreadsheet-error' }
  // What begins with +, - or @ may well be meant: a telephone number, an amount, an account.
  if (/^=./.test(value)) return { code: 'formula' }
  return undefined
}

function wrongNumber(value: string): RowFault | undefined {
  if (/^\d(\.\d+)?E\+\d+$/i.test(value)) return { code: 'number-shortened' }
  return wrongCell(value)
}

export function valuesOf(placeholders: readonly string[], cells: readonly string[]): Map<string, string> {
  return new Map(placeholders.map((name, place) => [columnKey(name), cells[place] ?? '']))
}

/** Of a row without one: ends with its number. The same each time, so that its letter is never sent twice. */
export function referenceOf({ id }: Pick<Mailing, 'id'>, row: number | ''): string {
  return `mailing-${id}-${row}`
}

/** A row's letter. Always the same: a second try finds the first. */
export function submissionOf(
  mailing: Pick<Mailing, 'id' | 'senderId' | 'availableFrom'>,
  template: Template,
  placeholders: readonly string[],
  { row, identifier, reference, cells }: Row,
): Submission {
  const content = fillTemplate(template.content, valuesOf(placeholders, cells))
  return {
    reference: reference ?? referenceOf(mailing, row),
    serviceId: mailing.senderId,
    recipient: identifier,
    subject: content[0]!.subject,
    content,
    documents: [],
    reply: { allowed: template.replyAllowed },
    category: template.category,
    recipientOnly: template.recipientOnly,
    availableFrom: mailing.availableFrom?.toISOString(),
  }
}

/** Whether a refusal means that the recipient needs paper, and not that something is to be mended. */
export const paperReasons: readonly ProblemCode[] = [
  'recipient-not-found',
  'recipient-exempt',
  'recipient-closed',
  'recipient-not-yet',
  'consent-missing',
]
