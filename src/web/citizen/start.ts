import type { FastifyInstance } from 'fastify'
import { sendPage } from '../page.ts'
import { homeOf } from '../session.ts'
import { wordsFor } from '../words.ts'

export function startPage(app: FastifyInstance): void {
  app.get('/', async (request, reply) => {
    if (request.signedIn !== undefined) return reply.redirect(homeOf(request.signedIn), 303)
    return sendPage(request, reply, 'citizen/start', { title: wordsFor(request)('start:title') })
  })
}
