import { Type } from 'typebox'
import { Problem, problems } from '../../problems.ts'
import { type LookupLimits, takeLookups } from '../../registry/allow-lookups.ts'
import { Identifier } from '../../registry/identifier.ts'
import { lookUpRecipients } from '../../registry/look-up.ts'
import { chooseService } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route } from './door.ts'

const recipientsMax = 10_000
/** As many identifiers as may be asked for, each of the greatest length. */
const bodyBytesMax = 8 * 1024 * 1024

export const RecipientStatus = Type.Enum(['registered', 'exempt', 'closed', 'not-yet', 'unknown'], {
  description:
    'registered: can be written to. exempt: has chosen paper. closed: for good, by a death or the end of a business. not-yet: a new business, in its first days. unknown: nobody is known here by this identifier, or your service may not use this kind of identifier.',
})
const Time = Type.String({ format: 'date-time' })
export const ConsentedCategories = Type.Union([Type.Array(Type.String()), Type.Null()], {
  description: 'The categories of post that this recipient has consented to; null where no consent is needed.',
})
export const ReachableFrom = Type.Union([Time, Type.Null()], { description: 'With not-yet: from when it is registered.' })

const Looked = Type.Object({
  recipient: Identifier,
  reachable: Type.Boolean(),
  status: RecipientStatus,
  categories: ConsentedCategories,
  reachableFrom: ReachableFrom,
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why it cannot be reached: the code of a problem.' }),
  advice: Type.Union([Type.String(), Type.Null()], { description: 'What to do then.' }),
})

export function lookupRecipients(app: ApiServer, options: ApiOptions & { lookups: LookupLimits }): void {
  app.post(
    '/v1/recipients/lookup',
    {
      ...route(options, 'recipients:read'),
      bodyLimit: bodyBytesMax,
      schema: {
        operationId: 'lookupRecipients',
        tags: ['Recipients'],
        summary: 'Ask which recipients can be reached',
        description:
          `One, or up to ${recipientsMax.toLocaleString('en')} at once; the answers are in the same order. ` +
          'Each recipient who is found can see that you asked. How many you may ask for in a minute and in a day is limited: with 429, wait as long as Retry-After says.',
        body: Type.Object(
          {
            service: Type.Optional(
              Type.String({ description: 'On whose behalf. Needed where the client has several services.' }),
            ),
            recipients: Type.Array(Identifier, { minItems: 1, maxItems: recipientsMax }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ recipients: Type.Array(Looked) }), ...problemAnswers(400, 401, 403, 404, 413, 415, 429) },
      },
    },
    async (request, reply) => {
      const serviceId = chooseService(request, request.body.service)
      const { recipients } = request.body
      const now = options.clock()
      const waitSeconds = await takeLookups(options.database, serviceId, recipients.length, options.lookups, now)
      if (waitSeconds !== undefined) {
        reply.header('retry-after', String(waitSeconds))
        throw new Problem('too-many-lookups')
      }
      const identifiers = { serviceId, identifiers: recipients }
      const found = await lookUpRecipients(options.database, options.keys, request.caller.actor, identifiers, now)
      return {
        recipients: found.map(({ status, categories, reachableFrom, refusal }, index) => ({
          recipient: recipients[index]!,
          reachable: refusal === undefined,
          status,
          categories,
          reachableFrom: reachableFrom?.toISOString() ?? null,
          reason: refusal ?? null,
          advice: refusal === undefined ? null : problems[refusal][1],
        })),
      }
    },
  )
}
