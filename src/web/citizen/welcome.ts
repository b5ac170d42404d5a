import type { FastifyInstance } from 'fastify'
import { noteWelcomed } from '../../sign-in/preferences.ts'
import { localPath } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkFormOfAnyMailbox } from '../session.ts'
import { wordsFor } from '../words.ts'

/** What this is, in one screen: shown after the first sign-in, until it was read. */
export function welcomePage(app: FastifyInstance, { database, clock }: Surroundings): void {
  app.get('/welcome', (request, reply) => {
    const to = localPath(request, '/inbox')
    const title = wordsFor(request)('welcome:title', { serviceName: request.server.serviceName })
    return sendPage(request, reply, 'citizen/welcome', { title, action: `/welcome?to=${encodeURIComponent(to)}` })
  })

  app.post('/welcome', { preHandler: checkFormOfAnyMailbox }, async (request, reply) => {
    await noteWelcomed(database, request.signedIn!.actor, clock())
    const { next } = request.body as { next?: unknown }
    return reply.redirect(next === 'contact' ? '/my-details/contact' : localPath(request, '/inbox'), 303)
  })
}
