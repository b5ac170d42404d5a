import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { changeWebhookSecret, removeWebhook, saveWebhook, switchWebhook } from '../../evidence/change-webhook.ts'
import { messageEventTypes } from '../../evidence/events.ts'
import { findWebhooks, listDeliveries } from '../../evidence/find-webhook.ts'
import type { WebhookReach } from '../../evidence/post-event.ts'
import { replayDeliveries } from '../../evidence/replay-deliveries.ts'
import { type Delivery, failureInEnglish, type Webhook } from '../../evidence/webhook.ts'
import { Problem } from '../../problems.ts'
import { actorFor, chooseService, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route, ServiceQuery } from './door.ts'

const deliveriesPerAnswer = 500

const Time = Type.String({ format: 'date-time' })
const MaybeTime = Type.Union([Time, Type.Null()])
const OfService = Type.Object({ service: ServiceQuery }, { additionalProperties: false })

const WebhookState = Type.Object({
  service: Type.String(),
  url: Type.String(),
  on: Type.Boolean(),
  createdAt: Time,
  changedAt: Time,
  changedBy: Type.String(),
  waiting: Type.Integer({ description: 'Events that are still to be delivered.' }),
  dead: Type.Integer({ description: 'Events that were not taken within a day: see the deliveries, and replay them.' }),
  deliveredAt: Type.Union([Time, Type.Null()], { description: 'The latest that was taken, to some seconds.' }),
  failedAt: MaybeTime,
  failure: Type.Union([Type.String(), Type.Null()], { description: 'What went wrong then. Only of what is not delivered.' }),
  secret: Type.Optional(
    Type.String({ description: 'Shown only in the answer in which it was made. Standard Webhooks: whsec_ and base64.' }),
  ),
})

const WebhookChange = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2_000, description: 'https, and a public address.' }),
    on: Type.Optional(Type.Boolean({ description: 'Off: events wait until it is on again. Default: as it is; at first, on.' })),
    newSecret: Type.Optional(
      Type.Boolean({ description: 'Makes another secret. The one before signs too for 24 hours. Default false.' }),
    ),
  },
  { additionalProperties: false },
)

