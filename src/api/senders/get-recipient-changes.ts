import { type Static, Type } from 'typebox'
import { Problem } from '../../problems.ts'
import { Identifier } from '../../registry/identifier.ts'
import { readRecipientChanges } from '../../registry/recipient-changes.ts'
import { actorFor, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route, ServiceQuery } from './door.ts'
import { ConsentedCategories, ReachableFrom, RecipientStatus } from './lookup-recipients.ts'

const changesPerAnswer = 500

const Changes = Type.Object({
  changes: Type.Array(
    Type.Object({
      service: Type.String(),
      identifier: Identifier,
      status: RecipientStatus,
      categories: ConsentedCategories,
      reachableFrom: ReachableFrom,
      contested: Type.Boolean({
        description:
          'Somebody else has tried to link this identifier, and was refused: your records may name two people by it. Nothing else has changed.',
      }),
      at: Type.String({ format: 'date-time' }),
    }),
  ),
  next: Type.String({ description: 'Pass this as after, next time.' }),
})

export function getRecipientChanges(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/recipients/changes',
    {
      ...route(options, 'recipients:read'),
      schema: {
        operationId: 'getRecipientChanges',
        tags: ['Recipients'],
        summary: 'What has changed about your recipients',
        description:
          'Each time that somebody whom your services know by a link, or whom they have looked up and found, can be reached in another way than before. ' +
          'In order, nothing missed and nothing twice: keep `next` together with what you did with the changes, and go on from there. ' +
          'An empty list means that there is nothing new; `next` is then as good as before.',
        querystring: Type.Object(
          {
            after: Type.Optional(
              Type.String({ maxLength: 64, description: 'The next of an earlier answer. Default: from the beginning.' }),
            ),
            limit: Type.Integer({ minimum: 1, maximum: changesPerAnswer, default: changesPerAnswer }),
            service: ServiceQuery,
          },
          { additionalProperties: false },
        ),
        response: { 200: Changes, ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request): Promise<Static<typeof Changes>> => {
      const { after, limit, service } = request.query
      const position = readCursor(after)
      const page = { after: position, limit }
      const changes = await readRecipientChanges(options.database, options.keys, actorFor(request, service), page)
      return {
        changes: changes.map(({ position: _, serviceId, at, reachableFrom, ...change }) => ({
          ...change,
          service: slugOf(request, serviceId),
          reachableFrom: reachableFrom?.toISOString() ?? null,
          at: at.toISOString(),
        })),
        next: writeCursor(changes.at(-1)?.position ?? position),
      }
    },
  )
}

/** A position, dressed so that nobody counts on what it is. */
function writeCursor(position: string): string {
  return Buffer.from(`recipients ${position}`).toString('base64url')
}

function readCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0'
  const position = /^recipients (\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]
  if (position === undefined) throw new Problem('cursor-invalid')
  return position
}
