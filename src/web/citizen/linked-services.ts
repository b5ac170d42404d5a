import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../problems.ts'
import { askForLink } from '../../registry/link-ask.ts'
import { askToJoin, confirmLink, declineLink, type LinkQuestion, readLinkQuestion } from '../../registry/link-confirm.ts'
import { endLink } from '../../registry/link-end.ts'
import type { Refused } from '../../registry/link-request.ts'
import {
  findLink,
  findLinkingService,
  type LinkingService,
  listLinkingServices,
  listLinks,
} from '../../registry/link-services.ts'
import { requestAddress } from '../../sign-in/link-token.ts'
import { Slug } from '../address.ts'
import { questionFolder, refuseLink } from '../linking.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'

/** Which services may write to this person, by which of their identifiers; to link one, and to unlink it. */
export function linkedServicesPages(app: FastifyInstance, surroundings: Surroundings): void {
  app.register(async (scope) => {
    // Links are the owner's alone: who helps is told so, and how to get to their own.
    scope.addHook('preHandler', async (request, reply) => {
      if (request.signedIn?.actor.rights.has('links:manage')) return
      return sendPage(
        request,
        reply,
        'citizen/linked-services-not-yours',
        { title: wordsFor(request)('linking:not-yours.title'), section: 'my-details' },
        403,
      )
    })
    listPage(scope, surroundings)
    linkPages(scope, surroundings)
    questionPages(scope, surroundings)
    unlinkPages(scope, surroundings)
  })
}

const outcomes = ['linked', 'unlinked', 'declined', 'joined']

function listPage(app: FastifyInstance, { database, keys }: Surroundings): void {
  const Query = Type.Object({ done: Type.Optional(Type.String()) })
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.get('/linked-services', { schema: { querystring: Query } }, async (request, reply) => {
    const { done = '' } = request.query
    const t = wordsFor(request)
    return sendPage(request, reply, 'citizen/linked-services', {
      title: t('linking:list.title'),
      section: 'my-details',
      links: await listLinks(database, keys, request.signedIn!.actor),
      services: await listLinkingServices(database),
      done: outcomes.includes(done) ? t(`linking:outcome.${done}`) : undefined,
    })
  })
}

/** From inside the mailbox: to the service, with our request. */
function linkPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: Type.Object({ slug: Slug }) }
  const find = async (slug: string): Promise<LinkingService> => {
    const service = await findLinkingService(database, slug)
    if (service === undefined) throw new Problem('not-found')
    return service
  }

  scope.get('/linked-services/link/:slug', { schema }, async (request, reply) => {
    const service = await find(request.params.slug)
    allowFormTo(reply, service.address)
    const title = wordsFor(request)('linking:start.title', { service: service.name })
    return sendPage(request, reply, 'citizen/link-service', { title, section: 'my-details', service })
  })

  scope.post('/linked-services/link/:slug', { schema, preHandler: checkForm }, async (request, reply) => {
    const service = await find(request.params.slug)
    const { actor } = request.signedIn!
    const now = clock()
    const nonce = await askForLink(database, actor, { serviceId: service.id }, now)
    const address = await requestAddress(scope.linking, service, { partyId: actor.partyId, nonce }, now)
    return reply.header('cache-control', 'no-store').redirect(address.href, 303)
  })
}

/** Chromium asks form-action about where a form's answer redirects to as well. */
function allowFormTo(reply: FastifyReply, address: string): void {
  const policy = String(reply.getHeader('content-security-policy'))
  reply.header('content-security-policy', policy.replace("form-action 'self'", `form-action 'self' ${new URL(address).origin}`))
}

/** What a service has said: the person reads it, and says yes or no. */
function questionPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const params = Type.Object({ code: Type.String({ pattern: '^[\\w-]{43}$' }) })

  scope.get(`${questionFolder}/:code`, { schema: { params } }, async (request, reply) => {
    const question = await readLinkQuestion(database, keys, request.signedIn!.actor, request.params.code, clock())
    return showQuestion(request, reply, question)
  })

  const body = Type.Object({ decision: Type.Optional(Type.Enum(['yes', 'no'])) })
  const schema = { params, body }
  scope.post(`${questionFolder}/:code`, { schema, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { code } = request.params
    if (request.body.decision === 'no') {
      const refused = await declineLink(database, actor, code, clock())
      return refused ? refuseLink(request, reply, refused) : reply.redirect('/linked-services?done=declined', 303)
    }
    if (request.body.decision === 'yes')
      return showQuestion(request, reply, await confirmLink(database, keys, actor, code, clock()))
    const question = await readLinkQuestion(database, keys, actor, code, clock())
    const text = wordsFor(request)('linking:confirm.missing')
    return showQuestion(request, reply, question, [{ field: 'decision', text }])
  })

  scope.post(`${questionFolder}/:code/join`, { schema: { params }, preHandler: checkForm }, async (request, reply) => {
    const refused = await askToJoin(database, request.signedIn!.actor, request.params.code, clock())
    return refused ? refuseLink(request, reply, refused) : reply.redirect('/sign-in/join', 303)
  })
}

function showQuestion(
  request: FastifyRequest,
  reply: FastifyReply,
  question: LinkQuestion | Refused,
  errors: { field: string; text: string }[] = [],
) {
  if ('refused' in question) return refuseLink(request, reply, question)
  const { outcome, serviceName, organisationName } = question
  if (outcome === 'linked') return reply.redirect('/linked-services?done=linked', 303)
  const { code } = request.params as { code: string }
  const t = wordsFor(request)
  const data = { ...question, section: 'my-details' as const, errors, action: `${questionFolder}/${code}` }
  if (outcome === 'confirm') {
    const title = t('linking:confirm.title', { organisation: organisationName, service: serviceName })
    return sendPage(request, reply, 'citizen/confirm-link', { ...data, title }, errors.length > 0 ? 422 : 200)
  }
  request.log.warn({ reason: outcome }, 'a link was refused')
  const title = t(outcome === 'taken' ? 'linking:taken.title' : 'linking:taken.title-two')
  return sendPage(request, reply, 'citizen/link-taken', { ...data, title }, 409)
}

function unlinkPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: Type.Object({ id: Type.String({ format: 'uuid' }) }) }

  scope.get('/linked-services/unlink/:id', { schema }, async (request, reply) => {
    const link = await findLink(database, keys, request.signedIn!.actor, request.params.id)
    return sendPage(request, reply, 'citizen/unlink-service', {
      title: wordsFor(request)('linking:unlink.title', { service: link.serviceName }),
      section: 'my-details',
      link,
    })
  })

  scope.post('/linked-services/unlink/:id', { schema, preHandler: checkForm }, async (request, reply) => {
    await endLink(database, request.signedIn!.actor, { linkId: request.params.id }, clock())
    return reply.redirect('/linked-services?done=unlinked', 303)
  })
}
