import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import { find, readThread } from '../../mailbox/find.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { listSent } from '../../mailbox/list.ts'
import { Problem } from '../../problems.ts'
import { listServices } from '../../registry/services.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'

export function sentPages(app: FastifyInstance, database: Database, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/sent', { schema: { querystring: PageQuery } }, async (request, reply) => {
    const sent = await listSent(database, request.signedIn!.actor, request.query.page ?? 1)
    if (sent.page > sent.pages) throw new Problem('not-found')
    return sendPage(request, reply, 'citizen/sent', {
      title: 'Sent',
      section: 'sent',
      letters: sent.letters,
      pagination: pagination('/sent', sent.page, sent.pages),
    })
  })

  scope.get('/sent/:id', { schema: { params: LetterParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { letter, organisationName } = await findOwn(database, actor, request.params.id)
    const thread = await readThread(database, actor, letter.threadId, clock())
    return sendPage(request, reply, 'citizen/sent-letter', {
      title: letter.subject,
      section: 'sent',
      letter: viewLetter(letter, '/letters', 2),
      organisationName,
      contact: letter.contact,
      openedAt: letter.openedAt,
      conversation: viewConversation(thread, letter, '/letters'),
    })
  })

  scope.get('/sent/:id/confirmation', { schema: { params: LetterParams } }, async (request, reply) => {
    const { letter, organisationName } = await findOwn(database, request.signedIn!.actor, request.params.id)
    return sendPage(request, reply, 'citizen/confirmation', {
      title: `Your message is with ${organisationName}`,
      section: 'sent',
      letter,
      organisationName,
    })
  })
}

/** What the actor wrote, and the public body that it went to. */
async function findOwn(database: Database, actor: Actor, id: string): Promise<{ letter: Letter; organisationName: string }> {
  const letter = await find(database, actor, id)
  if (!letter.isSent) throw new Problem('not-found')
  const [service] = await listServices(database, { ids: [letter.serviceId] })
  return { letter, organisationName: service?.organisationName ?? letter.serviceName }
}
