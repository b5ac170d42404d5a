import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { payReach } from '../mailbox/pay-account.ts'
import { takePayWebhook } from '../mailbox/take-pay-webhook.ts'
import { Problem } from '../problems.ts'

export const payWebhookFolder = '/pay/webhook'

/** Far more than a payment takes. */
const bodyBytesMax = 64 * 1024
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where GOV.UK Pay tells what became of payments. Not in the OpenAPI: it is Pay's, and not the senders'. */
export function registerPayWebhook(
  app: FastifyInstance,
  { config, database, clock }: { config: Config; database: Database; clock: () => Date },
): void {
  const reach = payReach(config)
  app.register(async (door) => {
    // The signature is over the bytes.
    door.removeAllContentTypeParsers()
    door.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    door.post(`${payWebhookFolder}/:account`, { bodyLimit: bodyBytesMax }, async (request, reply) => {
      const { account: accountId } = request.params as { account: string }
      const { 'pay-signature': signature } = request.headers
      if (!uuid.test(accountId) || typeof signature !== 'string') throw new Problem('not-found')
      const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
      await takePayWebhook(database, { accountId, signature, body }, reach, clock())
      return reply.code(200).send()
    })
  })
}
