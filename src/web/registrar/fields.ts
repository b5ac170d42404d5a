import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import { type FoundParty, type RecordQuery, readSearch, searchRecords } from '../../registry/find-record.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { flawOf, type Schemes, schemeName } from '../../registry/scheme.ts'
import { endOfDay } from '../dates.ts'
import { type Form, type Limits, readForm, toLine } from '../form.ts'
import type { FieldError } from '../page.ts'
import { type Language, type Translate, translate } from '../words.ts'

/** A form's fields as they were typed, for showing them again. */
export type Draft = Readonly<Record<string, string>>

export const limitsForRegistrars: Limits = { files: 1, bytes: 10 * 1024 * 1024 }
const reasonLengthMax = 500
const nameLengthMax = 200

export async function readDraft(request: FastifyRequest): Promise<{ form: Form; draft: Draft }> {
  const form = await readForm(request, limitsForRegistrars)
  return { form, draft: Object.fromEntries([...form.fields].map(([name, value]) => [name, toLine(value)])) }
}

/** What is sent again with the check page. */
export function toHidden({ csrf: _, step: __, ...fields }: Draft): { name: string; value: string }[] {
  return Object.entries(fields).map(([name, value]) => ({ name, value }))
}

export function checkReason({ reason = '' }: Draft, t: Translate): FieldError[] {
  if (reason === '') return [{ field: 'reason', text: t('register-form:reason.missing') }]
  if (reason.length <= reasonLengthMax) return []
  return [{ field: 'reason', text: t('register-form:reason.too-long', { max: reasonLengthMax }) }]
}

/** `missing`: what is said where it is empty. */
export function checkName(name = '', field: string, missing: string, t: Translate): FieldError[] {
  if (name === '') return [{ field, text: missing }]
  return name.length > nameLengthMax ? [{ field, text: t('register-form:person.name-too-long', { max: nameLengthMax }) }] : []
}

/** Of a number that is not empty. */
export function checkNumber(
  schemes: Schemes,
  { scheme, value }: { scheme: string; value: string },
  field: string,
  language: Language,
): FieldError[] {
  const flaw = flawOf(schemes, scheme, value)
  if (flaw === undefined) return []
  const name = schemeName(schemes.get(scheme)!, language)
  return [{ field, text: translate(language)(`register-form:number.${flaw}`, { name }) }]
}

const isEmptyDate = (draft: Draft, field: string) =>
  ['day', 'month', 'year'].every((part) => (draft[`${field}-${part}`] ?? '') === '')

function endOf(draft: Draft, field: string): Date | undefined {
  const parts = ['year', 'month', 'day'].map((part) => draft[`${field}-${part}`] ?? '')
  if (!parts.every((part) => /^\d{1,4}$/.test(part)) || Number(parts[0]) < 1850) return undefined
  return endOfDay(Number(parts[0]), Number(parts[1]), Number(parts[2]))
}

/** A day that is over or has begun, such as a birth date: as YYYY-MM-DD. `missing`: what is said where it is empty. */
export function readPastDay(
  draft: Draft,
  field: string,
  missing: string,
  now: Date,
  t: Translate,
): { day?: string; errors: FieldError[] } {
  const wrong = (text: string) => ({ errors: [{ field, text }] })
  if (isEmptyDate(draft, field)) return wrong(missing)
  const end = endOf(draft, field)
  if (end === undefined) return wrong(t('register-form:date.not-real'))
  if (end.getTime() - 86_400_000 > now.getTime()) return wrong(t('register-form:date.in-future'))
  const part = (name: string, length: number) => draft[`${field}-${name}`]!.padStart(length, '0').slice(-length)
  return { day: `${part('year', 4)}-${part('month', 2)}-${part('day', 2)}`, errors: [] }
}

/** The end of a day that is still to come, or undefined where the fields are empty. */
export function readLastDay(draft: Draft, field: string, now: Date, t: Translate): { end?: Date; errors: FieldError[] } {
  const wrong = (text: string) => ({ errors: [{ field, text }] })
  if (isEmptyDate(draft, field)) return wrong(t('register-form:date.last-missing'))
  const end = endOf(draft, field)
  if (end === undefined) return wrong(t('register-form:date.last-not-real'))
  return end <= now ? wrong(t('register-form:date.last-past')) : { end, errors: [] }
}

/** The name and birth date that were typed, if both are right. */
export function readPersonQuery(draft: Draft, now: Date, t: Translate): { query?: RecordQuery; errors: FieldError[] } {
  const { day, errors: dateErrors } = readPastDay(draft, 'birthDate', t('register-form:person.birth-date-missing'), now, t)
  const errors = [...checkName(draft.name, 'name', t('register-form:person.name-missing'), t), ...dateErrors]
  if (day === undefined || errors.length > 0) return { errors }
  return { query: { by: 'person', name: draft.name!, birthDate: day }, errors }
}

/**
 * The one person who has the name and birth date that were typed. A search like any other, so it is kept and the person is told;
 * its id goes with the check page in place of the person's.
 */
export async function findPerson(
  database: Database,
  keys: IdentifierKeys,
  actor: Actor,
  draft: Draft,
  now: Date,
  t: Translate,
): Promise<{ searchId?: string; person?: FoundParty; errors: FieldError[] }> {
  const { query, errors: queryErrors } = readPersonQuery(draft, now, t)
  const errors = [...queryErrors, ...checkReason(draft, t)]
  if (query === undefined || errors.length > 0) return { errors }
  const { searchId, found } = await searchRecords(database, keys, actor, { query, reason: draft.reason! }, now)
  const alive = found.filter(({ registration }) => registration !== 'closed')
  const wrong = (text: string) => ({ errors: [{ field: 'name', text }] })
  if (alive.length === 0) return wrong(t('register-form:person.none'))
  if (alive.length > 1) return wrong(t('register-form:person.several'))
  return { searchId, person: alive[0]!, errors: [] }
}

/** The person whom an earlier search of the same registrar found. Throws `not-found` when that is too long ago. */
export async function personOfSearch(
  database: Database,
  actor: Actor,
  searchId: string,
  now: Date,
): Promise<FoundParty | undefined> {
  const { found } = await readSearch(database, actor, searchId, now)
  const alive = found.filter(({ registration }) => registration !== 'closed')
  return alive.length === 1 ? alive[0] : undefined
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export function isId(text: string | undefined): text is string {
  return text !== undefined && uuid.test(text)
}
