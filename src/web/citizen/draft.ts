import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../../mailbox/draft.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { scheduleDraft } from '../../mailbox/schedule-draft.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { type Form, limitsForPeople, readForm } from '../form.ts'
import { renderMarkdown } from '../markdown.ts'
import { sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { type Desk, receiveWriting, showWriting, writingOf } from './writing.ts'
import { viewFiles } from './writing-page.ts'

const schema = { params: LetterParams }

/** One draft: to go on writing, or to see when it will be sent. */
export function draftPage(app: FastifyInstance, surroundings: Desk): void {
  const { config, database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, request.params.id, clock())
    if (draft.sendAt !== null) return sendScheduled(request, reply, draft, draft.sendAt)
    return showWriting(request, reply, surroundings, await writingOf(surroundings, actor, draft), draft)
  })

  scope.post('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { id } = request.params
    const draft = await findDraft(database, actor, id, clock()).catch(nothingIfGone)
    const writing = draft && (await writingOf(surroundings, actor, draft))
    const form = await readForm(request, writing?.limits ?? limitsForPeople(config))
    const isDone = writing && (await receiveWriting(request, reply, surroundings, writing, form, id).catch(nothingIfGone))
    return isDone ?? sendGone(request, reply, form)
  })

  scope.post('/drafts/:id/stop', { schema, preHandler: checkForm }, async (request, reply) => {
    await scheduleDraft(database, request.signedIn!.actor, { id: request.params.id, version: 0 }, null)
    return reply.redirect(`/drafts/${request.params.id}`, 303)
  })
}

function nothingIfGone(error: unknown): undefined {
  if (!(error instanceof Problem) || error.code !== 'not-found') throw error
}

/** It was sent or deleted, perhaps in another window: what was typed into this one is not lost with it. */
function sendGone(request: FastifyRequest, reply: FastifyReply, { fields }: Form) {
  const data = { title: wordsFor(request)('drafts:gone'), section: 'sent' as const, text: fields.get('text'), isDraft: true }
  return sendPage(request, reply, 'citizen/kept-form-gone', data, 404)
}

function sendScheduled(request: FastifyRequest, reply: FastifyReply, draft: Draft, sendAt: Date) {
  return sendPage(request, reply, 'citizen/draft-scheduled', {
    title: wordsFor(request)('drafts:scheduled-title'),
    section: 'sent',
    draft,
    sendAt,
    body: renderMarkdown(draft.body, { firstHeading: 3, keepLineBreaks: true }),
    files: viewFiles(wordsFor(request), draft),
  })
}
