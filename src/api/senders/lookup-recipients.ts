import { Type } from 'typebox'
import { problems } from '../../problems.ts'
import { findRecipients } from '../../registry/find-recipients.ts'
import { hashIdentifier, Identifier } from '../../registry/identifier.ts'
import { chooseService } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route } from './door.ts'

const recipientsMax = 1_000

const Looked = Type.Object({
  recipient: Identifier,
  reachable: Type.Boolean(),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why not: the code of a problem.' }),
  advice: Type.Union([Type.String(), Type.Null()], { description: 'What to do then.' }),
})

export function lookupRecipients(app: ApiServer, options: ApiOptions): void {
  app.post(
    '/v1/recipients/lookup',
    {
      ...route(options, 'recipients:read'),
      schema: {
        operationId: 'lookupRecipients',
        tags: ['Recipients'],
        summary: 'Ask which recipients can be reached',
        description: `Up to ${recipientsMax.toLocaleString('en')} at once; the answers are in the same order.`,
        body: Type.Object(
          {
            service: Type.Optional(
              Type.String({ description: 'On whose behalf. Needed where the client has several services.' }),
            ),
            recipients: Type.Array(Identifier, { minItems: 1, maxItems: recipientsMax }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ recipients: Type.Array(Looked) }), ...problemAnswers(400, 401, 403, 404, 413, 415) },
      },
    },
    async (request) => {
      const serviceId = chooseService(request, request.body.service)
      const asked = request.body.recipients
      const found = await findRecipients(
        options.database,
        asked.map((identifier) => ({
          serviceId,
          scheme: identifier.scheme,
          hash: hashIdentifier(options.keys, serviceId, identifier),
        })),
      )
      return {
        recipients: asked.map((recipient, index) => {
          const reachable = found[index] !== undefined
          return {
            recipient,
            reachable,
            reason: reachable ? null : 'recipient-not-found',
            advice: reachable ? null : problems['recipient-not-found'][1],
          }
        }),
      }
    },
  )
}
