import type { FastifyInstance } from 'fastify'
import type { Delivered } from '../alerts/notify-stand-in.ts'
import { sendPage } from './page.ts'

/** What the stand-in for GOV.UK Notify would have sent, so that a demo’s codes can be read. In demo only. */
export function registerOutbox(app: FastifyInstance, delivered: () => readonly Delivered[]): void {
  app.get('/demo/outbox', (request, reply) =>
    sendPage(request, reply, 'stand-in/outbox', { title: 'Messages that this demo has sent', messages: delivered() }),
  )
}
