import { type FieldProblem, Problem } from '../../problems.ts'
import { pathOf } from '../../registry/contact-browse.ts'
import {
  type Ask,
  type Audience,
  asksMax,
  audiences,
  type ContactGroup,
  type ContactGroupDetails,
  type ContactPoint,
  type ContactPointDetails,
  contactLengths,
  contactLimitsMax,
  type Texts,
} from '../../registry/contact-point.ts'
import type { Service } from '../../registry/services.ts'
import { toLine } from '../form.ts'
import type { FieldError } from '../page.ts'
import { type Language, type Translate, translate } from '../words.ts'

/** A form as it was filled in: fields by their names, and the boxes that are ticked. */
export type PointForm = { values: Record<string, string>; audience: string[] }

export function readForm(body: unknown): PointForm {
  const sent = Object.entries((body ?? {}) as Record<string, string | string[]>)
  const ticked = sent.find(([name]) => name === 'audience')?.[1] ?? []
  return {
    values: Object.fromEntries(sent.map(([name, value]) => [name, toLine(Array.isArray(value) ? value.at(-1) : value)])),
    audience: [ticked].flat(),
  }
}

/** The version that the form was made from. */
export function readVersion({ values }: PointForm): number {
  const version = Number(values.version)
  if (!Number.isInteger(version) || version < 1 || version > 1_000_000_000) throw new Problem('form-expired')
  return version
}

export function blankPoint(groupId = ''): PointForm {
  return { values: { group: groupId, active: 'yes', visible: 'yes' }, audience: ['person', 'business'] }
}

export function formOfPoint(point: ContactPoint, services: readonly Service[]): PointForm {
  const ticked = (name: string, isTicked: boolean): Record<string, string> => (isTicked ? { [name]: 'yes' } : {})
  const asked = point.asks.map((ask, index) => ({
    ...formOfTexts(`ask-${index}-label`, ask.label),
    ...formOfTexts(`ask-${index}-hint`, ask.hint ?? {}),
    [`ask-${index}-length`]: String(ask.maxLength),
    ...ticked(`ask-${index}-required`, ask.required),
  }))
  return {
    values: {
      version: String(point.version),
      service: services.find(({ id }) => id === point.serviceId)?.slug ?? '',
      group: point.groupId ?? '',
      ...formOfTexts('name', point.name),
      ...formOfTexts('description', point.description),
      ...formOfTexts('words', point.searchWords),
      files: String(point.filesMax ?? ''),
      megabytes: String(point.megabytesMax ?? ''),
      formUrl: point.formUrl ?? '',
      ...ticked('active', point.active),
      ...ticked('visible', point.visible),
      ...Object.assign({}, ...asked),
    },
    audience: point.audience,
  }
}

export function formOfTexts(name: string, { en = '', cy = '' }: Partial<Texts>): Record<string, string> {
  return { [`${name}-en`]: en, [`${name}-cy`]: cy }
}

/** English is needed: where only Welsh is filled in, the schema misses it. */
export function toTexts({ values }: PointForm, name: string): Texts | undefined {
  const [en = '', cy = ''] = [values[`${name}-en`], values[`${name}-cy`]]
  return en === '' && cy === '' ? undefined : { en, ...(cy ? { cy } : {}) }
}

export function toGroupDetails(form: PointForm): ContactGroupDetails {
  const description = toTexts(form, 'description')
  return { name: toTexts(form, 'name') ?? { en: '' }, ...(description ? { description } : {}) }
}

/** What the form says of a contact point, right or wrong: the registry checks it. */
export function toPointDetails(form: PointForm): ContactPointDetails {
  const { values } = form
  const [en = '', cy = ''] = [values['words-en'], values['words-cy']]
  const asks = Array.from({ length: asksMax }, (_, index) => toAsk(form, index))
  // Only the last may be left out, so that what is wrong keeps its place.
  while (asks.length > 0 && asks.at(-1) === undefined) asks.pop()
  return {
    ...toGroupDetails(form),
    searchWords: { ...(en ? { en } : {}), ...(cy ? { cy } : {}) },
    audience: audiences.filter((one) => form.audience.includes(one)) as Audience[],
    asks: asks.map((ask) => ask ?? { label: { en: '' }, required: false, maxLength: 1 }),
    ...(values.files ? { filesMax: toWholeNumber(values.files) } : {}),
    ...(values.megabytes ? { megabytesMax: toWholeNumber(values.megabytes) } : {}),
    ...(values.formUrl ? { formUrl: values.formUrl } : {}),
    active: values.active === 'yes',
    visible: values.visible === 'yes',
  }
}

