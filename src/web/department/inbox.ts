import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../database/connect.ts'
import { listInbox } from '../../mailbox/list.ts'
import { Problem } from '../../problems.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { wordsFor } from '../words.ts'
import { sectionsFor } from './sections.ts'

export function inboxPage(app: FastifyInstance, database: Database): void {
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get('/department', { schema: { querystring: PageQuery } }, async (request, reply) => {
      const { actor } = request.signedIn!
      if (!actor.rights.has('inbox:read')) return sendElsewhere(request, reply)
      const inbox = await listInbox(database, actor, request.query.page ?? 1)
      if (inbox.page > inbox.pages) throw new Problem('not-found')
      const t = wordsFor(request)
      return sendPage(request, reply, 'department/inbox', {
        title: inbox.unread > 0 ? t('staff-inbox:title-unread', { count: inbox.unread }) : t('shell:department.inbox'),
        section: 'inbox',
        letters: inbox.letters,
        unread: inbox.unread,
        folder: '/department/messages',
        pagination: pagination('/department', inbox.page, inbox.pages),
      })
    })
}

/** Who reads no post here begins where they have something to do. */
function sendElsewhere(request: FastifyRequest, reply: FastifyReply) {
  const [first] = sectionsFor(request.signedIn!.actor)
  if (first !== undefined) return reply.redirect(first.href, 303)
  return sendPage(request, reply, 'department/nothing', { title: wordsFor(request)('staff-inbox:nothing.title') })
}
