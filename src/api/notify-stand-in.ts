import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { NotifyStandIn } from '../alerts/notify-stand-in.ts'

/** GOV.UK Notify, where none is configured: the same API, so that what a demo does is what an installation does. */
export function registerNotifyStandIn(app: FastifyInstance, standIn: NotifyStandIn, clock: () => Date): void {
  const folder = '/demo/notify/v2/notifications'
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    const refused = await standIn.refuse(request.headers.authorization, clock())
    if (refused) return reply.code(refused.status).send(refused.body)
  }
  const options = { preHandler: refuse, schema: { hide: true } }
  for (const [path, kind] of [['email', 'email'] as const, ['sms', 'mobile'] as const]) {
    app.post(`${folder}/${path}`, options, (request, reply) => {
      const { status, body } = standIn.send(kind, request.body, clock())
      return reply.code(status).send(body)
    })
  }
  app.get(folder, options, (request, reply) => {
    const { status, body } = standIn.find((request.query as { reference?: string }).reference)
    return reply.code(status).send(body)
  })
}
