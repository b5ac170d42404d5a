import { type Static, Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { actionStates } from '../../documents/action.ts'
import { asSenderReads, messageEventTypes, readEvents } from '../../evidence/events.ts'
import { Problem } from '../../problems.ts'
import { actorFor } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route, ServiceQuery } from './door.ts'
import { watchEvents } from './watch-events.ts'

const eventsPerAnswer = 500
const waitSecondsMax = 30

const ChangedActionAnswer = Type.Object(
  { id: Type.String({ format: 'uuid' }), kind: Type.String(), state: Type.Enum(actionStates) },
  { description: 'Of message.action: which action, and its new state.' },
)

const MessageEvent = Type.Object({
  id: Type.String({ format: 'uuid' }),
  type: Type.Enum(messageEventTypes),
  messageId: Type.String({ format: 'uuid' }),
  reference: Type.String(),
  at: Type.String({ format: 'date-time' }),
  action: Type.Optional(ChangedActionAnswer),
})

const Events = Type.Object({
  events: Type.Array(MessageEvent),
  next: Type.String({ description: 'Pass this as after, next time.' }),
})

export function getEvents(app: ApiServer, options: ApiOptions): void {
  const watch = watchEvents(options.database)
  app.addHook('preClose', async () => watch.stop())

  app.get(
    '/v1/events',
    {
      ...route(options, 'events:read'),
      schema: {
        operationId: 'getEvents',
        tags: ['Events'],
        summary: 'What has happened to your messages',
        description:
          'In order, nothing missed and nothing twice: keep `next` together with what you did with the events, and go on from there. ' +
          'An empty list means that there is nothing new; `next` is then as good as before.',
        querystring: Type.Object(
          {
            after: Type.Optional(
              Type.String({ maxLength: 64, description: 'The next of an earlier answer. Default: from the beginning.' }),
            ),
            wait: Type.Integer({
              minimum: 0,
              maximum: waitSecondsMax,
              default: 0,
              description: 'Seconds to wait for something new.',
            }),
            limit: Type.Integer({ minimum: 1, maximum: eventsPerAnswer, default: eventsPerAnswer }),
            service: ServiceQuery,
          },
          { additionalProperties: false },
        ),
        response: { 200: Events, ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request): Promise<Static<typeof Events>> => {
      const { after, wait, limit, service } = request.query
      const serviceIds = servicesFor(actorFor(request, service), 'events:read') ?? []
      const position = readCursor(after)
      const deadline = Date.now() + wait * 1000
      for (;;) {
        const seen = watch.now()
        const events = await readEvents(options.database, serviceIds, position, limit)
        const waitMs = deadline - Date.now()
        if (events.length > 0 || waitMs <= 0 || !(await watch.change(seen, waitMs, request.signal))) {
          return {
            events: events.map(asSenderReads),
            next: writeCursor(events.at(-1)?.position ?? position),
          }
        }
      }
    },
  )
}

/** A position, dressed so that nobody counts on what it is. */
function writeCursor(position: string): string {
  return Buffer.from(`events ${position}`).toString('base64url')
}

function readCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0'
  const position = /^events (\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]
  if (position === undefined) throw new Problem('cursor-invalid')
  return position
}
