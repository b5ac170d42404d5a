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
  switch (keyword) {
    case 'required':
      return { field: inside(params.missingProperty), message: 'This is needed.' }
    case 'additionalProperties':
      return { field: inside(params.additionalProperty), message: 'There is no such field.' }
    case 'pattern':
      return { field: instancePath, message: 'This has a form or a character that is not allowed here.' }
    case 'format':
      return { field: instancePath, message: `This must be ${formatsInWords[String(params.format)] ?? String(params.format)}.` }
    case 'oneOf':
      return { field: instancePath, message: 'This must be given in one of its ways, and in one only.' }
    default:
      return { field: instancePath, message: `This ${message ?? 'is wrong'}.` }
  }
}

const formatsInWords: Record<string, string> = {
  base64: 'base64 with padding (RFC 4648 section 4)',
  uuid: 'a UUID',
  'date-time': 'a date and time such as 2026-11-23T10:00:00Z (RFC 3339)',
}
