import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import {
  type Batch,
  type BatchCounts,
  batchChanges,
  batchLanes,
  batchStages,
  batchStates,
  type Decisions,
  stageOf,
} from '../../delivery/batch.ts'
import { batchErrorsAsCsv } from '../../delivery/batch-errors-csv.ts'
import { changeBatch } from '../../delivery/change-batch.ts'
import { createBatch } from '../../delivery/create-batch.ts'
import { type BatchFound, findBatch, listBatches } from '../../delivery/find-batches.ts'
import { Line } from '../../documents/document.ts'
import { actorFor, chooseService, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route, ServiceQuery } from './door.ts'

const batchesPerAnswer = 100

const Time = Type.String({ format: 'date-time' })
const Count = Type.Integer({ minimum: 0 })

const Progress = Type.Object({
  held: Type.Integer({ description: 'Waiting for staff to release the batch.' }),
  available: Type.Integer({ description: 'Became available, whatever happened later.' }),
  opened: Count,
  answered: Count,
  recalled: Type.Integer({ description: 'Taken back, before or after they were available.' }),
  failed: Count,
})

const ListedBatch = Type.Object({
  id: Type.String({ format: 'uuid' }),
  reference: Type.String(),
  service: Type.String(),
  name: Type.String(),
  lane: Type.Enum(batchLanes),
  state: Type.Enum(batchStates),
  hold: Type.Boolean({ description: 'Its letters are kept, and seen by no recipient until staff release them.' }),
  stage: Type.Union([Type.Enum(batchStages), Type.Null()], {
    description: 'What staff have decided of it as a whole. Null where it is not held and nothing was decided.',
  }),
  createdAt: Time,
  createdBy: Type.String(),
  changedAt: Time,
  changedBy: Type.String(),
  accepted: Count,
  refused: Type.Integer({ description: 'Lines that were refused, and have not been accepted since.' }),
})

const BatchState = Type.Object({
  ...ListedBatch.properties,
  refusedBy: Type.Array(Type.Object({ code: Type.String(), count: Count }), {
    description: 'The refused lines, by their problem.',
  }),
  progress: Type.Union([Progress, Type.Null()], {
    description: 'What became of the accepted. Null where there are more than can be counted in the time of a request.',
  }),
})

export function batchRoutes(app: ApiServer, options: ApiOptions): void {
  creating(app, options)
  showing(app, options)
  changing(app, options)
  errors(app, options)
}

function creating(app: ApiServer, options: ApiOptions): void {
  app.put(
    '/v1/batches/:reference',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'putBatch',
        tags: ['Batches'],
        summary: 'Begin a batch',
        description:
          'A batch under your own reference, to send letters in it. Again with the same name and lane gives the same batch, with others 409; so does a hold for one that was begun without.',
        params: Type.Object({ reference: Line(128, 'Your own reference, once for each batch of the service.') }),
        body: Type.Object(
          {
            service: Type.Optional(Type.String({ description: 'That sends. Needed where the client has several services.' })),
            name: Line(256, 'What the batch is, for those who look after it.'),
            lane: Type.Enum(batchLanes, {
              default: 'bulk',
              description:
                'bulk: never in the way of single letters. normal: as urgent as those, for some hundreds that must be there now.',
            }),
            hold: Type.Boolean({
              default: false,
              description:
                'Keep its letters from their recipients until staff have looked at some of them and release the batch. A service may have all of its batches held.',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 201: BatchState, 200: BatchState, ...problemAnswers(400, 401, 403, 404, 409, 415) },
      },
    },
    async (request, reply) => {
      const { service, name, lane, hold } = request.body
      const { actor } = request.caller
      const wanted = { serviceId: chooseService(request, service), reference: request.params.reference, name, lane, hold }
      const { isNew, ...batch } = await createBatch(options.database, actor, wanted, options.clock())
      // Who may only write is told nothing of what was sent before.
      const counts = isNew || !actor.rights.has('messages:read') ? nothingYet : await findBatch(options.database, actor, batch.id)
      return reply.code(isNew ? 201 : 200).send(toState(request, { ...counts, ...batch }))
    },
  )
}

const nothingYet = {
  accepted: 0,
  refused: 0,
  refusedBy: [],
  progress: { held: 0, available: 0, opened: 0, answered: 0, recalled: 0, failed: 0 },
  releasedAt: null,
  releasedByName: null,
  releaseDoneAt: null,
  recalledAt: null,
  recalledByName: null,
  recallReason: null,
  recallDoneAt: null,
}

function showing(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/batches',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'listBatches',
        tags: ['Batches'],
        summary: 'Your batches, the newest first',
        querystring: Type.Object(
          {
            service: ServiceQuery,
            after: Type.Optional(Type.String({ format: 'uuid', description: 'The id of the last batch of an earlier answer.' })),
            limit: Type.Integer({ minimum: 1, maximum: batchesPerAnswer, default: batchesPerAnswer }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ batches: Type.Array(ListedBatch) }), ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { service, after, limit } = request.query
      const found = await listBatches(options.database, actorFor(request, service), { after, limit })
      return { batches: found.map((batch) => toListed(request, batch)) }
    },
  )
  app.get(
    '/v1/batches/:id',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'getBatch',
        tags: ['Batches'],
        summary: 'Whether every line of a batch is accounted for',
        description:
          'A line that was sent is accepted, or refused, or was never answered. Each that is accepted is kept, and of those it is counted what became of them.',
        params: Id,
        response: { 200: BatchState, ...problemAnswers(401, 403, 404) },
      },
    },
    async (request) => toState(request, await findBatch(options.database, request.caller.actor, request.params.id)),
  )
}

