import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import { Type } from 'typebox'
import type { Right } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { authenticate, type TokenCheck } from '../authenticate.ts'

export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export type ApiOptions = { database: Database; keys: IdentifierKeys; clock: () => Date; checkToken: TokenCheck }

/** What every route of the API has: a token with a right, checked before the body is read. */
export function route({ checkToken, clock }: ApiOptions, right: Right) {
  return { onRequest: authenticate(checkToken, clock, right), config: { right } }
}

export const Id = Type.Object({ id: Type.String({ format: 'uuid' }) })

export const ServiceQuery = Type.Optional(
  Type.String({ maxLength: 63, description: 'Only of this service. Default: all services of the client.' }),
)

export const ProblemDocument = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; see the table of problems.' }),
    advice: Type.Enum(['fix', 'retry', 'other-channel']),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String({ description: 'A JSON pointer.' }), message: Type.String() })),
    ),
  },
  { $id: 'Problem', description: 'A problem document (RFC 9457).' },
)

const statusInWords: Record<number, string> = {
  400: 'The request does not fit.',
  401: 'No access token, or one that is not valid.',
  403: 'The access token does not hold the scope.',
  404: 'Not there, or not yours.',
  409: 'The reference was used for another message.',
  412: 'Another version of the protocol for uploads.',
  413: 'Too large.',
  415: 'Not application/json.',
  422: 'The request is well-formed, but cannot be carried out.',
  429: 'Too many. The header Retry-After says for how many seconds to wait.',
  503: 'Not just now. The header Retry-After says for how many seconds to wait.',
}

/** The answers of the OpenAPI description that are problems. */
export function problemAnswers(...statuses: number[]) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: statusInWords[status], content: { 'application/problem+json': { schema: ProblemDocument } } },
    ]),
  )
}
