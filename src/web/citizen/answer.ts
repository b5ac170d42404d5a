import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { findDraftAbout } from '../../mailbox/find-draft.ts'
import { mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { LetterParams } from '../address.ts'
import { limitsForPeople, readForm } from '../form.ts'
import { answering, type Desk, receiveWriting, showWriting } from './writing.ts'

/** Answering a letter: the conversation, and the form under it. What was begun is gone on with. */
export function answerPages(app: FastifyInstance, surroundings: Desk): void {
  const { config, database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }

  scope.get('/letters/:id/answer', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const letter = await open(database, actor, request.params.id, clock())
    const draft = await findDraftAbout(database, actor, { messageId: letter.id, kind: 'answer' })
    if (draft) return reply.redirect(`/drafts/${draft.id}`, 303)
    if (!mayBeAnswered(letter, clock())) return reply.redirect(`/letters/${letter.id}`, 303)
    return showWriting(request, reply, surroundings, await answering(surroundings, actor, letter))
  })

  scope.post('/letters/:id/answer', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const form = await readForm(request, limitsForPeople(config))
    const letter = await open(database, actor, request.params.id, clock())
    return receiveWriting(request, reply, surroundings, await answering(surroundings, actor, letter), form)
  })
}
