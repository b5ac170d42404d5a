import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { answerLink, readLink } from '../alerts/answer-link.ts'
import { contactOptions } from '../alerts/contact-detail.ts'
import { type Surroundings, sendPage } from './page.ts'
import { wordsFor } from './words.ts'

/**
 * Where the link in an email leads, for whoever reads that email, signed in or not. Programs that look into mail follow links: so a link
 * changes nothing before its button is pressed. What the link holds is the proof, and needs no token of a session beside it.
 */
export function confirmEmailPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const { keys } = contactOptions(config)
  const schema = { params: Type.Object({ token: Type.String({ pattern: '^[\\w-]{43}$' }) }) }

  scope.get('/confirm-email/:token', { schema }, async (request, reply) => {
    const address = await readLink(database, keys, request.params.token, clock())
    const t = wordsFor(request)
    const title = t(address === undefined ? 'confirm-email:ended.title' : 'confirm-email:title')
    return sendPage(request, reply, 'confirm-email', { title, address, token: request.params.token }, address ? 200 : 404)
  })

  scope.post('/confirm-email/:token', { schema }, async (request, reply) => {
    const { answer } = (request.body ?? {}) as { answer?: unknown }
    if (answer !== 'yes' && answer !== 'no') return reply.redirect(`/confirm-email/${request.params.token}`, 303)
    const isTheirs = answer === 'yes'
    const isDone = await answerLink(database, keys, { token: request.params.token, isTheirs }, clock())
    const t = wordsFor(request)
    const outcome = !isDone ? 'ended' : isTheirs ? 'confirmed' : 'refused'
    return sendPage(request, reply, 'confirm-email', { title: t(`confirm-email:${outcome}.title`), outcome }, isDone ? 200 : 404)
  })
}
