import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../database/describe-error.ts'
import { type FieldProblem, Problem } from '../problems.ts'

/** Answers with the problem document of an error. What is not a Problem is logged, and said to be ours without a word more. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500) request.log.error(describeError(error), 'failed')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.status === 503) reply.header('retry-after', problem.code === 'busy' ? '1' : '5')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** The errors of the web framework and the database, as problems of ours. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const { code, validation, validationContext } = error as FastifyError & { code?: string }
  // An id that cannot be one names nothing, like an id that is nobody's.
  if (validation && validationContext === 'params') return new Problem('not-found')
  if (validation) return new Problem('body-invalid', fieldProblems(validation))
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new Problem('not-json')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('media-type-unknown')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('too-large')
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'CONNECT_TIMEOUT':
    case 'CONNECTION_CLOSED':
    case 'CONNECTION_ENDED':
    case 'CONNECTION_DESTROYED':
    case '57P01': // the database is stopping
    case '57P03': // the database is starting
    case '53300': // too many connections
    case '53100': // disk full
    case '57014': // statement timeout
      return new Problem('unavailable')
    default:
      return error instanceof SyntaxError ? new Problem('not-json') : new Problem('failed')
  }
}

/** What the check of a schema found, field by field. */
export function fieldProblems(found: readonly ValidationError[]): FieldProblem[] {
  return found.map(toFieldProblem)
}

type ValidationError = NonNullable<FastifyError['validation']>[number]

function toFieldProblem({ instancePath, keyword, params, message }: ValidationError): FieldProblem {
  const inside = (name: unknown) => `${instancePath}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
  if (keyword === 'required') return { field: inside(params.missingProperty), message: 'This is needed.' }
  if (keyword === 'additionalProperties') return { field: inside(params.additionalProperty), message: 'There is no such field.' }
  return { field: instancePath, message: rulesInWords[keyword]?.(params) ?? `This ${message ?? 'is wrong'}.` }
}

/** What the schemas ask for, as a sentence: of a value itself nothing is said again. */
const rulesInWords: Record<string, (params: ValidationError['params']) => string> = {
  type: ({ type }) => `This must be ${typesInWords[String(type)] ?? String(type)}.`,
  enum: ({ allowedValues }) =>
    `This must be ${either.format((allowedValues as unknown[]).map((value) => JSON.stringify(value)))}.`,
  pattern: () => 'This has a form or a character that is not allowed here.',
  format: ({ format }) => `This must be ${formatsInWords[String(format)] ?? String(format)}.`,
  oneOf: () => 'This must be given in one of its ways, and in one only.',
  minLength: ({ limit }) => (limit === 1 ? 'This must not be empty.' : `This must have ${limit} characters or more.`),
  maxLength: ({ limit }) => `This must have ${limit} characters or fewer.`,
  minItems: ({ limit }) => (limit === 1 ? 'This must not be empty.' : `This must have ${limit} entries or more.`),
  maxItems: ({ limit }) => `This must have ${limit} entries or fewer.`,
  minimum: ({ limit }) => `This must be ${limit} or more.`,
  maximum: ({ limit }) => `This must be ${limit} or less.`,
  uniqueItems: () => 'This must not have the same entry twice.',
}

const either = new Intl.ListFormat('en-GB', { type: 'disjunction' })

const typesInWords: Record<string, string> = {
  string: 'text, in quotation marks',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

const formatsInWords: Record<string, string> = {
  base64: 'base64 with padding (RFC 4648 section 4)',
  uuid: 'a UUID',
  date: 'a date such as 2026-11-23',
  'date-time': 'a date and time such as 2026-11-23T10:00:00Z (RFC 3339)',
  uri: 'an address such as https://service.example/pay',
}
