import type { FastifyInstance } from 'fastify'
import type { Database } from '../../database/connect.ts'
import { listFolder } from '../../mailbox/list.ts'
import { sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { folderHref, folderName } from './folder-view.ts'

/** All that does not fit on a phone's bar; and which keys do what. */
export function morePages(app: FastifyInstance, database: Database): void {
  app.get('/more', async (request, reply) => {
    const { actor, openMailbox } = request.signedIn!
    const t = wordsFor(request)
    const mayRead = actor.rights.has('inbox:read')
    const listed = mayRead ? await listFolder(database, actor, { folder: 'inbox' }) : undefined
    const fixed = (id: string) => ({
      href: folderHref(id),
      name: folderName(t, [], id),
      depth: 0,
      unread: listed?.unreadIn[id] ?? 0,
    })
    const own = (listed?.folders ?? []).map(({ id, name, depth }) => {
      return { href: folderHref(id), name, depth, unread: listed?.unreadIn[id] ?? 0 }
    })
    return sendPage(request, reply, 'citizen/more', {
      title: t('folders:more.title'),
      section: 'more',
      folders: mayRead ? [fixed('inbox'), fixed('archive'), ...own, fixed('bin')] : [],
      mayWrite: actor.rights.has('messages:write'),
      managesPeople: openMailbox?.isBusiness === true && actor.rights.has('grants:manage'),
    })
  })

  app.get('/shortcuts', async (request, reply) => {
    return sendPage(request, reply, 'citizen/shortcuts', {
      title: wordsFor(request)('folders:shortcuts.title'),
      section: 'more',
    })
  })
}
