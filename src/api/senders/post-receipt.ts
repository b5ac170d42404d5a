import { Type } from 'typebox'
import { takeOver } from '../../mailbox/take-over.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route } from './door.ts'

export function postReceipt(app: ApiServer, options: ApiOptions): void {
  app.post(
    '/v1/inbox/:id/receipt',
    {
      ...route(options, 'inbox:write'),
      schema: {
        operationId: 'takeOverInboxMessage',
        tags: ['Inbox'],
        summary: 'Take a message over',
        description: 'Say so once your own system keeps the message. Saying it again is harmless: the first time stands.',
        params: Id,
        response: {
          200: Type.Object({ id: Type.String({ format: 'uuid' }), takenOverAt: Type.String({ format: 'date-time' }) }),
          ...problemAnswers(401, 403, 404),
        },
      },
    },
    async (request) => {
      const { takenOverAt } = await takeOver(options.database, request.caller.actor, request.params.id, options.clock())
      return { id: request.params.id, takenOverAt: takenOverAt.toISOString() }
    },
  )
}
