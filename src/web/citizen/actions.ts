import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isWaiting, wayOf } from '../../documents/action.ts'
import { checkPayment } from '../../mailbox/check-payment.ts'
import { findAction } from '../../mailbox/find-action.ts'
import { type ListedAction, listActions, listDone } from '../../mailbox/list-actions.ts'
import { payReach } from '../../mailbox/pay-account.ts'
import { startPayment } from '../../mailbox/start-payment.ts'
import { takeAction } from '../../mailbox/take-action.ts'
import { visitAction } from '../../mailbox/visit-action.ts'
import { readState } from '../../mailbox/watch-mailboxes.ts'
import { Problem } from '../../problems.ts'
import { readerOf, stateWord, viewAction } from '../action-view.ts'
import { nameOf, writeCalendar } from '../calendar.ts'
import { timeInWords } from '../dates.ts'
import { disposition, refuseOtherSites } from '../download.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'

const Params = Type.Object({ id: Type.String({ format: 'uuid' }), actionId: Type.String({ format: 'uuid' }) })
const List = Type.Object({
  show: Type.Optional(Type.Literal('done')),
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
})
const address = '/to-do/:id/:actionId'
type Asked = { id: string; actionId: string }

const askedOf = (request: FastifyRequest) => {
  const { id, actionId } = request.params as Asked
  return { messageId: id, actionId }
}
const hrefOf = ({ messageId, actionId }: { messageId: string; actionId: string }) => `/to-do/${messageId}/${actionId}`

/** What letters ask to do: the list across all senders, and each on a page of its own. */
export function actionPages(app: FastifyInstance, surroundings: Surroundings): void {
  listing(app, surroundings)
  acting(app, surroundings)
  paying(app, surroundings)
}

const groups = ['overdue', 'soon', 'later', 'undated'] as const

function listing(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.get('/to-do', { schema: { querystring: List } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const [now, t] = [clock(), wordsFor(request)]
    const reader = readerOf(request, now)
    const view = (listed: ListedAction) => ({ ...viewAction(listed, listed.messageId, reader), ...senderOf(listed) })
    // Before the list: what changes meanwhile is asked for again.
    const state = await readState(database, actor)
    const page = { title: t('to-do:title'), section: 'to-do' as const, mayHaveCalendar: actor.by.kind === 'owner', state }
    if (request.query.show === 'done') {
      const number = request.query.page ?? 1
      const { actions, hasMore } = await listDone(database, actor, number)
      if (number > 1 && actions.length === 0) throw new Problem('not-found')
      const href = (to: number) => `/to-do?show=done&page=${to}`
      return sendPage(request, reply, 'citizen/to-do', {
        ...page,
        isDone: true,
        groups: [{ actions: actions.map(view) }],
        older: hasMore ? href(number + 1) : undefined,
        newer: number > 1 ? href(number - 1) : undefined,
      })
    }
    const { waiting, coming } = await listActions(database, actor, now)
    const shown = [
      ...groups.map((group) => ({ id: group, name: t(`to-do:groups.${group}`), actions: waiting[group].map(view) })),
      { id: 'coming', name: t('to-do:groups.coming'), actions: coming.map(view) },
    ]
    return sendPage(request, reply, 'citizen/to-do', {
      ...page,
      isDone: false,
      groups: shown.filter(({ actions }) => actions.length > 0),
    })
  })
}

const senderOf = ({ senderName, serviceName }: ListedAction) => ({ senderName, serviceName })

