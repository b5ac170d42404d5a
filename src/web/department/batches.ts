import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type Actor, servicesFor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import { type Batch, type BatchChange, batchChanges, type Decisions, stageOf, takesLetters } from '../../delivery/batch.ts'
import { batchErrorsAsCsv, errorColumns } from '../../delivery/batch-errors-csv.ts'
import { changeBatch } from '../../delivery/change-batch.ts'
import { findRequests } from '../../delivery/decide-batch.ts'
import { type BatchError, type BatchFound, findBatch, listBatchErrors, listBatches } from '../../delivery/find-batches.ts'
import { utf8Mark } from '../../delivery/reconciliation.ts'
import { Problem } from '../../problems.ts'
import type { Schemes } from '../../registry/scheme.ts'
import { listServices } from '../../registry/services.ts'
import { LetterParams as BatchParams } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { type Language, languageOf, type Translate, translate, wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'
import { fieldInWords, problemInWords } from './problem-words.ts'

const folder = '/department/batches'
const batchesShown = 50
const errorsShown = 50

const After = Type.Object({ after: Type.Optional(Type.String({ format: 'uuid' })) })

/** What was decided of it, where that is so, and whether it takes letters: Held, closed. */
function stateOf(batch: Batch & Decisions, t: Translate): string {
  const stage = stageOf(batch)
  const state = t(`staff-batches:states.${batch.state}`)
  return stage === undefined ? state : `${t(`staff-batches:stages.${stage}`)}, ${state.toLowerCase()}`
}

const numberInWords = (count: number) => count.toLocaleString('en')

function countsOf({ accepted, refused, progress }: BatchFound, t: Translate) {
  const counted = (count: number | undefined) => (count === undefined ? t('staff-batches:counts.too-many') : numberInWords(count))
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

function viewError({ code, fields, ...error }: BatchError, schemes: Schemes, language: Language) {
  return {
    ...error,
    reason: problemInWords(code, translate(language)),
    fields: fields?.map((one) => ({ ...one, words: fieldInWords(one, schemes, language) })),
  }
}

/** As the API has them, in the language of who asks. */
async function* errorsAsCsv(database: Database, actor: Actor, batch: Batch, schemes: Schemes, language: Language) {
  const t = translate(language)
  yield utf8Mark
  yield* batchErrorsAsCsv(database, actor, batch, {
    columns: errorColumns.map((column) => t(`staff-batches:csv.${column}`)),
    inWords: (code) => problemInWords(code, t),
    fieldInWords: (field) => fieldInWords(field, schemes, language) ?? field.message,
  })
}

/** What a service's systems send in bulk, for staff who may read its post; who writes for it may pause a batch, or stop it. */
export function batchPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, { schema: { querystring: After } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { after } = request.query
    const found = await listBatches(database, actor, { after, limit: batchesShown + 1 })
    const shown = found.slice(0, batchesShown)
    const t = wordsFor(request)
    const services = await listServices(database, { ids: servicesFor(actor, 'messages:read') ?? [] })
    return sendPage(request, reply, 'department/batches', {
      title: t('shell:department.batches'),
      section: 'batches',
      batches: shown.map((batch) => ({
        ...batch,
        service: services.find(({ id }) => id === batch.senderId)?.name,
        stateInWords: stateOf(batch, t),
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
    const t = wordsFor(request)
    const batch = await findBatch(database, actor, request.params.id)
    const [service] = await listServices(database, { ids: [batch.senderId] })
    const errors = await listBatchErrors(database, actor, batch, { after: 0, limit: errorsShown })
    const mayChange = servicesFor(actor, 'messages:write')?.includes(batch.senderId) ?? false
    return sendPage(request, reply, 'department/batch', {
      title: batch.name,
      section: 'batches',
      batch,
      service,
      stateInWords: stateOf(batch, t),
      stage: stageOf(batch),
      takesLetters: takesLetters(batch.state),
      request: mayChange ? await findRequest(database, actor, batch.id, clock()) : undefined,
      href: `${folder}/${batch.id}`,
      counts: countsOf(batch, t),
      refusedBy: batch.refusedBy.map(({ code, count }) => ({ reason: problemInWords(code, t), count: numberInWords(count) })),
      refusedLines: errors.map((error) => viewError(error, keys.schemes, languageOf(request))),
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
      .send(Readable.from(errorsAsCsv(database, actor, batch, keys.schemes, languageOf(request))))
  })

  scope.post(`${folder}/:id`, { schema: { params: BatchParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const to = posted.line('to')
    if (!(batchChanges as readonly string[]).includes(to)) throw new Problem('not-found')
    await changeBatch(database, request.signedIn!.actor, request.params.id, to as BatchChange, clock())
    return reply.redirect(`${folder}/${request.params.id}`, 303)
  })
}
