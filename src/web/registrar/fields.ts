import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import { type FoundParty, readSearch, searchRecords } from '../../registry/find-record.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { endOfDay } from '../dates.ts'
import { type Form, type Limits, readForm, toLine } from '../form.ts'
import type { FieldError } from '../page.ts'

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

export function checkReason({ reason = '' }: Draft): FieldError[] {
  if (reason === '') return [{ field: 'reason', text: 'Enter why' }]
  return reason.length > reasonLengthMax ? [{ field: 'reason', text: `Why must be ${reasonLengthMax} characters or fewer` }] : []
}

export function checkName(name = '', field: string, whose: string): FieldError[] {
  if (name === '') return [{ field, text: `Enter ${whose}` }]
  return name.length > nameLengthMax ? [{ field, text: `The name must be ${nameLengthMax} characters or fewer` }] : []
}

const isEmptyDate = (draft: Draft, field: string) =>
  ['day', 'month', 'year'].every((part) => (draft[`${field}-${part}`] ?? '') === '')

function endOf(draft: Draft, field: string): Date | undefined {
  const parts = ['year', 'month', 'day'].map((part) => draft[`${field}-${part}`] ?? '')
  if (!parts.every((part) => /^\d{1,4}$/.test(part)) || Number(parts[0]) < 1850) return undefined
  return endOfDay(Number(parts[0]), Number(parts[1]), Number(parts[2]))
}

/** A day that is over or has begun, such as a birth date: as YYYY-MM-DD. */
export function readPastDay(draft: Draft, field: string, what: string, now: Date): { day?: string; errors: FieldError[] } {
  const wrong = (text: string) => ({ errors: [{ field, text }] })
  if (isEmptyDate(draft, field)) return wrong(`Enter ${what}`)
  const end = endOf(draft, field)
  if (end === undefined) return wrong('Enter a real date, such as 27 3 1984')
  if (end.getTime() - 86_400_000 > now.getTime()) return wrong('The date must not be in the future')
  const part = (name: string, length: number) => draft[`${field}-${name}`]!.padStart(length, '0').slice(-length)
  return { day: `${part('year', 4)}-${part('month', 2)}-${part('day', 2)}`, errors: [] }
}

/** The end of a day that is still to come, or undefined where the fields are empty. */
export function readLastDay(draft: Draft, field: string, now: Date): { end?: Date; errors: FieldError[] } {
  const wrong = (text: string) => ({ errors: [{ field, text }] })
  if (isEmptyDate(draft, field)) return wrong('Enter the last day')
  const end = endOf(draft, field)
  if (end === undefined) return wrong('Enter a real date, such as 31 3 2027')
  return end <= now ? wrong('The last day must be today or later') : { end, errors: [] }
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
): Promise<{ searchId?: string; person?: FoundParty; errors: FieldError[] }> {
  const { day, errors: dateErrors } = readPastDay(draft, 'birthDate', 'the birth date', now)
  const errors = [...checkName(draft.name, 'name', 'the full name'), ...dateErrors, ...checkReason(draft)]
  if (day === undefined || errors.length > 0) return { errors }
  const query = { by: 'person', name: draft.name!, birthDate: day } as const
  const { searchId, found } = await searchRecords(database, keys, actor, { query, reason: draft.reason! }, now)
  const alive = found.filter(({ registration }) => registration !== 'closed')
  const wrong = (text: string) => ({ errors: [{ field: 'name', text }] })
  if (alive.length === 0) return wrong('Nobody of this name and birth date has an open mailbox here')
  if (alive.length > 1) return wrong('There are several records of this name and birth date. Merge them first')
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
