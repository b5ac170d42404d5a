import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { readAction } from '../../documents/action.ts'
import { Language } from '../../documents/document.ts'
import { readThread } from '../../mailbox/find.ts'
import { mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { readerOf, viewAction } from '../action-view.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { besideLetter, PanesQuery } from './letter-panes.ts'

export function letterPage(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const schema = { params: LetterParams, querystring: Type.Object({ language: Type.Optional(Language), ...PanesQuery }) }
  app.withTypeProvider<TypeBoxTypeProvider>().get('/letters/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const letter = await open(database, actor, request.params.id, now)
    const thread = await readThread(database, actor, letter.threadId, now, letter.id)
    const view = viewLetter(letter, '/letters', 2, request.query.language)
    return sendPage(request, reply, 'citizen/letter', {
      title: view.subject,
      section: 'inbox',
      ...(await besideLetter(request, surroundings, letter.id, request.query)),
      letter: view,
      isRecipientOnly: letter.recipientOnly,
      conversation: viewConversation(thread, letter, '/letters'),
      actions: letter.actions.map((action) => viewAction(readAction(action), letter.id, readerOf(request, now))),
      mayWrite: actor.rights.has('messages:write'),
      mayBeAnswered: mayBeAnswered(letter, now),
      replyBy: letter.replyBy,
      replyIsOver: letter.replyAllowed && letter.replyBy !== null && letter.replyBy < now,
    })
  })
}