function toAsk(form: PointForm, index: number): Ask | undefined {
  const [label, hint] = [toTexts(form, `ask-${index}-label`), toTexts(form, `ask-${index}-hint`)]
  const { [`ask-${index}-length`]: length, [`ask-${index}-required`]: required } = form.values
  if (label === undefined && hint === undefined && !required) return undefined
  const maxLength = length ? toWholeNumber(length) : 100
  return { label: label ?? { en: '' }, ...(hint ? { hint } : {}), required: required === 'yes', maxLength }
}

/** 0.5, which fits no schema of whole numbers, for what is none. */
function toWholeNumber(typed: string): number {
  return /^\d{1,9}$/.test(typed) ? Number(typed) : 0.5
}

/** All groups as a list to choose from, each with those that it is in; a group cannot be put into itself. */
export function groupItems(
  groups: readonly ContactGroup[],
  language: Language,
  butNot?: string,
): { value: string; text: string }[] {
  const items = groups
    .map(({ id }) => ({ id, path: pathOf(groups, id) }))
    .filter(({ path }) => !path.some(({ id }) => id === butNot))
    .map(({ id, path }) => ({ value: id, text: path.map(({ name }) => name[language] ?? name.en).join(' › ') }))
    .sort((a, b) => a.text.localeCompare(b.text, language))
  return [{ value: '', text: translate(language)('staff-contact-points:no-group') }, ...items]
}

/** The form to show again: it keeps the version that it was made from, until its writer has been told of another's change. */
export function afterRefusal(error: unknown, form: PointForm, version: number): PointForm {
  const isTold = error instanceof Problem && error.code === 'changed-meanwhile'
  return isTold ? { ...form, values: { ...form.values, version: String(version) } } : form
}

/** Why the registry refused, in words beside the field. Throws what no field can mend. */
export function pointErrors(error: unknown, t: Translate, changedBy?: string): FieldError[] {
  if (!(error instanceof Problem)) throw error
  if (error.code === 'changed-meanwhile') {
    const key = changedBy === undefined ? 'staff-contact-points:changed-by-another' : 'staff-contact-points:changed-by'
    return [{ field: 'name-en', text: t(key, { name: changedBy }) }]
  }
  if (error.code !== 'body-invalid') throw error
  const errors = (error.fields ?? []).map((problem) => toFieldError(problem, t))
  return errors.filter(({ field }, index) => errors.findIndex((other) => other.field === field) === index)
}

function toFieldError({ field }: FieldProblem, t: Translate): FieldError {
  const [, ask, rest] = /^\/asks\/(\d)(.*)$/.exec(field) ?? []
  const [id, wrong, max] = wrongFields[ask ? `/asks/*${rest}` : field] ?? ['name-en', 'other']
  const text = t(`staff-contact-points:wrong.${wrong}`, { max, number: Number(ask) + 1 })
  return { field: id.replace('*', ask ?? ''), text }
}

/** By the field of the registry: that of the form, what to do as words say it, and how much is taken. */
const wrongFields: Record<string, readonly [field: string, wrong: string, max?: number]> = {
  '/serviceId': ['service', 'service'],
  '/groupId': ['group', 'group'],
  '/parentId': ['group', 'in-itself'],
  '/name/en': ['name-en', 'name-en', contactLengths.name],
  '/name/cy': ['name-cy', 'name-cy', contactLengths.name],
  '/description/en': ['description-en', 'description-en', contactLengths.description],
  '/description/cy': ['description-cy', 'description-cy', contactLengths.description],
  '/searchWords/en': ['words-en', 'words', contactLengths.searchWords],
  '/searchWords/cy': ['words-cy', 'words', contactLengths.searchWords],
  '/audience': ['audience', 'audience'],
  '/asks/*/label/en': ['ask-*-label-en', 'label-en', contactLengths.label],
  '/asks/*/label/cy': ['ask-*-label-cy', 'label-cy', contactLengths.label],
  '/asks/*/hint/en': ['ask-*-hint-en', 'hint-en', contactLengths.hint],
  '/asks/*/hint/cy': ['ask-*-hint-cy', 'hint-cy', contactLengths.hint],
  '/asks/*/maxLength': ['ask-*-length', 'length', contactLengths.answer],
  '/filesMax': ['files', 'files', contactLimitsMax.files],
  '/megabytesMax': ['megabytes', 'megabytes', contactLimitsMax.megabytes],
  '/formUrl': ['formUrl', 'form-link'],
  '/active': ['active', 'active'],
}
