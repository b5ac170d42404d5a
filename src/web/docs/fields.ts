/** The part of JSON Schema that the API's description uses. */
export type JsonSchema = {
  $ref?: string
  type?: string
  description?: string
  format?: string
  pattern?: string
  enum?: readonly unknown[]
  const?: unknown
  default?: unknown
  anyOf?: readonly JsonSchema[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: readonly string[]
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
}

/** One line of a table of fields. */
export type Field = {
  /** From the outermost object: `documents[].files[].filename`. */
  path: string
  type: string
  isNeeded: boolean
  description: string
  /** What is allowed, in words. */
  limits: string[]
}

/** Finds what a `$ref` means. */
export type Resolve = (schema: JsonSchema) => JsonSchema

/** A schema that holds itself would never end. */
const depthMax = 8

/** The fields of an object and of the objects in it, each by its whole path, so that a table of them needs no nesting. */
export function listFields(schema: JsonSchema, resolve: Resolve, prefix = '', depth = 0): Field[] {
  const object = withoutNull(resolve(schema), resolve)
  if (object.items) return listFields(object.items, resolve, `${prefix}[]`, depth)
  if (object.properties === undefined || depth > depthMax) return []
  return Object.entries(object.properties).flatMap(([name, property]) => {
    const path = prefix ? `${prefix}.${name}` : name
    const isNeeded = object.required?.includes(name) ?? false
    return [describeField(path, isNeeded, property, resolve), ...listFields(property, resolve, path, depth + 1)]
  })
}

export function describeField(path: string, isNeeded: boolean, schema: JsonSchema, resolve: Resolve): Field {
  const resolved = resolve(schema)
  return {
    path,
    type: typeInWords(resolved, resolve),
    isNeeded: isNeeded && resolved.default === undefined,
    description: schema.description ?? resolved.description ?? '',
    limits: limitsInWords(resolved, resolve),
  }
}

const isNull = (schema: JsonSchema) => schema.type === 'null'

function withoutNull(schema: JsonSchema, resolve: Resolve): JsonSchema {
  const others = schema.anyOf?.filter((one) => !isNull(one)) ?? []
  return others.length === 1 ? resolve(others[0]!) : schema
}

const formats: Record<string, string> = {
  uuid: 'UUID',
  'date-time': 'date and time',
  byte: 'base64',
  base64: 'base64',
  binary: 'bytes',
}

const types: Record<string, string> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
}

function typeInWords(schema: JsonSchema, resolve: Resolve): string {
  if (schema.anyOf) {
    if (wordsOf(schema)) return schema.anyOf.some(isNull) ? 'word, or null' : 'word'
    return schema.anyOf.map((one) => (isNull(one) ? 'null' : typeInWords(resolve(one), resolve))).join(', or ')
  }
  if (wordsOf(schema)) return 'word'
  if (schema.type === 'array') {
    const item = schema.items ? typeInWords(resolve(schema.items), resolve) : 'anything'
    return `list of ${item === 'object' ? 'objects' : item}`
  }
  if (schema.format && formats[schema.format]) return formats[schema.format]!
  return types[schema.type ?? ''] ?? 'anything'
}

/** The only values that are allowed, where a schema lists them, in either way of saying so. */
function wordsOf(schema: JsonSchema): unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const]
  if (schema.enum) return [...schema.enum]
  const each = schema.anyOf?.filter((one) => !isNull(one)).map(wordsOf)
  return each?.length && each.every((words) => words !== undefined) ? each.flat() : undefined
}

function limitsInWords(schema: JsonSchema, resolve: Resolve): string[] {
  const words = wordsOf(schema)
  const inner = withoutNull(schema, resolve)
  return [
    words ? oneOf(words.map(String)) : undefined,
    range(inner.minLength, inner.maxLength, 'character'),
    range(inner.minItems, inner.maxItems, 'entry'),
    range(inner.minimum, inner.maximum, ''),
    inner.pattern && isReadable(inner.pattern) ? `Form: ${inner.pattern}` : undefined,
    schema.default === undefined ? undefined : `Default: ${schema.default}`,
  ].filter((limit) => limit !== undefined)
}

/** A pattern that only keeps control characters out tells a reader nothing. */
function isReadable(pattern: string): boolean {
  return !pattern.includes('\\u')
}

function range(least: number | undefined, most: number | undefined, thing: string): string | undefined {
  const count = (number: number) => number.toLocaleString('en')
  const things = (number: number) => (number === 1 || thing === '' ? thing : thing === 'entry' ? 'entries' : `${thing}s`)
  const say = (words: string, number: number) => `${words} ${things(number)}`.trim()
  if (least !== undefined && most !== undefined && least > 0) return say(`${count(least)} to ${count(most)}`, most)
  if (most !== undefined) return say(`At most ${count(most)}`, most)
  if (least !== undefined && least > 0) return say(`At least ${count(least)}`, least)
  return undefined
}

const either = new Intl.ListFormat('en-GB', { type: 'disjunction' })

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `Always ${words[0]}` : `One of ${either.format(words)}`
}