const Deliveries = Type.Object({
  deliveries: Type.Array(
    Type.Object({
      id: Type.String({ format: 'uuid', description: 'Of the event, and the webhook-id of every try.' }),
      service: Type.String(),
      state: Type.Enum(['waiting', 'dead']),
      type: Type.Enum(messageEventTypes),
      messageId: Type.String({ format: 'uuid' }),
      reference: Type.String(),
      at: Type.String({ format: 'date-time', description: 'Of the event.' }),
      tries: Type.Integer(),
      firstTriedAt: MaybeTime,
      lastTriedAt: MaybeTime,
      failure: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  next: Type.String({ description: 'Pass this as after, for those that follow.' }),
})

type WebhookOptions = ApiOptions & { webhooks: WebhookReach & { key: Buffer } }

export function webhookRoutes(app: ApiServer, options: WebhookOptions): void {
  showing(app, options)
  changing(app, options)
  replaying(app, options)
}

function showing(app: ApiServer, { database, ...options }: WebhookOptions): void {
  app.get(
    '/v1/webhook',
    {
      ...route({ database, ...options }, 'events:read'),
      schema: {
        operationId: 'getWebhook',
        tags: ['Events'],
        summary: 'A service’s webhook',
        querystring: OfService,
        response: { 200: WebhookState, ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request) => readState(database, request, chooseService(request, request.query.service)),
  )
}

function changing(app: ApiServer, { database, webhooks, clock, ...options }: WebhookOptions): void {
  const security = route({ database, clock, ...options }, 'events:read')
  app.put(
    '/v1/webhook',
    {
      ...security,
      schema: {
        operationId: 'putWebhook',
        tags: ['Events'],
        summary: 'Have events posted to you',
        description:
          'Makes the service’s webhook, or changes it. From then on each event is posted to it as `GET /v1/events` shows it: at least once, the events of one message in order, ' +
          'signed as Standard Webhooks has it, and tried again for 24 hours. What is not taken by then is dead, until it is replayed.',
        querystring: OfService,
        body: WebhookChange,
        response: { 200: WebhookState, ...problemAnswers(400, 401, 403, 404, 409, 415, 422) },
      },
    },
    async (request) => {
      const serviceId = chooseService(request, request.query.service)
      const { url, on, newSecret } = request.body
      const asker = { serviceId, name: request.caller.actor.by.name }
      const now = clock()
      const saved = await saveWebhook(database, asker, { url }, webhooks, now)
      if (on !== undefined) await switchWebhook(database, asker, on, now)
      const isWanted = newSecret === true && saved.secret === undefined
      const { secret } = isWanted ? await changeWebhookSecret(database, asker, undefined, webhooks.key, now) : saved
      return { ...(await readState(database, request, serviceId)), ...(secret === undefined ? {} : { secret }) }
    },
  )
  app.delete(
    '/v1/webhook',
    {
      ...security,
      schema: {
        operationId: 'deleteWebhook',
        tags: ['Events'],
        summary: 'End a webhook',
        description: 'With all that was not delivered; again is harmless. The events themselves stay, in `GET /v1/events`.',
        querystring: OfService,
        response: { 204: Type.Null(), ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const serviceId = chooseService(request, request.query.service)
      await removeWebhook(database, { serviceId, name: request.caller.actor.by.name })
      return reply.code(204).send(null)
    },
  )
}

function replaying(app: ApiServer, { database, clock, ...options }: WebhookOptions): void {
  const security = route({ database, clock, ...options }, 'events:read')
  app.get(
    '/v1/webhook/deliveries',
    {
      ...security,
      schema: {
        operationId: 'getWebhookDeliveries',
        tags: ['Events'],
        summary: 'Events that your webhook has not taken',
        querystring: Type.Object(
          {
            state: Type.Enum(['waiting', 'dead'], { default: 'dead' }),
            after: Type.Optional(Type.String({ maxLength: 64, description: 'The next of an earlier answer.' })),
            limit: Type.Integer({ minimum: 1, maximum: deliveriesPerAnswer, default: deliveriesPerAnswer }),
            service: ServiceQuery,
          },
          { additionalProperties: false },
        ),
        response: { 200: Deliveries, ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request): Promise<Static<typeof Deliveries>> => {
      const { state, after, limit, service } = request.query
      const serviceIds = servicesFor(actorFor(request, service), 'events:read') ?? []
      const position = readCursor(after)
      const found = await listDeliveries(database, serviceIds, { state, after: position, limit })
      return {
        deliveries: found.map((delivery) => asAnswered(request, delivery)),
        next: writeCursor(found.at(-1)?.position ?? position),
      }
    },
  )
  app.post(
    '/v1/webhook/deliveries/:id/replay',
    {
      ...security,
      schema: {
        operationId: 'replayWebhookDelivery',
        tags: ['Events'],
        summary: 'Deliver a dead event after all',
        description: 'It is tried for another 24 hours, with the same webhook-id.',
        params: Id,
        response: { 202: Type.Object({ id: Type.String({ format: 'uuid' }) }), ...problemAnswers(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const serviceIds = servicesFor(request.caller.actor, 'events:read') ?? []
      if ((await replayDeliveries(database, serviceIds, { id }, clock())) === 0) throw new Problem('not-found')
      return reply.code(202).send({ id })
    },
  )
}

async function readState(database: ApiOptions['database'], request: FastifyRequest, serviceId: string) {
  const [webhook] = await findWebhooks(database, [serviceId])
  if (webhook === undefined) throw new Problem('not-found')
  return toState(webhook, slugOf(request, serviceId))
}

function toState(webhook: Webhook, service: string): Static<typeof WebhookState> {
  const { url, isOn, createdAt, changedAt, changedByName, waiting, dead, deliveredAt, failedAt, failure } = webhook
  return {
    service,
    url,
    on: isOn,
    createdAt: createdAt.toISOString(),
    changedAt: changedAt.toISOString(),
    changedBy: changedByName,
    waiting,
    dead,
    deliveredAt: deliveredAt?.toISOString() ?? null,
    failedAt: failedAt?.toISOString() ?? null,
    failure: failure && failureInEnglish(failure),
  }
}

function asAnswered(request: FastifyRequest, { serviceId, position: _, action: __, ...delivery }: Delivery) {
  return {
    ...delivery,
    service: slugOf(request, serviceId),
    at: delivery.at.toISOString(),
    firstTriedAt: delivery.firstTriedAt?.toISOString() ?? null,
    lastTriedAt: delivery.lastTriedAt?.toISOString() ?? null,
    failure: delivery.failure && failureInEnglish(delivery.failure),
  }
}

/** A position, dressed so that nobody counts on what it is. */
function writeCursor(position: string): string {
  return Buffer.from(`deliveries ${position}`).toString('base64url')
}

function readCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0'
  const position = /^deliveries (\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]
  if (position === undefined) throw new Problem('cursor-invalid')
  return position
}
