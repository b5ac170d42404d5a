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
export function groupItems(groups: readonly ContactGroup[], butNot?: string): { value: string; text: string }[] {
  const items = groups
    .map(({ id }) => ({ id, path: pathOf(groups, id) }))
    .filter(({ path }) => !path.some(({ id }) => id === butNot))
    .map(({ id, path }) => ({ value: id, text: path.map(({ name }) => name.en).join(' › ') }))
    .sort((a, b) => a.text.localeCompare(b.text, 'en'))
  return [{ value: '', text: 'None: at the top' }, ...items]
}

/** The form to show again: it keeps the version that it was made from, until its writer has been told of another's change. */
export function afterRefusal(error: unknown, form: PointForm, version: number): PointForm {
  const isTold = error instanceof Problem && error.code === 'changed-meanwhile'
  return isTold ? { ...form, values: { ...form.values, version: String(version) } } : form
}

/** Why the registry refused, in words beside the field. Throws what no field can mend. */
export function pointErrors(error: unknown, changedBy = 'Somebody else'): FieldError[] {
  if (!(error instanceof Problem)) throw error
  if (error.code === 'changed-meanwhile') {
    const text = `${changedBy} has changed this while you had it open, and nothing was saved. Select Save again to put what is below in the place of that change`
    return [{ field: 'name-en', text }]
  }
  if (error.code !== 'body-invalid') throw error
  const errors = (error.fields ?? []).map(toFieldError)
  return errors.filter(({ field }, index) => errors.findIndex((other) => other.field === field) === index)
}

function toFieldError({ field }: FieldProblem): FieldError {
  const ask = /^\/asks\/(\d)(.*)$/.exec(field)
  const [id, text] = wrongFields[ask ? `/asks/*${ask[2]}` : field] ?? ['name-en', 'This cannot be saved as it is']
  return ask ? { field: id.replace('*', ask[1]!), text: text.replace('*', String(Number(ask[1]) + 1)) } : { field: id, text }
}

const inEnglish = (what: string, length: number) => `Enter ${what} in English, in up to ${length} characters`
const inWelsh = (what: string, length: number) => `${what} in Welsh must be ${length} characters or fewer`

/** By the field of the registry: that of the form, and what to do. */
const wrongFields: Record<string, readonly [field: string, text: string]> = {
  '/serviceId': ['service', 'Choose the service that answers'],
  '/groupId': ['group', 'Choose a group, or none'],
  '/parentId': ['group', 'Choose another group: one cannot be in itself'],
  '/name/en': ['name-en', inEnglish('a name', contactLengths.name)],
  '/name/cy': ['name-cy', inWelsh('The name', contactLengths.name)],
  '/description/en': ['description-en', inEnglish('the description', contactLengths.description)],
  '/description/cy': ['description-cy', inWelsh('The description', contactLengths.description)],
  '/searchWords/en': ['words-en', `Search words must be ${contactLengths.searchWords} characters or fewer`],
  '/searchWords/cy': ['words-cy', `Search words must be ${contactLengths.searchWords} characters or fewer`],
  '/audience': ['audience', 'Choose who may write here'],
  '/asks/*/label/en': [
    'ask-*-label-en',
    `Enter what question * asks for, in English, in up to ${contactLengths.label} characters, and not the same as another`,
  ],
  '/asks/*/label/cy': ['ask-*-label-cy', inWelsh('What question * asks for', contactLengths.label)],
  '/asks/*/hint/en': ['ask-*-hint-en', inEnglish('the hint of question *', contactLengths.hint)],
  '/asks/*/hint/cy': ['ask-*-hint-cy', inWelsh('The hint of question *', contactLengths.hint)],
  '/asks/*/maxLength': [
    'ask-*-length',
    `The longest answer to question * must be a whole number from 1 to ${contactLengths.answer}`,
  ],
  '/filesMax': ['files', `The number of files must be a whole number from 0 to ${contactLimitsMax.files}`],
  '/megabytesMax': ['megabytes', `The size of files must be a whole number from 1 to ${contactLimitsMax.megabytes}`],
  '/formUrl': ['formUrl', 'Enter the whole address of the form. It begins with https://'],
  '/active': [
    'active',
    'This is the last place where people find that they can write to you. Leave it open and visible, and without a link to a form, or open another first',
  ],
}
