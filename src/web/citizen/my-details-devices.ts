import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Device } from '../../sign-in/device.ts'
import { endOtherSessions, endOwnSession, listSessions } from '../../sign-in/own-sessions.ts'
import { LetterParams } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { type Translate, wordsFor } from '../words.ts'

const outcomes = ['ended', 'ended-others'] as const

/** Where the person is signed in, and signing out there. */
export function devicePages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const address = '/my-details/devices'

  scope.get(address, async (request, reply) => {
    const { actor, id } = request.signedIn!
    const { done } = request.query as { done?: string }
    const t = wordsFor(request)
    const sessions = (await listSessions(database, actor, config, clock())).map((session) => ({
      ...session,
      name: nameOf(session.device, t),
      isThis: session.id === id,
    }))
    return sendPage(request, reply, 'citizen/my-details-devices', {
      title: t('devices:title'),
      section: 'my-details',
      // The one that asks stands first.
      sessions: sessions.sort((one, other) => Number(other.isThis) - Number(one.isThis)),
      idleMinutes: config.sessionIdleMinutes,
      done: outcomes.find((outcome) => outcome === done),
    })
  })

  scope.post(`${address}/:id/sign-out`, { preHandler: checkForm, schema: { params: LetterParams } }, async (request, reply) => {
    await endOwnSession(database, request.signedIn!.actor, request.params.id)
    return reply.redirect(`${address}?done=ended`, 303)
  })

  scope.post(`${address}/sign-out-others`, { preHandler: checkForm }, async (request, reply) => {
    const { actor, id } = request.signedIn!
    await endOtherSessions(database, actor, id)
    return reply.redirect(`${address}?done=ended-others`, 303)
  })
}

function nameOf({ browser, system }: Device, t: Translate): string {
  if (browser && system) return t('devices:browser-on-system', { browser, system })
  return browser ?? system ?? t('devices:unknown')
}
