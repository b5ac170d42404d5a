import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { type Asker, changeWebhookSecret, removeWebhook, saveWebhook, switchWebhook } from '../../evidence/change-webhook.ts'
import { findWebhooks, listDeliveries } from '../../evidence/find-webhook.ts'
import { webhookReach } from '../../evidence/post-event.ts'
import { replayDeliveries } from '../../evidence/replay-deliveries.ts'
import type { Failure } from '../../evidence/webhook.ts'
import { Problem } from '../../problems.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { Slug } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/webhooks'
const Params = Type.Object({ service: Slug })
const deliveriesShown = 50
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where a service's systems are told of events, and what they have not taken. */
export function webhookPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database } = surroundings
  app.get(folder, async (request, reply) => {
    const services = await ownServices(database, request)
    const webhooks = await findWebhooks(
      database,
      services.map(({ id }) => id),
    )
    return sendPage(request, reply, 'department/webhooks', {
      title: wordsFor(request)('staff-webhooks:title'),
      section: 'systems',
      services: services.map(({ id, name, slug }) => ({
        name,
        href: `${folder}/${slug}`,
        webhook: webhooks.find(({ serviceId }) => serviceId === id),
      })),
    })
  })
  saving(app, surroundings)
  changingSecret(app, surroundings)
  ending(app, surroundings)
}

async function ownServices(database: Database, request: FastifyRequest): Promise<Service[]> {
  const { actor } = request.signedIn!
  requireRight(actor, 'systems:manage')
  return listServices(database, { ids: servicesFor(actor, 'systems:manage') ?? [] })
}

/** The service of the address, and who asks. One whose systems are another's to manage is not there. */
async function findService(database: Database, request: FastifyRequest): Promise<{ service: Service; asker: Asker }> {
  const { service: slug } = request.params as { service: string }
  const service = (await ownServices(database, request)).find((one) => one.slug === slug)
  if (service === undefined) throw new Problem('not-found')
  return { service, asker: { serviceId: service.id, name: request.signedIn!.actor.by.name } }
}

type Form = { url?: string; errors?: FieldError[] }

async function sendWebhook(
  database: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  service: Service,
  { url, errors = [] }: Form = {},
): Promise<FastifyReply> {
  const t = wordsFor(request)
  const [webhook] = await findWebhooks(database, [service.id])
  const asked = { state: 'dead', after: '0', limit: deliveriesShown } as const
  const dead = webhook?.dead ? await listDeliveries(database, [service.id], asked) : []
  const data = {
    title: t('staff-webhooks:of', { service: service.name }),
    section: 'systems' as const,
    service,
    href: `${folder}/${service.slug}`,
    webhook: webhook && { ...webhook, failure: failureInWords(webhook.failure, t) },
    url: url ?? webhook?.url ?? '',
    dead: dead.map((delivery) => ({
      ...delivery,
      type: t(`staff-webhooks:event.${delivery.type}`),
      failure: failureInWords(delivery.failure, t),
    })),
    errors,
  }
  return sendPage(request, reply, 'department/webhook', data, errors.length > 0 ? 422 : 200)
}

function failureInWords(failure: Failure | null, t: Translate): string {
  return failure === null ? '' : t(`staff-webhooks:failure.${failure.code}`, failure)
}

/** In the answer to the form itself: it is shown once, and to come back shows the webhook without it. */
function sendSecret(request: FastifyRequest, reply: FastifyReply, service: Service, secret: string, isNew: boolean) {
  const data = {
    title: wordsFor(request)('staff-webhooks:secret.title'),
    section: 'systems' as const,
    service,
    href: `${folder}/${service.slug}`,
    secret,
    isNew,
  }
  return sendPage(request, reply, 'department/webhook-secret', data)
}

function saving(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.get(`${folder}/:service`, { schema: { params: Params } }, async (request, reply) => {
    const { service } = await findService(database, request)
    return sendWebhook(database, request, reply, service)
  })

  scope.post(`${folder}/:service`, { schema: { params: Params } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { service, asker } = await findService(database, request)
    const url = posted.line('url')
    try {
      const { secret } = await saveWebhook(
        database,
        asker,
        { url, version: readVersion(posted.line('version')) },
        webhookReach(config),
        clock(),
      )
      if (secret !== undefined) return sendSecret(request, reply, service, secret, true)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'webhook-address-not-allowed') throw error
      const text = wordsFor(request)('staff-webhooks:address-wrong')
      return sendWebhook(database, request, reply, service, { url, errors: [{ field: 'url', text }] })
    }
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })
}

function changingSecret(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.post(`${folder}/:service/secret`, { schema: { params: Params } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { service, asker } = await findService(database, request)
    const version = readVersion(posted.line('version'))
    const { secret } = await changeWebhookSecret(database, asker, version, webhookReach(config).key, clock())
    return sendSecret(request, reply, service, secret, false)
  })
}

function ending(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.post(`${folder}/:service/switch`, { schema: { params: Params } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { service, asker } = await findService(database, request)
    await switchWebhook(database, asker, posted.line('to') === 'on', clock())
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })

  scope.post(`${folder}/:service/remove`, { schema: { params: Params } }, async (request, reply) => {
    await readPosted(request)
    const { service, asker } = await findService(database, request)
    await removeWebhook(database, asker)
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })

  scope.post(`${folder}/:service/replay`, { schema: { params: Params } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { service } = await findService(database, request)
    const id = posted.line('delivery')
    if (id !== 'all' && !uuid.test(id)) throw new Problem('not-found')
    await replayDeliveries(database, [service.id], id === 'all' ? 'all' : { id }, clock())
    return reply.redirect(`${folder}/${service.slug}`, 303)
  })
}

/** Of the webhook that the form showed; 0 where it showed none. */
function readVersion(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : 0
}
