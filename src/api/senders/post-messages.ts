import { type Static, Type } from 'typebox'
import { acceptOne } from '../../delivery/accept.ts'
import { type LetterLimits, secondsOfDayLeft, takeLetters } from '../../delivery/allow-letters.ts'
import { NewMessage } from '../../delivery/message.ts'
import { Problem } from '../../problems.ts'
import { chooseService } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route } from './door.ts'

/** 25 MB of files are 33.4 MB in base64; the rest is for the letter itself. */
const bodyBytesMax = 36 * 1024 * 1024

const Acceptance = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    reference: Type.String(),
    service: Type.String(),
    threadId: Type.String({ format: 'uuid', description: 'The same for messages that answer each other.' }),
    state: Type.Enum(['available', 'accepted']),
    acceptedAt: Type.String({ format: 'date-time' }),
    availableAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'From when it can be read in the mailbox: delivery in law. Null where that is yet to come.',
    }),
    links: Type.Object({ self: Type.String() }),
  },
  { description: 'What was accepted. The same again for the same message under the same reference.' },
)

export function postMessages(app: ApiServer, options: ApiOptions & { letters: LetterLimits }): void {
  app.post(
    '/v1/messages',
    {
      ...route(options, 'messages:write'),
      bodyLimit: bodyBytesMax,
      schema: {
        operationId: 'sendMessage',
        tags: ['Messages'],
        summary: 'Send a message',
        description:
          'Answers after the message is kept and readable in the mailbox. One message with its documents may have up to 25 MB, and 500 MB with what was uploaded before (createUpload). ' +
          'Try again as often as you like: the same reference with the same content gives 200 and the same answer, with other content 409.',
        body: NewMessage,
        response: { 201: Acceptance, 200: Acceptance, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      const { service, recipient, answers, documents, reply: answer, ...said } = request.body
      const serviceId = chooseService(request, service)
      const kind = said.lane === 'urgent' ? 'urgent' : 'single'
      const allowed = await takeLetters(options.database, serviceId, 1, kind, options.letters, options.clock())
      if (allowed.newMax === 0) {
        const isRate = allowed.waitMs > 0
        reply.header('retry-after', String(isRate ? Math.ceil(allowed.waitMs / 1_000) : secondsOfDayLeft(options.clock())))
        throw new Problem(isRate ? 'too-many-letters' : 'letters-of-day-used')
      }
      const submission = {
        ...said,
        serviceId,
        recipient,
        answersId: answers,
        documents: documents ?? [],
        reply: answer ?? { allowed: false },
      }
      const { database, keys, clock } = options
      const accepted = await acceptOne(database, keys, request.caller.actor, submission, clock()).catch((error) => {
        allowed.settle(0)
        throw error
      })
      allowed.settle(accepted.isNew ? 1 : 0)
      const self = `/v1/messages/${accepted.messageId}`
      const body: Static<typeof Acceptance> = {
        id: accepted.messageId,
        reference: said.reference,
        service,
        threadId: accepted.threadId,
        state: accepted.availableAt === null ? 'accepted' : 'available',
        acceptedAt: accepted.acceptedAt.toISOString(),
        availableAt: accepted.availableAt?.toISOString() ?? null,
        links: { self },
      }
      return reply
        .code(accepted.isNew ? 201 : 200)
        .header('location', self)
        .send(body)
    },
  )
}
