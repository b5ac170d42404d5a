import { type Static, Type } from 'typebox'
import { StoredDocument, StoredFile } from '../../documents/document.ts'
import { findFile } from '../../mailbox/find.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { listWritten, takeOver } from '../../mailbox/take-over.ts'
import { findIdentifiers } from '../../registry/find-identifiers.ts'
import { Identifier } from '../../registry/identifier.ts'
import { actorFor, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route, ServiceQuery } from './door.ts'

const Time = Type.String({ format: 'date-time' })

const FileLink = Type.Object({
  ...StoredFile.properties,
  links: Type.Object({ self: Type.String({ description: 'Its bytes.' }) }),
})

const Written = Type.Object({
  id: Type.String({ format: 'uuid' }),
  service: Type.String(),
  threadId: Type.String({ format: 'uuid' }),
  answers: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
    description: 'The message of yours that this one answers.',
  }),
  sender: Type.Object({
    name: Type.String(),
    identifier: Type.Union([Identifier, Type.Null()], {
      description: 'By which the service knows who wrote; null where it does not.',
    }),
  }),
  subject: Type.String(),
  content: Type.Array(
    Type.Object({ language: Type.String(), subject: Type.String(), body: Type.String({ description: 'Markdown.' }) }),
  ),
  documents: Type.Array(Type.Object({ ...StoredDocument.properties, files: Type.Array(FileLink) })),
  availableAt: Time,
  openedAt: Type.Union([Time, Type.Null()]),
  takenOverAt: Type.Union([Time, Type.Null()]),
  links: Type.Object({ self: Type.String(), receipt: Type.String() }),
})

export function inbox(app: ApiServer, options: ApiOptions): void {
  const { database, keys, clock } = options

  const toWritten = async (letters: Letter[], slug: (serviceId: string) => string): Promise<Static<typeof Written>[]> => {
    const pairs = letters.map(({ serviceId, senderPartyId }) => ({ serviceId, partyId: senderPartyId }))
    const identifiers = await findIdentifiers(database, keys, pairs)
    return letters.map((letter, index) => ({
      id: letter.id,
      service: slug(letter.serviceId),
      threadId: letter.threadId,
      answers: letter.answersId,
      sender: { name: letter.senderName, identifier: identifiers[index] ?? null },
      subject: letter.subject,
      content: letter.content,
      documents: letter.documents.map((document) => ({
        ...document,
        files: document.files.map((file) => ({ ...file, links: { self: `/v1/inbox/${letter.id}/files/${file.id}` } })),
      })),
      availableAt: letter.availableAt.toISOString(),
      openedAt: letter.openedAt?.toISOString() ?? null,
      takenOverAt: letter.takenOverAt?.toISOString() ?? null,
      links: { self: `/v1/inbox/${letter.id}`, receipt: `/v1/inbox/${letter.id}/receipt` },
    }))
  }

  app.get(
    '/v1/inbox',
    {
      ...route(options, 'inbox:read'),
      schema: {
        operationId: 'listInbox',
        tags: ['Inbox'],
        summary: 'What has been written to your services',
        description: 'The oldest first. By default only what no system of yours has taken over yet.',
        querystring: Type.Object(
          {
            state: Type.Union([Type.Literal('waiting'), Type.Literal('all')], { default: 'waiting' }),
            after: Type.Optional(Type.String({ format: 'uuid', description: 'The next of an earlier answer.' })),
            limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
            service: ServiceQuery,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            messages: Type.Array(Written),
            next: Type.Union([Type.String(), Type.Null()], { description: 'Null: that was all.' }),
          }),
          ...problemAnswers(400, 401, 403, 404),
        },
      },
    },
    async (request) => {
      const { state, after, limit, service } = request.query
      const letters = await listWritten(database, actorFor(request, service), { after, limit, waiting: state === 'waiting' })
      return {
        messages: await toWritten(letters, (id) => slugOf(request, id)),
        next: letters.length === limit ? letters.at(-1)!.id : null,
      }
    },
  )

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
        response: { 200: Written, ...problemAnswers(401, 403, 404) },
      },
    },
    async (request) => {
      const letter = await open(database, request.caller.actor, request.params.id, clock())
      return (await toWritten([letter], (id) => slugOf(request, id)))[0]!
    },
  )

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
      await open(database, request.caller.actor, request.params.id, clock())
      const { bytes } = await findFile(database, request.caller.actor, request.params.id, request.params.fileId)
      // Always as bytes: this address is for systems, and no browser should ever show what comes from it.
      return reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment')
        .send(bytes as never)
    },
  )

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
          200: Type.Object({ id: Type.String({ format: 'uuid' }), takenOverAt: Time }),
          ...problemAnswers(401, 403, 404),
        },
      },
    },
    async (request) => {
      const { takenOverAt } = await takeOver(database, request.caller.actor, request.params.id, clock())
      return { id: request.params.id, takenOverAt: takenOverAt.toISOString() }
    },
  )
}
