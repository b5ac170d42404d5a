import { type Static, Type } from 'typebox'
import type { Db, Fragment } from '../database/connect.ts'

const closed = { additionalProperties: false }

const Line = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f\\u2028\\u2029]*$' })

/** The same in English, which is needed, and in Welsh. */
const Texts = (maxLength: number, description: string) =>
  Type.Object({ en: Line(maxLength), cy: Type.Optional(Line(maxLength)) }, { ...closed, description })
export type Texts = { en: string; cy?: string | undefined }

/** The kinds of party that there are. */
export const audiences = ['person', 'business', 'public-body'] as const
export type Audience = (typeof audiences)[number]

export const contactLengths = { name: 100, description: 500, searchWords: 500, label: 80, hint: 200, answer: 500 } as const
/** A message has at most two ContactInfo in MeMo too. */
export const asksMax = 2
/** What a point may allow at most: as much as delivery takes in any one message. */
export const contactLimitsMax = { files: 50, megabytes: 25 } as const
const answerLengthDefault = 100

export const ContactAsk = Type.Object(
  {
    label: Texts(contactLengths.label, 'What is asked for.'),
    hint: Type.Optional(Texts(contactLengths.hint, 'Where the writer finds it, or how it looks.')),
    required: Type.Optional(Type.Boolean({ description: 'Default: false.' })),
    maxLength: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: contactLengths.answer,
        description: `In characters. Default: ${answerLengthDefault}.`,
      }),
    ),
  },
  closed,
)

export const contactGroupFields = {
  name: Texts(contactLengths.name, 'As people read it.'),
  description: Type.Optional(Texts(contactLengths.description, 'One or two sentences for people.')),
}

/** What is said of a contact point, by a declaration or on the department's pages. */
export const contactPointFields = {
  ...contactGroupFields,
  searchWords: Type.Optional(
    Type.Object(
      { en: Type.Optional(Line(contactLengths.searchWords)), cy: Type.Optional(Line(contactLengths.searchWords)) },
      { ...closed, description: 'Other words that people look for, with spaces between.' },
    ),
  ),
  audience: Type.Optional(
    Type.Array(Type.Enum([...audiences]), {
      minItems: 1,
      uniqueItems: true,
      description: 'Who may write here. Default: everybody.',
    }),
  ),
  asks: Type.Optional(
    Type.Array(ContactAsk, { maxItems: asksMax, description: 'What the writer is asked for, beside the message.' }),
  ),
  filesMax: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: contactLimitsMax.files,
      description: 'How many files may come with a message. Default: as the installation has it.',
    }),
  ),
  megabytesMax: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: contactLimitsMax.megabytes,
      description: 'How large they may be together, in MB. Default: as the installation has it.',
    }),
  ),
  formUrl: Type.Optional(
    Type.String({
      maxLength: 500,
      pattern: '^https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][!-~]*)?$',
      description: 'A form that one fills in instead of writing here.',
    }),
  ),
  active: Type.Optional(Type.Boolean({ description: 'May be written to. Default: true.' })),
  visible: Type.Optional(
    Type.Boolean({ description: 'Is found by browsing and searching, and not by its address only. Default: true.' }),
  ),
}
export const ContactPointDetails = Type.Object(contactPointFields, closed)
export type ContactPointDetails = Static<typeof ContactPointDetails>
export const ContactGroupDetails = Type.Object(contactGroupFields, closed)
export type ContactGroupDetails = Static<typeof ContactGroupDetails>

/** What is asked of the writer, with nothing left open. */
export type Ask = { label: Texts; hint?: Texts | undefined; required: boolean; maxLength: number }

/** A contact point as it is kept. */
export type ContactPoint = {
  id: string
  slug: string
  version: number
  organisationSlug: string
  organisationName: string
  serviceId: string
  serviceName: string
  groupId: string | null
  name: Texts
  description: Partial<Texts>
  searchWords: Partial<Texts>
  audience: Audience[]
  asks: Ask[]
  filesMax: number | null
  megabytesMax: number | null
  formUrl: string | null
  active: boolean
  visible: boolean
  changedAt: Date
  changedByName: string
}

export type ContactGroup = {
  id: string
  slug: string
  version: number
  parentId: string | null
  name: Texts
  description: Partial<Texts>
}

/** The columns of a ContactPoint, from `point` joined with organisation, service and party. */
export function contactPointColumns(db: Db): Fragment {
  return db`
    point.id, point.slug, point.version, organisation.slug as organisation_slug, party.name as organisation_name,
    point.service_id, service.name as service_name, point.group_id, point.name, point.description, point.search_words, point.audience,
    point.asks, point.files_max, point.megabytes_max, point.form_url, point.active, point.visible, point.changed_at,
    point.changed_by_name`
}

export function contactPointTables(db: Db): Fragment {
  return db`
    contact_point point
    join organisation on organisation.party_id = point.organisation_id
    join party on party.id = point.organisation_id
    join service on service.id = point.service_id`
}

/** What was said of a contact point, as its columns hold it. */
export function toContactPointRow(db: Db, details: ContactPointDetails) {
  const asks = (details.asks ?? []).map(({ label, hint, required = false, maxLength = answerLengthDefault }) => ({
    label,
    ...(hint ? { hint } : {}),
    required,
    maxLength,
  }))
  return {
    name: db.json(details.name),
    description: db.json(details.description ?? {}),
    search_words: db.json(details.searchWords ?? {}),
    audience: details.audience ?? [...audiences],
    asks: db.json(asks),
    files_max: details.filesMax ?? null,
    megabytes_max: details.megabytesMax ?? null,
    form_url: details.formUrl ?? null,
    active: details.active ?? true,
    visible: details.visible ?? true,
  }
}

/** What is wrong with what the writer put in, if anything. */
export function problemOfAnswer({ required, maxLength }: Ask, answer: string): 'missing' | 'too-long' | undefined {
  if (required && answer === '') return 'missing'
  return answer.length > maxLength ? 'too-long' : undefined
}

/** The end of an address, made from an English name: its own among those that are taken, and never changed afterwards. */
export function contactSlug(name: string, taken: ReadonlySet<string>): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[’']/g, '')
    .match(/[a-z0-9]+/g)
  const slug = (words ?? ['place']).join('-').slice(0, 50).replace(/-$/, '')
  for (let count = 1; ; count++) {
    const tried = count === 1 ? slug : `${slug}-${count}`
    if (!taken.has(tried)) return tried
  }
}
