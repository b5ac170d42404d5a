import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Actor, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { type BatchStage, stageOf, takesLetters } from '../../delivery/batch.ts'
import { decideBatch } from '../../delivery/decide-batch.ts'
import { type BatchFound, findBatch } from '../../delivery/find-batches.ts'
import { recallReasonMax } from '../../delivery/recall.ts'
import { countRecipients, sampleHeld, type Withheld } from '../../delivery/withheld.ts'
import { Problem } from '../../problems.ts'
import { labelOf } from '../action-view.ts'
import { LetterParams as BatchParams } from '../address.ts'
import { languageName } from '../letter-view.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Language, languageOf, wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/batches'
const excerptLength = 160

/** Looking at what a batch holds, and deciding about all of it. */
export function heldBatchPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: BatchParams }

  scope.get(`${folder}/:id/sample`, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const batch = await findBatch(database, actor, request.params.id)
    const sample = await sampleHeld(database, actor, batch.id)
    return sendPage(request, reply, 'department/batch-sample', {
      title: wordsFor(request)('staff-batches:sample.title'),
      section: 'batches',
      batch,
      href: `${folder}/${batch.id}`,
      letters: sample.map((letter) => viewSampled(letter, languageOf(request))),
      isAll: sample.length === batch.progress?.held,
    })
  })

  scope.get(`${folder}/:id/release`, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { stage, ...batch } = await findToDecide(database, actor, request.params.id)
    if (stage !== 'held' || takesLetters(batch.state)) return reply.redirect(`${folder}/${batch.id}`, 303)
    const letters = batch.progress?.held ?? batch.accepted
    return sendPage(request, reply, 'department/batch-release', {
      title: wordsFor(request)(batch.releaseByTwo ? 'staff-batches:release.title-ask' : 'staff-batches:release.title'),
      section: 'batches',
      batch,
      href: `${folder}/${batch.id}`,
      letters,
      lettersInWords: letters.toLocaleString('en'),
      recipients: (await countRecipients(database, actor, batch.id))?.toLocaleString('en'),
    })
  })

  scope.post(`${folder}/:id/release`, { schema }, async (request, reply) => {
    await readPosted(request)
    const { id } = request.params
    try {
      await decideBatch(database, request.signedIn!.actor, { batchId: id, decision: 'release' }, clock())
    } catch (error) {
      if (!(error instanceof Problem) || !['batch-open', 'action-not-possible'].includes(error.code)) throw error
    }
    // The page says what became of it, also where somebody else was quicker.
    return reply.redirect(`${folder}/${id}`, 303)
  })

  scope.get(`${folder}/:id/recall`, { schema }, async (request, reply) => {
    const batch = await findToDecide(database, request.signedIn!.actor, request.params.id)
    if (batch.recalledAt !== null) return reply.redirect(`${folder}/${batch.id}`, 303)
    return sendRecallForm(request, reply, batch, '')
  })

  scope.post(`${folder}/:id/recall`, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const reason = (await readPosted(request)).line('reason')
    const { id } = request.params
    const batch = await findToDecide(database, actor, id)
    const t = wordsFor(request)
    const refuse = (text: string) => sendRecallForm(request, reply, batch, reason, [{ field: 'reason', text }])
    if (reason === '')
      return refuse(t(batch.stage === 'held' ? 'staff-batches:discard.reason-missing' : 'staff-batches:recall.reason-missing'))
    if (reason.length > recallReasonMax) return refuse(t('staff-batches:reason-too-long', { max: recallReasonMax }))
    await decideBatch(database, actor, { batchId: id, decision: 'recall', reason }, clock())
    return reply.redirect(`${folder}/${id}`, 303)
  })
}

/** Throws `not-found` for what the actor may only read. */
async function findToDecide(
  database: Database,
  actor: Actor,
  id: string,
): Promise<BatchFound & { stage: BatchStage | undefined }> {
  requireRight(actor, 'messages:write')
  const batch = await findBatch(database, actor, id)
  if (!servicesFor(actor, 'messages:write')?.includes(batch.senderId)) throw new Problem('not-found')
  return { ...batch, stage: stageOf(batch) }
}

function sendRecallForm(
  request: FastifyRequest,
  reply: FastifyReply,
  batch: Awaited<ReturnType<typeof findToDecide>>,
  reason: string,
  errors: FieldError[] = [],
): FastifyReply {
  const isHeld = batch.stage === 'held'
  const letters = isHeld ? batch.progress?.held : batch.accepted
  return sendPage(
    request,
    reply,
    'department/batch-recall',
    {
      title: wordsFor(request)(isHeld ? 'staff-batches:discard.title' : 'staff-batches:recall.title'),
      section: 'batches',
      batch,
      href: `${folder}/${batch.id}`,
      letters,
      lettersInWords: letters?.toLocaleString('en'),
      isHeld,
      isOpen: takesLetters(batch.state),
      reason,
      errors,
    },
    errors.length > 0 ? 422 : 200,
  )
}

/** A line of the sample: enough to choose which to open. */
function viewSampled({ messageId, subject, content, documents, actions, recipientName }: Withheld, language: Language) {
  // Without the marks of Markdown.
  const text = content[0]!.body
    .replaceAll(/[*_#>|`]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return {
    href: `/department/messages/${messageId}`,
    subject,
    excerpt: text.length > excerptLength ? `${text.slice(0, excerptLength).trimEnd().toWellFormed()}…` : text,
    language: content[0]!.language,
    recipientName,
    languages: content.map(({ language }) => languageName(language)).join(', '),
    documents: documents.length,
    asks: actions.map(({ said }) => labelOf(said, language)),
  }
}
