import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../database/connect.ts'
import { Language } from '../../documents/document.ts'
import { readThread } from '../../mailbox/find.ts'
import { mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { sendPage } from '../page.ts'

export function letterPage(app: FastifyInstance, database: Database, clock: () => Date): void {
  const schema = { params: LetterParams, querystring: Type.Object({ language: Type.Optional(Language) }) }
  app.withTypeProvider<TypeBoxTypeProvider>().get('/letters/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const letter = await open(database, actor, request.params.id, now)
    const thread = await readThread(database, actor, letter.threadId, now, letter.id)
    const view = viewLetter(letter, '/letters', 2, request.query.language)
    return sendPage(request, reply, 'citizen/letter', {
      title: view.subject,
      section: 'inbox',
      letter: view,
      isRecipientOnly: letter.recipientOnly,
      forwarded: letter.forwarded && { ...letter.forwarded, availableAt: new Date(letter.forwarded.availableAt) },
      conversation: viewConversation(thread, letter, '/letters'),
      mayWrite: actor.rights.has('messages:write'),
      mayBeAnswered: mayBeAnswered(letter, now),
      replyBy: letter.replyBy,
      replyIsOver: letter.replyAllowed && letter.replyBy !== null && letter.replyBy < now,
    })
  })
}
