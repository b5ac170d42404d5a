import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { receiveLinkStatement } from '../registry/link-receive.ts'
import type { LinkRefusal } from '../registry/link-request.ts'
import { findLinkingService } from '../registry/link-services.ts'
import { answerPath, type Linking, type LinkTokenKind, openLinking, readLinkToken } from '../sign-in/link-token.ts'
import { type Surroundings, sendPage } from './page.ts'
import { wordsFor } from './words.ts'

declare module 'fastify' {
  interface FastifyInstance {
    linking: Linking
  }
}

/** Where the links of services go on: the person reads there what was said, and confirms. */
export const questionFolder = '/linked-services/answers'

/** What services send us, in browsers that come from their sites: without our cookie, and so without a session. */
export function registerLinking(app: FastifyInstance, { config, database, keys, clock }: Surroundings): void {
  const linking = openLinking(config)
  app.decorate('linking', linking)

  app.get('/linking/jwks.json', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').send(linking.publicKeys),
  )
  // Whoever gives up at the service comes back with nothing.
  app.get(answerPath, (_request, reply) => reply.redirect('/linked-services', 303))

  const receive = (kind: LinkTokenKind) => async (request: FastifyRequest, reply: FastifyReply) => {
    const token = ((request.body ?? {}) as Record<string, unknown>)[kind]
    if (typeof token !== 'string') return refuseLink(request, reply, { refused: 'unreadable' })
    const read = await readLinkToken(linking, kind, token, (slug) => findLinkingService(database, slug), clock())
    if ('refused' in read) return refuseLink(request, reply, { ...read, again: { kind, token } })
    const received = await receiveLinkStatement(database, keys, read.statement, clock())
    if ('refused' in received) return refuseLink(request, reply, { ...received, service: read.service })
    return reply.header('cache-control', 'no-store').redirect(`${questionFolder}/${received.code}`, 303)
  }
  app.post(answerPath, receive('answer'))
  app.post('/linking/offer', receive('offer'))
}

/** What has a title of its own; all others could not be linked. */
const titled: readonly LinkRefusal[] = ['keys-unreachable', 'old', 'used', 'other-session']

type Refusal = {
  refused: LinkRefusal
  service?: { slug: string; siteName: string } | undefined
  /** What may be sent once more, when it was not the token's fault. */
  again?: { kind: LinkTokenKind; token: string }
}

/** Notes in the log which service and why, and never who; and says what to do. */
export function refuseLink(request: FastifyRequest, reply: FastifyReply, { refused, service, again }: Refusal) {
  request.log.warn({ reason: refused, service: service?.slug }, 'a link was refused')
  const status = refused === 'keys-unreachable' ? 503 : refused === 'used' ? 409 : refused === 'other-session' ? 403 : 400
  const title = wordsFor(request)(titled.includes(refused) ? `linking:refused.title-${refused}` : 'linking:refused.title')
  const data = { title, refused, siteName: service?.siteName, again }
  return sendPage(request, reply, 'linking/refused', data, status)
}
