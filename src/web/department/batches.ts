import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type Actor, servicesFor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import {
  type Batch,
  type BatchChange,
  type BatchStage,
  type BatchState,
  batchChanges,
  type Decisions,
  stageOf,
  takesLetters,
} from '../../delivery/batch.ts'
import { batchErrorsAsCsv } from '../../delivery/batch-errors-csv.ts'
import { changeBatch } from '../../delivery/change-batch.ts'
import { findRequests } from '../../delivery/decide-batch.ts'
import { type BatchFound, findBatch, listBatchErrors, listBatches } from '../../delivery/find-batches.ts'
import { Problem, problems } from '../../problems.ts'
import { listServices } from '../../registry/services.ts'
import { LetterParams as BatchParams } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/batches'
const batchesShown = 50
const errorsShown = 50

const After = Type.Object({ after: Type.Optional(Type.String({ format: 'uuid' })) })

const statesInWords: Record<BatchState, string> = { open: 'Open', paused: 'Paused', closed: 'Closed', stopped: 'Stopped' }

const stagesInWords: Record<BatchStage, string> = {
  held: 'Held',
  releasing: 'Being released',
  released: 'Released',
  'taking-back': 'Being taken back',
  'taken-back': 'Taken back',
}

/** What was decided of it, where that is so, and whether it takes letters: Held, closed. */
function stateOf(batch: Batch & Decisions): string {
  const stage = stageOf(batch)
  const state = statesInWords[batch.state]
  return stage === undefined ? state : `${stagesInWords[stage]}, ${state.toLowerCase()}`
}

const numberInWords = (count: number) => count.toLocaleString('en')

function countsOf({ accepted, refused, progress }: BatchFound) {
  const counted = (count: number | undefined) => (count === undefined ? 'Too many to count here' : numberInWords(count))
  return {
    accepted: numberInWords(accepted),
    refused: numberInWords(refused),
    available: counted(progress?.available),
    opened: counted(progress?.opened),
    answered: counted(progress?.answered),
    held: counted(progress?.held),
    recalled: counted(progress?.recalled),
    failed: counted(progress?.failed),
  }
}

/** What waits for another member of staff to approve it. */
async function findRequest(database: Database, actor: Actor, batchId: string, now: Date) {
  const [release] = await findRequests(database, actor, { batchId, decision: 'release' }, now)
  const [request] = release ? [release] : await findRequests(database, actor, { batchId, decision: 'recall' }, now)
  return request && { ...request, href: `/department/approvals/${request.id}`, isRelease: release !== undefined }
}

/** What a service's systems send in bulk, for staff who may read its post; who writes for it may pause a batch, or stop it. */
export function batchPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, { schema: { querystring: After } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { after } = request.query
    const found = await listBatches(database, actor, { after, limit: batchesShown + 1 })
    const shown = found.slice(0, batchesShown)
    const services = await listServices(database, { ids: servicesFor(actor, 'messages:read') ?? [] })
    return sendPage(request, reply, 'department/batches', {
      title: 'Batches',
      section: 'batches',
      batches: shown.map((batch) => ({
        ...batch,
        service: services.find(({ id }) => id === batch.senderId)?.name,
        stateInWords: stateOf(batch),
        acceptedInWords: numberInWords(batch.accepted),
        refusedInWords: numberInWords(batch.refused),
        href: `${folder}/${batch.id}`,
      })),
      older: found.length > batchesShown ? `${folder}?after=${shown.at(-1)!.id}` : undefined,
      isFirst: after === undefined,
    })
  })

  scope.get(`${folder}/:id`, { schema: { params: BatchParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const batch = await findBatch(database, actor, request.params.id)
    const [service] = await listServices(database, { ids: [batch.senderId] })
    const errors = await listBatchErrors(database, actor, batch, { after: 0, limit: errorsShown })
    const mayChange = servicesFor(actor, 'messages:write')?.includes(batch.senderId) ?? false
    return sendPage(request, reply, 'department/batch', {
      title: batch.name,
      section: 'batches',
      batch,
      service,
      stateInWords: stateOf(batch),
      stage: stageOf(batch),
      takesLetters: takesLetters(batch.state),
      request: mayChange ? await findRequest(database, actor, batch.id, clock()) : undefined,
      href: `${folder}/${batch.id}`,
      counts: countsOf(batch),
      refusedBy: batch.refusedBy.map(({ code, count }) => ({ reason: problems[code][2], count: numberInWords(count) })),
      refusedLines: errors.map(({ code, ...error }) => ({ ...error, reason: problems[code][2] })),
      mayChange,
    })
  })

  scope.get(`${folder}/:id/errors.csv`, { schema: { params: BatchParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const batch = await findBatch(database, actor, request.params.id)
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="batch-${batch.id}-errors.csv"`)
      .header('cache-control', 'no-store')
      .send(Readable.from(batchErrorsAsCsv(database, actor, batch)))
  })

  scope.post(`${folder}/:id`, { schema: { params: BatchParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const to = posted.line('to')
    if (!(batchChanges as readonly string[]).includes(to)) throw new Problem('not-found')
    await changeBatch(database, request.signedIn!.actor, request.params.id, to as BatchChange, clock())
    return reply.redirect(`${folder}/${request.params.id}`, 303)
  })
}
