import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import { find, readThread } from '../../mailbox/find.ts'
import { listSent } from '../../mailbox/list.ts'
import { listDrafts } from '../../mailbox/list-drafts.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { wordsFor } from '../words.ts'

export function sentPages(app: FastifyInstance, database: Database, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/sent', { schema: { querystring: PageQuery } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const mayWrite = actor.rights.has('messages:write')
    const [sent, drafts] = await Promise.all([
      listSent(database, actor, request.query.page ?? 1),
      mayWrite ? listDrafts(database, actor) : [],
    ])
    if (sent.page > sent.pages) throw new Problem('not-found')
    return sendPage(request, reply, 'citizen/sent', {
      title: wordsFor(request)('sent:title'),
      section: 'sent',
      letters: sent.letters,
      mayWrite,
      draftsCount: drafts.length,
      pagination: pagination('/sent', sent.page, sent.pages),
    })
  })

  scope.get('/sent/:id', { schema: { params: LetterParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const letter = await findOwn(database, actor, request.params.id)
    const thread = await readThread(database, actor, letter.threadId, clock())
    return sendPage(request, reply, 'citizen/sent-letter', {
      title: letter.subject,
      section: 'sent',
      letter: viewLetter(letter, '/letters', 2),
      recipientName: letter.recipientName,
      contact: letter.contact,
      openedAt: letter.openedAt,
      answeredAt: letter.answeredAt,
      conversation: viewConversation(thread, letter, '/letters'),
    })
  })

  scope.get('/sent/:id/confirmation', { schema: { params: LetterParams } }, async (request, reply) => {
    const letter = await findOwn(database, request.signedIn!.actor, request.params.id)
    return sendPage(request, reply, 'citizen/confirmation', {
      title: wordsFor(request)('sent:is-with', { name: letter.recipientName }),
      section: 'sent',
      letter,
      recipientName: letter.recipientName,
    })
  })
}

/** What the actor wrote. */
async function findOwn(database: Database, actor: Actor, id: string) {
  const letter = await find(database, actor, id)
  if (!letter.isSent) throw new Problem('not-found')
  return letter
}