function changing(app: ApiServer, options: ApiOptions): void {
  app.patch(
    '/v1/batches/:id',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'changeBatch',
        tags: ['Batches'],
        summary: 'Pause, resume, close or stop a batch',
        description:
          'While it is paused, lines are answered with batch-paused. Close it when it was sent whole; stop it to break it off. Neither can be undone, and what was accepted stays accepted.',
        params: Id,
        body: Type.Object({ change: Type.Enum(batchChanges) }, { additionalProperties: false }),
        response: {
          200: Type.Object({ id: Type.String(), state: Type.Enum(batchStates) }),
          ...problemAnswers(400, 401, 403, 404, 409, 415),
        },
      },
    },
    async (request) => {
      const { id } = request.params
      const { state } = await changeBatch(options.database, request.caller.actor, id, request.body.change, options.clock())
      return { id, state }
    },
  )
}

function errors(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/batches/:id/errors',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'getBatchErrors',
        tags: ['Batches'],
        summary: 'The lines of a batch that were refused',
        description:
          'As CSV: line, reference, code, advice, detail, fields. A line that is accepted later is not in it any more.',
        params: Id,
        response: {
          200: { description: 'CSV.', content: { 'text/csv': { schema: Type.String() } } },
          ...problemAnswers(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const { actor } = request.caller
      const batch = await findBatch(options.database, actor, request.params.id)
      reply.header('content-disposition', `attachment; filename="batch-${batch.id}-errors.csv"`).type('text/csv; charset=utf-8')
      return reply.send(Readable.from(batchErrorsAsCsv(options.database, actor, batch)) as never)
    },
  )
}

function toListed(
  request: FastifyRequest,
  batch: Batch & Decisions & Pick<BatchCounts, 'accepted' | 'refused'>,
): Static<typeof ListedBatch> {
  const { senderId, createdAt, createdByName, changedAt, changedByName, id, reference, name, lane, state, hold } = batch
  return {
    id,
    reference,
    service: slugOf(request, senderId),
    name,
    lane,
    state,
    hold,
    stage: stageOf(batch) ?? null,
    createdAt: createdAt.toISOString(),
    createdBy: createdByName,
    changedAt: changedAt.toISOString(),
    changedBy: changedByName,
    accepted: batch.accepted,
    refused: batch.refused,
  }
}

function toState(request: FastifyRequest, batch: Omit<BatchFound, 'releaseByTwo'>): Static<typeof BatchState> {
  return { ...toListed(request, batch), refusedBy: batch.refusedBy, progress: batch.progress ?? null }
}
