import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'

const options: Options = {
  // Every field that is wrong is named, not only the first.
  allErrors: true,
  // A field that nobody knows is a mistake to tell, not one to drop in silence.
  removeAdditional: false,
  useDefaults: true,
  strict: false,
}

function build(more: Options): Ajv {
  const ajv = new Ajv({ ...options, ...more })
  addFormats.default(ajv, ['date-time', 'date', 'uri'])
  // The format of ajv-formats lets urn:uuid: pass, which PostgreSQL does not take.
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
  ajv.addFormat('base64', (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
  return ajv
}

/** JSON says itself what is a number; addresses and forms do not. */
const forJson = build({ coerceTypes: false })
const forText = build({ coerceTypes: true })

/** The one check of what comes in: schemas compile to validators once, when the routes are opened. */
export const validatorCompiler: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart, url }) =>
  (httpPart === 'body' && url?.startsWith('/v1/') ? forJson : forText).compile(schema)

/** The same check for what comes as JSON but not as the body of a request: lines of a batch. Compile once. */
export function compileForJson(schema: object) {
  return forJson.compile(schema)
}
