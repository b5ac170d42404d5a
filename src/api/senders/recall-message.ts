import { Type } from 'typebox'
import { recall, recallReasonMax } from '../../delivery/recall.ts'
import { Line } from '../../documents/document.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route } from './door.ts'

export function recallMessage(app: ApiServer, options: ApiOptions): void {
  app.post(
    '/v1/messages/:id/recall',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'recallMessage',
        tags: ['Messages'],
        summary: 'Take a message back that has not been opened',
        description:
          'What it said leaves the mailbox; a note with your reason stays there, and so does the evidence that it was available. ' +
          'Once it has been opened it cannot be recalled: send a message that corrects it. Again is harmless.',
        params: Id,
        body: Type.Object({ reason: Line(recallReasonMax, 'Why, as the recipient reads it.') }, { additionalProperties: false }),
        response: {
          200: Type.Object({ id: Type.String({ format: 'uuid' }), recalledAt: Type.String({ format: 'date-time' }) }),
          ...problemAnswers(400, 401, 403, 404, 409),
        },
      },
    },
    async (request) => {
      const { id } = request.params
      const { recalledAt } = await recall(
        options.database,
        request.caller.actor,
        { messageId: id, reason: request.body.reason },
        options.clock(),
      )
      return { id, recalledAt: recalledAt.toISOString() }
    },
  )
}
