import { describeField, type Field, type JsonSchema, listFields, type Resolve } from './fields.ts'

/** The part of an OpenAPI 3.1 document that the pages show. */
export type OpenApi = {
  info?: { description?: string }
  tags?: readonly { name: string; description?: string }[]
  paths?: Record<string, Record<string, OpenApiOperation>>
  components?: {
    schemas?: Record<string, JsonSchema>
    securitySchemes?: Record<string, { flows?: { clientCredentials?: { scopes?: Record<string, string> } } }>
  }
}

type Media = Record<string, { schema?: JsonSchema }>

type OpenApiOperation = {
  operationId?: string
  tags?: readonly string[]
  summary?: string
  description?: string
  security?: readonly Record<string, readonly string[]>[]
  parameters?: readonly { name: string; in: string; required?: boolean; description?: string; schema?: JsonSchema }[]
  requestBody?: { content?: Media }
  responses?: Record<string, { description?: string; content?: Media }>
}

/** An answer that is no problem. Those with the same content stand together. */
export type Answer = { statuses: string; description: string; mediaType: string | undefined; fields: Field[] }

export type Operation = {
  anchor: string
  method: string
  path: string
  summary: string
  description: string
  scopes: string[]
  parameters: (Field & { place: string })[]
  body: { mediaType: string; fields: Field[] } | undefined
  answers: Answer[]
  problems: { status: string; description: string }[]
}

export type Chapter = { name: string; anchor: string; description: string; operations: Operation[] }

/** What can be done, by tag, in the order of the document. Operations without a tag come last. */
export function listChapters(openApi: OpenApi): Chapter[] {
  const resolve: Resolve = (schema) => (schema.$ref ? (openApi.components?.schemas?.[nameOf(schema.$ref)] ?? {}) : schema)
  const chapters = new Map<string, Chapter>()
  const chapterOf = (name: string, description = '') => {
    const chapter = chapters.get(name) ?? { name, anchor: toAnchor(name), description, operations: [] }
    chapters.set(name, chapter)
    return chapter
  }
  for (const { name, description } of openApi.tags ?? []) chapterOf(name, description)
  for (const [path, methods] of Object.entries(openApi.paths ?? {})) {
    for (const [method, operation] of Object.entries(methods)) {
      chapterOf(operation.tags?.[0] ?? 'Other').operations.push(describeOperation(method, path, operation, resolve))
    }
  }
  return [...chapters.values()].filter(({ operations }) => operations.length > 0)
}

/** The scopes that a token may hold, and what each allows. */
export function listScopes({ components }: OpenApi): { name: string; meaning: string }[] {
  const schemes = Object.values(components?.securitySchemes ?? {})
  return schemes.flatMap(({ flows }) =>
    Object.entries(flows?.clientCredentials?.scopes ?? {}).map(([name, meaning]) => ({ name, meaning })),
  )
}

const nameOf = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1)

function toAnchor(text: string): string {
  return text
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

const places: Record<string, string> = { path: 'in the address', query: 'in the query', header: 'in a header' }

function describeOperation(method: string, path: string, operation: OpenApiOperation, resolve: Resolve): Operation {
  const { operationId, summary, description = '', security = [], parameters = [], requestBody, responses = {} } = operation
  const [mediaType, media] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const isProblem = (status: string) => !/^[123]/.test(status)
  return {
    anchor: toAnchor(operationId ?? `${method} ${path}`),
    method: method.toUpperCase(),
    path,
    summary: summary ?? `${method.toUpperCase()} ${path}`,
    description,
    scopes: security.flatMap((one) => Object.values(one).flat()),
    parameters: parameters.map(({ name, in: place, required = false, description, schema = {} }) => ({
      ...describeField(name, required, { ...schema, ...(description === undefined ? {} : { description }) }, resolve),
      place: places[place] ?? place,
    })),
    body: mediaType === undefined ? undefined : { mediaType, fields: listFields(media?.schema ?? {}, resolve) },
    answers: listAnswers(
      Object.entries(responses).filter(([status]) => !isProblem(status)),
      resolve,
    ),
    problems: Object.entries(responses)
      .filter(([status]) => isProblem(status))
      .map(([status, { description = '' }]) => ({ status, description })),
  }
}

/** What the generator says of an answer that nobody described. */
const noDescription = 'Default Response'

function listAnswers(responses: [status: string, { description?: string; content?: Media }][], resolve: Resolve): Answer[] {
  const answers = new Map<string, Answer>()
  for (const [status, { description = '', content = {} }] of responses) {
    const [mediaType, media] = Object.entries(content)[0] ?? []
    const key = JSON.stringify([description, content])
    const same = answers.get(key)
    if (same) same.statuses += ` or ${status}`
    else {
      const fields = listFields(media?.schema ?? {}, resolve)
      answers.set(key, { statuses: status, description: description === noDescription ? '' : description, mediaType, fields })
    }
  }
  return [...answers.values()]
}
