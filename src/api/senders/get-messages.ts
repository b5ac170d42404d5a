import { type Static, Type } from 'typebox'
import { historyOf, messageStates, stateOf } from '../../delivery/message.ts'
import { pendingInEnglish } from '../../delivery/reconciliation.ts'
import { findSent, type SentMessage } from '../../delivery/sent.ts'
import { actionKinds, actionStates } from '../../documents/action.ts'
import { Line } from '../../documents/document.ts'
import { Problem } from '../../problems.ts'
import { actorFor, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route, ServiceQuery } from './door.ts'

const State = Type.Enum(messageStates)
const Time = Type.String({ format: 'date-time' })
const MaybeTime = Type.Union([Time, Type.Null()])

const Message = Type.Object({
  id: Type.String({ format: 'uuid' }),
  reference: Type.String(),
  service: Type.String(),
  threadId: Type.String({ format: 'uuid' }),
  state: State,
  acceptedAt: Time,
  availableAt: MaybeTime,
  openedAt: MaybeTime,
  answeredAt: MaybeTime,
  recalledAt: MaybeTime,
  failedAt: MaybeTime,
  pendingBecause: Type.Union([Type.String(), Type.Null()], { description: 'Why it is not available yet, in a sentence.' }),
  history: Type.Array(Type.Object({ state: State, at: Time }), { description: 'In order of time.' }),
  actions: Type.Array(
    Type.Object({
      id: Type.String({ format: 'uuid' }),
      kind: Type.Enum(actionKinds),
      label: Type.Object({ en: Type.String(), cy: Type.Optional(Type.String()) }),
      state: Type.Enum(actionStates, {
        description:
          'open; started: a payment or a visit to the address has begun; done: paid, accepted, signed, confirmed, or marked so by the reader; failed: a payment that can be tried again; cancelled: declined.',
      }),
      at: Time,
    }),
    { description: 'What it asks to do, in the order in which it was sent, and what became of that.' },
  ),
  links: Type.Object({ self: Type.String() }),
})

export function getMessages(app: ApiServer, options: ApiOptions): void {
  const toMessage = (sent: SentMessage, service: string): Static<typeof Message> => ({
    id: sent.messageId,
    reference: sent.reference,
    service,
    threadId: sent.threadId,
    state: stateOf(sent),
    acceptedAt: sent.acceptedAt.toISOString(),
    availableAt: sent.availableAt?.toISOString() ?? null,
    openedAt: sent.openedAt?.toISOString() ?? null,
    answeredAt: sent.answeredAt?.toISOString() ?? null,
    recalledAt: sent.recalledAt?.toISOString() ?? null,
    failedAt: sent.failedAt?.toISOString() ?? null,
    pendingBecause: sent.pendingBecause && pendingInEnglish(sent.pendingBecause),
    history: historyOf(sent).map(({ state, at }) => ({ state, at: at.toISOString() })),
    actions: sent.actions.map(({ stateAt, ...action }) => ({ ...action, at: new Date(stateAt).toISOString() })),
    links: { self: `/v1/messages/${sent.messageId}` },
  })

  app.get(
    '/v1/messages/:id',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'getMessage',
        tags: ['Messages'],
        summary: 'What became of a message',
        params: Id,
        response: { 200: Message, ...problemAnswers(401, 403, 404) },
      },
    },
    async (request) => {
      const [sent] = await findSent(options.database, request.caller.actor, { messageId: request.params.id })
      if (sent === undefined) throw new Problem('not-found')
      return toMessage(sent, slugOf(request, sent.senderId))
    },
  )

  app.get(
    '/v1/messages',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'findMessages',
        tags: ['Messages'],
        summary: 'Find a message by your own reference',
        description:
          'A reference is unique for a service: a client of several services may name one, and else gets one message of each at most.',
        querystring: Type.Object(
          { reference: Line(128, 'As it was sent.'), service: ServiceQuery },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ messages: Type.Array(Message) }), ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { reference, service } = request.query
      const found = await findSent(options.database, actorFor(request, service), { reference })
      return { messages: found.map((sent) => toMessage(sent, slugOf(request, sent.senderId))) }
    },
  )
}
