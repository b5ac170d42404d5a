import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { stateOf } from '../../access/grant.ts'
import { listHeld } from '../../access/list-grants.ts'
import { Problem } from '../../problems.ts'
import { openMailbox } from '../../sign-in/session.ts'
import { viewGrant } from '../grant-words.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkFormOfAnyMailbox, sessionCookies } from '../session.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** One's own mailbox, and those that one may open for others. */
export function mailboxPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const cookie = sessionCookies(config.baseUrl).person

  scope.get('/mailboxes', async (request, reply) => {
    const { actor, openMailbox: open } = request.signedIn!
    const now = clock()
    const held = await listHeld(database, actor)
    const openable = held.filter((grant) => ['active', 'not-begun'].includes(stateOf(grant, now)))
    return sendPage(request, reply, 'citizen/mailboxes', {
      title: 'Mailboxes',
      section: 'mailboxes',
      isInOwn: open === undefined,
      mayManageHelpers: open === undefined,
      others: openable.map((grant) => ({
        ...viewGrant(grant, stateOf(grant, now)),
        isOpen: open?.grantId === grant.id,
        startsAt: grant.startsAt > now ? grant.startsAt : undefined,
      })),
    })
  })

  /** Back to the own from anywhere: the same form, of whichever mailbox is open. */
  scope.post('/mailboxes/open', { preHandler: checkFormOfAnyMailbox }, async (request, reply) => {
    const { grant } = request.body as { grant?: unknown }
    if (grant !== undefined && !(typeof grant === 'string' && uuid.test(grant))) throw new Problem('not-found')
    await openMailbox(database, request.cookies[cookie.name]!, grant, clock())
    return reply.redirect('/', 303)
  })
}
