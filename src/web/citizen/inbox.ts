import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Database } from '../../database/connect.ts'
import { listInbox } from '../../mailbox/list.ts'
import { Problem } from '../../problems.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'

export function inboxPage(app: FastifyInstance, database: Database): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get('/inbox', { schema: { querystring: PageQuery } }, async (request, reply) => {
    const inbox = await listInbox(database, request.signedIn!.actor, request.query.page ?? 1)
    if (inbox.page > inbox.pages) throw new Problem('not-found')
    return sendPage(request, reply, 'citizen/inbox', {
      title: inbox.unread > 0 ? `Inbox (${inbox.unread} unread)` : 'Inbox',
      section: 'inbox',
      letters: inbox.letters,
      unread: inbox.unread,
      folder: '/letters',
      pagination: pagination('/inbox', inbox.page, inbox.pages),
    })
  })
}
