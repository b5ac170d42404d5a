import type { FastifyInstance } from 'fastify'
import { sendPage } from '../page.ts'

export function startPage(app: FastifyInstance): void {
  app.get('/', async (request, reply) => {
    const role = request.signedIn?.role
    if (role !== undefined) return reply.redirect(role === 'staff' ? '/department' : '/inbox', 303)
    return sendPage(request, reply, 'citizen/start', { title: 'Your official post, in one place' })
  })
}
