import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Database } from '../../database/connect.ts'
import { listInbox } from '../../mailbox/list.ts'
import { countDue } from '../../mailbox/list-actions.ts'
import { Problem } from '../../problems.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'

export function inboxPage(app: FastifyInstance, database: Database, clock: () => Date): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get('/inbox', { schema: { querystring: PageQuery } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const [inbox, due] = await Promise.all([
      listInbox(database, actor, request.query.page ?? 1),
      countDue(database, actor, clock()),
    ])
    if (inbox.page > inbox.pages) throw new Problem('not-found')
    return sendPage(request, reply, 'citizen/inbox', {
      title: inbox.unread > 0 ? `Inbox (${inbox.unread} unread)` : 'Inbox',
      section: 'inbox',
      due,
      letters: inbox.letters,
      unread: inbox.unread,
      folder: '/letters',
      pagination: pagination('/inbox', inbox.page, inbox.pages),
    })
  })
}
