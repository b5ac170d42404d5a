import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { openPayAccount, payReach } from '../mailbox/pay-account.ts'
import { signBody } from '../mailbox/pay-api.ts'
import { buildPayStandIn, type StandInEnd } from '../mailbox/pay-stand-in.ts'
import { Problem } from '../problems.ts'
import { poundsInWords } from './action-view.ts'
import { sendPage } from './page.ts'

const pagesFolder = '/pay-stand-in'
const ends: readonly StandInEnd[] = ['success', 'failed', 'cancelled']

type Options = { config: Config; database: Database; clock: () => Date }

/** Stands in for GOV.UK Pay where no other is configured: its API, its page to pay, its webhook. In demo only: elsewhere this throws. */
export function registerPayStandIn(app: FastifyInstance, { config, database, clock }: Options): void {
  if (!config.demo) throw new Error('the stand-in for GOV.UK Pay exists in demo only')
  if (!config.pay.isStandIn) return
  const standIn = buildPayStandIn()
  const reach = payReach(config)
  const pages = `${config.baseUrl}${pagesFolder}`

  /** Whose token it is. */
  const accountOf = async (token: string) => {
    const accounts = await readWithin<{ id: string }>(database, { purpose: 'paying' }, database`select id from pay_account`)
    for (const { id } of accounts) {
      const account = await openPayAccount(database, { accountId: id }, reach)
      if (account?.token === token) return { id, ...account }
    }
    return undefined
  }
  const tokenOf = ({ headers }: FastifyRequest) => (headers.authorization ?? '').replace(/^Bearer /, '')

  app.post('/demo/pay/v1/payments', async (request, reply) => {
    const token = tokenOf(request)
    if ((await accountOf(token)) === undefined)
      return reply.code(401).send({ code: 'P0900', description: 'Credentials are required' })
    const payment = standIn.create(token, request.body, clock())
    if (payment === undefined) return reply.code(422).send({ code: 'P0102', description: 'Invalid attribute value' })
    return reply.code(201).send(standIn.tell(payment, pages))
  })

  app.get('/demo/pay/v1/payments/:id', async (request, reply) => {
    const payment = standIn.find((request.params as { id: string }).id)
    if (payment === undefined || payment.token !== tokenOf(request)) {
      return reply.code(404).send({ code: 'P0200', description: 'paymentId not found' })
    }
    return reply.send(standIn.tell(payment, pages))
  })

  app.get(`${pagesFolder}/:id`, async (request, reply) => {
    const payment = standIn.find((request.params as { id: string }).id)
    if (payment === undefined) throw new Problem('not-found')
    const { amount, description, reference, state, returnUrl } = payment
    const data = {
      title: 'Enter card details',
      amount: poundsInWords(amount),
      description,
      reference,
      isOver: state.finished,
      returnUrl,
    }
    return sendPage(request, reply, 'stand-in/pay', data)
  })

  app.post(`${pagesFolder}/:id`, async (request, reply) => {
    const { end } = (request.body ?? {}) as { end?: StandInEnd }
    const id = (request.params as { id: string }).id
    const payment = end !== undefined && ends.includes(end) ? standIn.end(id, end) : standIn.find(id)
    if (payment === undefined) throw new Problem('not-found')
    const account = await accountOf(payment.token)
    if (account?.webhookSecret !== undefined) {
      const body = Buffer.from(JSON.stringify(standIn.message(payment, pages, clock())))
      const headers = { 'content-type': 'application/json', 'pay-signature': signBody(account.webhookSecret, body) }
      // As theirs: nobody waits for it, and who comes back is asked about anyway.
      fetch(`${config.baseUrl}/pay/webhook/${account.id}`, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(5_000),
      }).catch(() => app.log.warn('the stand-in for GOV.UK Pay could not tell of a payment'))
    }
    return reply.redirect(payment.returnUrl, 303)
  })
}
