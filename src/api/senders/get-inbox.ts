import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { findFile } from '../../mailbox/find.ts'
import { open } from '../../mailbox/open.ts'
import { listWritten } from '../../mailbox/take-over.ts'
import { actorFor } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route, ServiceQuery } from './door.ts'
import { InboxMessage, toInboxMessages } from './inbox-message.ts'

export function getInbox(app: ApiServer, options: ApiOptions): void {
  listMessages(app, options)
  openMessage(app, options)
  sendFile(app, options)
}

function listMessages(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/inbox',
    {
      ...route(options, 'inbox:read'),
      schema: {
        operationId: 'listInbox',
        tags: ['Inbox'],
        summary: 'What has been written to your services',
        description:
          'The oldest first. By default only what no system of yours has taken over yet: take over what you keep, and ask again. With after, page through one list; it is no cursor to keep.',
        querystring: Type.Object(
          {
            state: Type.Enum(['waiting', 'all'], { default: 'waiting' }),
            after: Type.Optional(Type.String({ format: 'uuid', description: 'The next of an earlier answer.' })),
            limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
            service: ServiceQuery,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            messages: Type.Array(InboxMessage),
            next: Type.Union([Type.String(), Type.Null()], { description: 'Null: that was all.' }),
          }),
          ...problemAnswers(400, 401, 403, 404),
        },
      },
    },
    async (request) => {
      const { state, after, limit, service } = request.query
      const letters = await listWritten(options.database, actorFor(request, service), {
        after,
        limit,
        waiting: state === 'waiting',
      })
      return {
        messages: await toInboxMessages(options, request, letters),
        next: letters.length === limit ? letters.at(-1)!.id : null,
      }
    },
  )
}

function openMessage(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/inbox/:id',
    {
      ...route(options, 'inbox:read'),
      schema: {
        operationId: 'openInboxMessage',
        tags: ['Inbox'],
        summary: 'Open one message',
        description: 'The first time is recorded as its opening, which the person who wrote can see.',
        params: Id,
        response: { 200: InboxMessage, ...problemAnswers(401, 403, 404) },
      },
    },
    async (request) => {
      const letter = await open(options.database, request.caller.actor, request.params.id, options.clock())
      return (await toInboxMessages(options, request, [letter]))[0]!
    },
  )
}

function sendFile(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/inbox/:id/files/:fileId',
    {
      ...route(options, 'inbox:read'),
      schema: {
        operationId: 'getInboxFile',
        tags: ['Inbox'],
        summary: 'The bytes of a file',
        params: Type.Object({ id: Type.String({ format: 'uuid' }), fileId: Type.String({ format: 'uuid' }) }),
        response: {
          200: {
            description: 'The bytes.',
            content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
          },
          ...problemAnswers(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const { id, fileId } = request.params
      const { file, bytes } = await findFile(options.database, request.caller.actor, id, fileId, options.clock())
      // Always as bytes: this address is for systems, and no browser should ever show what comes from it.
      return reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment')
        .header('content-length', file.size)
        .send(Readable.from(bytes, { objectMode: false }) as never)
    },
  )
}
