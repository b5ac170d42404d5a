import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { findPayAccounts, payReach, removePayAccount, savePayAccount } from '../../mailbox/pay-account.ts'
import { Problem } from '../../problems.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { Slug } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/payments'
const Params = Type.Object({ service: Slug })

/** By which accounts at GOV.UK Pay services take payments. */
export function payAccountPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database } = surroundings
  app.get(folder, async (request, reply) => {
    const services = await ownServices(database, request)
    const accounts = await findPayAccounts(
      database,
      services.map(({ id }) => id),
    )
    return sendPage(request, reply, 'department/pay-accounts', {
      title: wordsFor(request)('staff-payments:title'),
      section: 'systems',
      services: services.map(({ id, name, slug }) => ({
        name,
        href: `${folder}/${slug}`,
        hasAccount: accounts.some(({ serviceId }) => serviceId === id),
      })),
    })
  })
  changing(app, surroundings)
}

async function ownServices(database: Database, request: FastifyRequest): Promise<Service[]> {
  const { actor } = request.signedIn!
  requireRight(actor, 'systems:manage')
  return listServices(database, { ids: servicesFor(actor, 'systems:manage') ?? [] })
}

/** One whose systems are another's to manage is not there. */
async function findService(database: Database, request: FastifyRequest): Promise<Service> {
  const { service: slug } = request.params as { service: string }
  const service = (await ownServices(database, request)).find((one) => one.slug === slug)
  if (service === undefined) throw new Problem('not-found')
  return service
}

function changing(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const send = async (request: FastifyRequest, reply: FastifyReply, service: Service, errors: FieldError[] = []) => {
    const [account] = await findPayAccounts(database, [service.id])
    const data = {
      title: wordsFor(request)('staff-payments:of', { service: service.name }),
      section: 'systems' as const,
      service,
      href: `${folder}/${service.slug}`,
      account,
      webhook: account && `${config.baseUrl}/pay/webhook/${account.id}`,
      errors,
    }
    return sendPage(request, reply, 'department/pay-account', data, errors.length > 0 ? 422 : 200)
  }

  scope.get(`${folder}/:service`, { schema: { params: Params } }, async (request, reply) =>
    send(request, reply, await findService(database, request)),
  )

  scope.post(`${folder}/:service`, { schema: { params: Params } }, async (request, reply) => {
    const posted = await readPosted(request)
    const service = await findService(database, request)
    const [token, webhookSecret] = [posted.line('token') || undefined, posted.line('webhookSecret') || undefined]
    if (token === undefined && webhookSecret === undefined) {
      return send(request, reply, service, [{ field: 'token', text: wordsFor(request)('staff-payments:missing') }])
    }
    try {
      const asker = { serviceId: service.id, name: request.signedIn!.actor.by.name }
      await savePayAccount(database, asker, { token, webhookSecret }, payReach(config), clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'pay-token-not-valid') throw error
      return send(request, reply, service, [{ field: 'token', text: wordsFor(request)('staff-payments:not-valid') }])
    }
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })

  scope.post(`${folder}/:service/remove`, { schema: { params: Params } }, async (request, reply) => {
    await readPosted(request)
    const service = await findService(database, request)
    await removePayAccount(database, { serviceId: service.id })
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })
}
