import type { GrantKind, GrantRole } from '../../access/grant.ts'
import type { Offer } from '../../access/offer-grant.ts'
import { endOfDay, startOfDay } from '../dates.ts'
import { toLine } from '../form.ts'
import type { FieldError } from '../page.ts'
import type { Translate } from '../words.ts'

/** What is in the form about who may do what: as it was typed, for showing it again. */
export type GrantDraft = {
  name: string
  kind: string
  role: string
  isAdministrator: boolean
  /** Whether it is limited to services: `all` or `some`. */
  extent: string
  services: string[]
  categories: string[]
  from: DayParts
  until: DayParts
}
type DayParts = { day: string; month: string; year: string }

/** What there is to choose from. */
export type GrantChoices = {
  isForBusiness: boolean
  services: { id: string; name: string; organisationName: string }[]
  categories: { slug: string; name: string }[]
}

const noDay: DayParts = { day: '', month: '', year: '' }
const nameLengthMax = 100

export function emptyGrantDraft({ isForBusiness }: { isForBusiness: boolean }): GrantDraft {
  const kind = isForBusiness ? '' : 'helper'
  return {
    name: '',
    kind,
    role: '',
    isAdministrator: false,
    extent: '',
    services: [],
    categories: [],
    from: noDay,
    until: noDay,
  }
}

export function readGrantDraft(body: unknown, { isForBusiness, services }: GrantChoices): GrantDraft {
  const fields = (body ?? {}) as Record<string, unknown>
  const all = (name: string) => [fields[name] ?? []].flat().filter((value): value is string => typeof value === 'string')
  const one = (name: string) => toLine(all(name)[0])
  const day = (name: string) => ({ day: one(`${name}-day`), month: one(`${name}-month`), year: one(`${name}-year`) })
  return {
    name: one('name'),
    kind: isForBusiness ? one('kind') : 'helper',
    role: one('role'),
    isAdministrator: isForBusiness && all('isAdministrator').length > 0,
    extent: services.length === 0 ? 'all' : one('extent'),
    services: all('services'),
    categories: all('categories'),
    from: day('from'),
    until: day('until'),
  }
}

/** What is wrong with it, in the order of the form; or what is meant. */
export function checkGrantDraft(
  draft: GrantDraft,
  choices: GrantChoices,
  now: Date,
  t: Translate,
): { errors: FieldError[]; offer: Offer | undefined } {
  const errors: FieldError[] = []
  const wrong = (field: string, text: string) => errors.push({ field, text })
  if (draft.name === '') wrong('name', t('grants:wrong.name'))
  if (draft.name.length > nameLengthMax) wrong('name', t('grants:wrong.name-long', { max: nameLengthMax }))
  if (choices.isForBusiness && !['employee', 'adviser'].includes(draft.kind)) wrong('kind', t('grants:wrong.kind'))
  const roles = choices.isForBusiness ? ['reader', 'writer', 'none'] : ['reader', 'writer']
  if (!roles.includes(draft.role)) wrong('role', t('grants:wrong.role'))
  if (draft.role === 'none' && !draft.isAdministrator) wrong('role', t('grants:wrong.nothing-to-do'))
  if (draft.kind === 'adviser' && draft.isAdministrator) wrong('isAdministrator', t('grants:wrong.adviser-administrator'))
  const isLimited = draft.extent === 'some'
  if (!['all', 'some'].includes(draft.extent)) wrong('extent', t('grants:wrong.extent'))
  if (draft.extent === 'all' && draft.services.length > 0) wrong('extent', t('grants:wrong.extent-unclear'))
  const services = choices.services.filter(({ id }) => draft.services.includes(id)).map(({ id }) => id)
  if (isLimited && services.length === 0) wrong('services', t('grants:wrong.services'))
  const categories = choices.categories.filter(({ slug }) => draft.categories.includes(slug)).map(({ slug }) => slug)
  const startsAt = readDay(draft.from, startOfDay)
  if (startsAt === 'wrong') wrong('from-day', t('grants:wrong.from'))
  const endsAt = readDay(draft.until, endOfDay)
  if (endsAt === 'wrong') wrong('until-day', t('grants:wrong.until'))
  else if (endsAt && endsAt <= now) wrong('until-day', t('grants:wrong.until-past'))
  else if (endsAt && startsAt instanceof Date && endsAt <= startsAt) wrong('until-day', t('grants:wrong.until-before'))
  if (errors.length > 0) return { errors, offer: undefined }
  const offer: Offer = {
    holderName: draft.name,
    kind: draft.kind as GrantKind,
    role: draft.role as GrantRole,
    isAdministrator: draft.isAdministrator,
    serviceIds: isLimited ? services : undefined,
    // All of them is no limit: a kind of post that comes later is not left out.
    categories: categories.length > 0 && categories.length < choices.categories.length ? categories : undefined,
    startsAt: startsAt as Date | undefined,
    endsAt: endsAt as Date | undefined,
  }
  return { errors, offer }
}

function readDay(
  { day, month, year }: DayParts,
  momentOf: (year: number, month: number, day: number) => Date | undefined,
): Date | undefined | 'wrong' {
  if (day === '' && month === '' && year === '') return undefined
  if (!/^\d{1,2}$/.test(day) || !/^\d{1,2}$/.test(month) || !/^2\d{3}$/.test(year)) return 'wrong'
  return momentOf(Number(year), Number(month), Number(day)) ?? 'wrong'
}