async function sendAction(
  { database, clock }: Surroundings,
  request: FastifyRequest,
  reply: FastifyReply,
  { isUnavailable = false }: { isUnavailable?: boolean } = {},
): Promise<FastifyReply> {
  const now = clock()
  const { actor } = request.signedIn!
  const state = await readState(database, actor)
  const { letter, action } = await findAction(database, actor, askedOf(request), now)
  const reader = readerOf(request, now)
  const view = viewAction(action, letter.id, reader)
  const { said } = action
  const document = said.document === undefined ? undefined : letter.documents[said.document]
  const isOver = !isWaiting(action) && ['payment', 'appointment', 'declaration'].includes(wayOf(said))
  const data = {
    title: view.label,
    section: 'to-do' as const,
    state,
    action: view,
    letter: { href: `/letters/${letter.id}`, subject: letter.subject, sender: letter.senderName, service: letter.serviceName },
    said,
    // Technical documents are not shown to people.
    document: document && document.role !== 'technical' ? document : undefined,
    outcome: isOver
      ? {
          title: reader.t(`to-do:states.${stateWord(action)}`),
          time: timeInWords(action.stateAt, reader.language),
          isGood: action.state === 'done',
        }
      : undefined,
    isPaymentUnderWay: wayOf(said) === 'payment' && action.state === 'started',
    hasPaymentFailed: action.state === 'failed',
    isUnavailable,
    mayAct: reader.mayAct,
  }
  return sendPage(request, reply, 'citizen/action', data, isUnavailable ? 503 : 200)
}

function acting(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, config, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.get(address, { schema: { params: Params } }, (request, reply) => sendAction(surroundings, request, reply))

  scope.post(address, { schema: { params: Params } }, async (request, reply) => {
    await checkForm(request)
    const asked = askedOf(request)
    const { event } = (request.body ?? {}) as { event?: unknown }
    if (event !== 'complete' && event !== 'decline' && event !== 'undo') throw new Problem('action-not-possible')
    try {
      await takeAction(database, request.signedIn!.actor, { ...asked, event }, clock())
    } catch (error) {
      // The page shows what became of it meanwhile.
      if (!isPassedOver(error)) throw error
    }
    return reply.redirect(hrefOf(asked), 303)
  })

  scope.get(`${address}/go`, { schema: { params: Params } }, async (request, reply) => {
    refuseOtherSites(request)
    return reply.redirect(await visitAction(database, request.signedIn!.actor, askedOf(request), clock()), 303)
  })

  scope.get(`${address}/appointment.ics`, { schema: { params: Params } }, async (request, reply) => {
    refuseOtherSites(request)
    const { letter, action } = await findAction(database, request.signedIn!.actor, askedOf(request), clock())
    if (action.said.appointment === undefined) throw new Problem('not-found')
    const entry = { ...action, messageId: letter.id, senderName: letter.senderName, serviceName: letter.serviceName }
    return reply
      .headers({
        'content-type': 'text/calendar; charset=utf-8',
        'content-disposition': disposition('attachment', 'appointment.ics'),
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'no-store',
      })
      .send(writeCalendar([entry], { ...nameOf(config), isDiscreet: false, language: languageOf(request) }))
  })
}

const isPassedOver = (error: unknown) =>
  error instanceof Problem && (error.code === 'action-not-possible' || error.code === 'action-not-yet')

function paying(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, config, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const reach = payReach(config)

  scope.post(`${address}/pay`, { schema: { params: Params } }, async (request, reply) => {
    await checkForm(request)
    const asked = askedOf(request)
    const returnUrl = `${config.baseUrl}${hrefOf(asked)}/returned`
    try {
      const { actor } = request.signedIn!
      const page = await startPayment(database, actor, { ...asked, returnUrl, language: languageOf(request) }, reach, clock())
      return reply.redirect(page ?? hrefOf(asked), 303)
    } catch (error) {
      if (isPassedOver(error)) return reply.redirect(hrefOf(asked), 303)
      if (!(error instanceof Problem) || error.code !== 'unavailable') throw error
      return sendAction(surroundings, request, reply, { isUnavailable: true })
    }
  })

  // From the provider, so from another site. Where it cannot be asked just now, its webhook says what became of it.
  scope.get(`${address}/returned`, { schema: { params: Params } }, async (request, reply) => {
    const asked = askedOf(request)
    await findAction(database, request.signedIn!.actor, asked, clock())
    try {
      await checkPayment(database, request.signedIn!.actor, asked, reach, clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'unavailable') throw error
    }
    return reply.redirect(hrefOf(asked), 303)
  })
}
