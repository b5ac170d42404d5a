import { Type } from 'typebox'
import type { MakeReceipt } from '../../evidence/make-receipt.ts'
import { evidenceEvents } from '../../evidence/record.ts'
import { findSentReceipt, listSentEvidence } from '../../mailbox/proof.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route } from './door.ts'

const Evidence = Type.Object({
  id: Type.String({ format: 'uuid', description: 'Also that of the event, in /v1/events.' }),
  type: Type.Enum(Object.keys(evidenceEvents), { description: 'As in /v1/events.' }),
  event: Type.Enum(Object.values(evidenceEvents), {
    description: 'As ETSI EN 319 522-3 names it; our own where that has no name.',
  }),
  at: Type.String({ format: 'date-time' }),
  inLog: Type.Boolean({ description: 'Whether the log has it; what has just happened takes some seconds.' }),
  links: Type.Object({ receipt: Type.String() }),
})

export function getEvidence(app: ApiServer, options: ApiOptions & { makeReceipt: MakeReceipt }): void {
  const { database, clock, makeReceipt } = options

  app.get(
    '/v1/messages/:id/evidence',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'listEvidence',
        tags: ['Messages'],
        summary: 'What can be proved of a message',
        description: 'In order. Also of a message that was rejected, by the id that its problem document names.',
        params: Id,
        response: { 200: Type.Object({ evidence: Type.Array(Evidence) }), ...problemAnswers(401, 403, 404) },
      },
    },
    async (request) => {
      const { id: messageId } = request.params
      const listed = await listSentEvidence(database, request.caller.actor, messageId)
      return {
        evidence: listed.map(({ id, type, at, entry }) => ({
          id,
          type,
          event: evidenceEvents[type],
          at: at.toISOString(),
          inLog: entry !== undefined,
          links: { receipt: `/v1/messages/${messageId}/evidence/${id}` },
        })),
      }
    },
  )

  app.get(
    '/v1/messages/:id/evidence/:evidenceId',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'getReceipt',
        tags: ['Messages'],
        summary: 'A receipt, to keep',
        description:
          'A .tlog-proof file. It holds all that is needed to check it without asking anybody: npx digital-post verify FILE, or the page /verify.',
        params: Type.Object({ id: Type.String({ format: 'uuid' }), evidenceId: Type.String({ format: 'uuid' }) }),
        response: {
          200: {
            description: 'The file.',
            content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
          },
          ...problemAnswers(401, 403, 404),
          409: { ...problemAnswers(409)[409], description: 'It is being sealed and witnessed: ask again in some seconds.' },
        },
      },
    },
    async (request, reply) => {
      const { id, evidenceId } = request.params
      const receipt = await findSentReceipt(database, request.caller.actor, id, evidenceId, makeReceipt, clock())
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${evidenceId}.tlog-proof"`)
        .send(Buffer.from(receipt) as never)
    },
  )
}
