import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import type { Config } from '../config.ts'
import { buildOneLoginStandIn } from '../sign-in/one-login-stand-in.ts'
import { buildStaffStandIn } from '../sign-in/staff-stand-in.ts'
import { type Choice, resultOf, type StandIn, type StandInPerson, type StandInStaff } from '../sign-in/stand-in.ts'
import { sendPage } from './page.ts'

export type StandInOptions = { config: Config; people: readonly StandInPerson[]; staff: readonly StandInStaff[] }

/** The stand-ins for the providers that are not configured. In demo only: elsewhere building one throws. */
export function registerStandIns(app: FastifyInstance, { config, people, staff }: StandInOptions): void {
  if (config.oneLogin.issuer === undefined) mount(app, buildOneLoginStandIn(config, people), 'GOV.UK One Login')
  if (config.staff.issuer === undefined) mount(app, buildStaffStandIn(config, staff), 'your organisation’s sign-in')
}

function mount(app: FastifyInstance, standIn: StandIn, standsFor: string): void {
  const { provider, path, documents, userAgentPaths } = standIn
  provider.on('server_error', (_ctx, error) => app.log.error({ error: error.message }, 'a stand-in failed'))
  choose(app, standIn, standsFor)

  const answer = provider.callback()
  app.register(async (scope) => {
    // The provider reads bodies itself.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.all(`${path}/*`, (request, reply) => {
      const { raw } = request
      const within = raw.url!.slice(path.length)
      const [name = ''] = within.split('?')
      if (userAgentPaths.includes(name) && !request.headers['user-agent']) return reply.code(403).send({ message: 'Forbidden' })
      if (Object.hasOwn(documents, name)) return reply.header('cache-control', 'max-age=3600, private').send(documents[name])
      // Where the provider finds its own address from.
      Object.assign(raw, { originalUrl: raw.url, url: within })
      reply.hijack()
      return answer(raw, reply.raw)
    })
  })
}

/** The pages on which one says who one is, and whether one's identity is proven. */
function choose(app: FastifyInstance, standIn: StandIn, standsFor: string): void {
  const { provider, path, accounts } = standIn
  const page = `${path}/interaction/:uid`

  const lost = (request: FastifyRequest, reply: FastifyReply, error: unknown) => {
    if (!(error instanceof errors.SessionNotFound)) throw error
    return sendPage(request, reply, 'stand-in/lost', { title: 'This sign-in has ended' }, 400)
  }

  app.get(page, async (request, reply) => {
    try {
      const { prompt, session } = await provider.interactionDetails(request.raw, reply.raw)
      const name = accounts.find(({ id }) => id === session?.accountId)?.name
      if (prompt.name === 'identity') {
        return sendPage(request, reply, 'stand-in/prove', { title: 'Prove your identity', standsFor, name })
      }
      return sendPage(request, reply, 'stand-in/pick', { title: 'Choose who to sign in as', standsFor, accounts })
    } catch (error) {
      return lost(request, reply, error)
    }
  })

  app.post(page, async (request, reply) => {
    try {
      const result = resultOf(standIn, (request.body ?? {}) as Choice)
      if (result === undefined) return reply.redirect(request.url, 303)
      return reply.redirect(await provider.interactionResult(request.raw, reply.raw, result), 303)
    } catch (error) {
      return lost(request, reply, error)
    }
  })
}
