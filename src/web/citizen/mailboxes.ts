import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { stateOf } from '../../access/grant.ts'
import { listClients, listHeld } from '../../access/list-grants.ts'
import { Problem } from '../../problems.ts'
import { openMailbox } from '../../sign-in/session.ts'
import { viewGrant } from '../grant-words.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { checkFormOfAnyMailbox, sessionCookies } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** One's own mailbox, and those that one may open for others, or through a firm that one works for. */
export function mailboxPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const cookie = sessionCookies(config.baseUrl).person

  scope.get('/mailboxes', { schema: { querystring: PageQuery } }, async (request, reply) => {
    const { actor, openMailbox: open } = request.signedIn!
    const now = clock()
    const language = languageOf(request)
    const [held, { clients, page, pages }] = await Promise.all([
      listHeld(database, actor),
      listClients(database, actor, request.query.page ?? 1, now),
    ])
    if (page > pages) throw new Problem('not-found')
    const openable = held.filter((grant) => ['active', 'not-begun'].includes(stateOf(grant, now)))
    return sendPage(request, reply, 'citizen/mailboxes', {
      title: wordsFor(request)('mailboxes:title'),
      section: 'mailboxes',
      isInOwn: open === undefined,
      mayManageHelpers: open === undefined,
      others: openable.map((grant) => ({
        ...viewGrant(grant, stateOf(grant, now), language),
        isOpen: open?.grantId === grant.id && open.viaGrantId === null,
        startsAt: grant.startsAt > now ? grant.startsAt : undefined,
      })),
      clients: clients.map((client) => ({
        ...viewGrant(client, 'active', language),
        viaGrantId: client.viaGrantId,
        isOpen: open?.grantId === client.id && open.viaGrantId === client.viaGrantId,
      })),
      pagination: pagination('/mailboxes', page, pages),
    })
  })

  /** Back to the own from anywhere: the same form, of whichever mailbox is open. */
  scope.post('/mailboxes/open', { preHandler: checkFormOfAnyMailbox }, async (request, reply) => {
    const { grant, via } = request.body as { grant?: unknown; via?: unknown }
    const [grantId, viaGrantId] = [readId(grant), readId(via)]
    await openMailbox(database, request.cookies[cookie.name]!, grantId ? { grantId, viaGrantId } : undefined, clock())
    return reply.redirect('/', 303)
  })
}

function readId(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && uuid.test(value))) return value
  throw new Problem('not-found')
}
