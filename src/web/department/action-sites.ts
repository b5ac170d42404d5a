import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requireRight } from '../../access/rights.ts'
import { Problem } from '../../problems.ts'
import { addActionHost, type HostsAsker, listActionHosts, removeActionHost } from '../../registry/action-hosts.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/sites'

/** Which sites buttons in letters may lead to: of the public body, and looked after by whoever manages systems. */
export function actionSitePages(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  const askerOf = (request: FastifyRequest): HostsAsker => {
    const { actor } = request.signedIn!
    requireRight(actor, 'systems:manage')
    return { organisationId: actor.partyId, name: actor.by.name }
  }
  const send = async (request: FastifyRequest, reply: FastifyReply, host = '', errors: FieldError[] = []) => {
    const hosts = await listActionHosts(database, askerOf(request))
    const title = wordsFor(request)('staff-sites:title')
    const data = { title, section: 'systems' as const, hosts, host, errors }
    return sendPage(request, reply, 'department/action-sites', data, errors.length > 0 ? 422 : 200)
  }

  app.get(folder, (request, reply) => send(request, reply))

  app.post(folder, async (request, reply) => {
    const posted = await readPosted(request)
    const host = posted.line('host')
    try {
      await addActionHost(database, askerOf(request), { host, demo: config.demo }, clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'host-not-allowed') throw error
      return send(request, reply, host, [{ field: 'host', text: wordsFor(request)('staff-sites:name-wrong') }])
    }
    return reply.redirect(folder, 303)
  })

  app.post(`${folder}/remove`, async (request, reply) => {
    const posted = await readPosted(request)
    await removeActionHost(database, askerOf(request), { host: posted.line('host') })
    return reply.redirect(folder, 303)
  })
}
