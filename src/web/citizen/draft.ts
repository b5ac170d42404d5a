import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../../mailbox/draft.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { scheduleDraft } from '../../mailbox/schedule-draft.ts'
import { LetterParams } from '../address.ts'
import { readForm } from '../form.ts'
import { renderMarkdown } from '../markdown.ts'
import { sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { type Desk, receiveWriting, showWriting, writingOf } from './writing.ts'
import { viewFiles } from './writing-page.ts'

const schema = { params: LetterParams }

/** One draft: to go on writing, or to see when it will be sent. */
export function draftPage(app: FastifyInstance, surroundings: Desk): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, request.params.id, clock())
    if (draft.sendAt !== null) return sendScheduled(request, reply, draft, draft.sendAt)
    return showWriting(request, reply, surroundings, await writingOf(surroundings, actor, draft), draft)
  })

  scope.post('/drafts/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, request.params.id, clock())
    const writing = await writingOf(surroundings, actor, draft)
    return receiveWriting(request, reply, surroundings, writing, await readForm(request, writing.limits), draft.id)
  })

  scope.post('/drafts/:id/stop', { schema, preHandler: checkForm }, async (request, reply) => {
    await scheduleDraft(database, request.signedIn!.actor, { id: request.params.id, version: 0 }, null)
    return reply.redirect(`/drafts/${request.params.id}`, 303)
  })
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
