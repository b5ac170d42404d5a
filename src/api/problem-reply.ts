import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../database/describe-error.ts'
import { type FieldFault, type FieldProblem, isFieldFault, Problem, wrongField } from '../problems.ts'

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
  if (keyword === 'required') return wrongField(inside(params.missingProperty), { code: 'needed' })
  if (keyword === 'additionalProperties') return wrongField(inside(params.additionalProperty), { code: 'unknown' })
  const fault = faultOf(keyword, params)
  return fault ? wrongField(instancePath, fault) : { field: instancePath, message: `This ${message ?? 'is wrong'}.` }
}

/** What a rule of a schema asks for; of the value itself nothing is said again. Undefined where there is no sentence for it. */
function faultOf(keyword: string, params: ValidationError['params']): FieldFault | undefined {
  const { type, format, limit, allowedValues } = params as Record<string, unknown>
  if (keyword === 'enum') return { code: 'enum', allowed: (allowedValues as unknown[]).map((value) => JSON.stringify(value)) }
  if (/^min(Length|Items)$/.test(keyword) && limit === 1) return { code: 'empty' }
  const code = keyword === 'type' || keyword === 'format' ? `${keyword}-${type ?? format}` : keyword
  return isFieldFault(code) ? ({ code, ...(limit === undefined ? {} : { limit }) } as FieldFault) : undefined
}
