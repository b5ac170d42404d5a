import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { appendToUpload } from '../../delivery/append-upload.ts'
import { createUpload, type UploadLimits } from '../../delivery/create-upload.ts'
import { findUpload } from '../../delivery/find-uploads.ts'
import type { Upload } from '../../delivery/upload.ts'
import { MediaType } from '../../documents/document.ts'
import { Problem } from '../../problems.ts'
import { chooseService, slugOf } from '../authenticate.ts'
import { limitIdleTime } from '../limit-idle-time.ts'
import { type ApiOptions, type ApiServer, Id, problemAnswers, route } from './door.ts'

/** Each has a piece or two in memory. Who comes when there are so many is sent away for a second. */
const uploadsAtOnce = 16

/** Of the tus protocol (https://tus.io/protocols/resumable-upload), of which this is the core, with expiration. */
const version = '1.0.0'

const UploadState = Type.Object({
  id: Type.String({ format: 'uuid', description: 'By which a file of a letter names it.' }),
  service: Type.String(),
  mediaType: Type.String(),
  size: Type.Integer({ description: 'Bytes.' }),
  received: Type.Integer({ description: 'How many of them are here: from there it goes on.' }),
  sha256: Type.Union([Type.String(), Type.Null()], {
    description:
      'Of the bytes, in hexadecimal, once all are here and were checked: from then on letters may have it. Null before.',
  }),
  expiresAt: Type.String({ format: 'date-time', description: 'When it goes, if no letter has it then.' }),
  links: Type.Object({ self: Type.String({ description: 'Where the bytes are sent to, and asked how far they came.' }) }),
})

export function uploadRoutes(app: ApiServer, options: ApiOptions & { uploads: UploadLimits }): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('tus-resumable', version)
    const asked = request.headers['tus-resumable']
    if (asked === undefined || asked === version) return done()
    reply.header('tus-version', version)
    done(new Problem('upload-version-unknown'))
  })
  creating(app, options)
  showing(app, options)
  app.register(async (door: ApiServer) => appending(door, options))
}

function creating(app: ApiServer, options: ApiOptions & { uploads: UploadLimits }): void {
  app.post(
    '/v1/uploads',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'createUpload',
        tags: ['Uploads'],
        summary: 'Begin an upload',
        description:
          'A document that is sent ahead of its letters, once for all of them. Then send its bytes (appendToUpload). With sha256, try again as often as you like: the same document ' +
          'gives 200 and the same upload, as far as it has come.',
        body: Type.Object(
          {
            service: Type.Optional(
              Type.String({ description: 'Whose letters will have it. Needed where the client has several services.' }),
            ),
            mediaType: MediaType,
            size: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'Bytes.' }),
            sha256: Type.Optional(
              Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the bytes, in hexadecimal: what comes is held to it.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 201: UploadState, 200: UploadState, ...problemAnswers(400, 401, 403, 404, 412, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { service, ...wanted } = request.body
      const serviceId = chooseService(request, service)
      const { actor } = request.caller
      const asked = { ...wanted, serviceId }
      const { upload, isNew } = await createUpload(options.database, actor, asked, options.uploads, options.clock())
      const state = toState(request, upload)
      sayHowFar(reply, upload).header('location', state.links.self)
      return reply.code(isNew ? 201 : 200).send(state)
    },
  )
}

function showing(app: ApiServer, options: ApiOptions): void {
  app.get(
    '/v1/uploads/:id',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'getUpload',
        tags: ['Uploads'],
        summary: 'How far an upload has come',
        description: 'HEAD answers the same in headers: Upload-Offset, Upload-Length, Upload-Expires.',
        params: Id,
        response: { 200: UploadState, ...problemAnswers(401, 403, 404, 412) },
      },
    },
    async (request, reply) => {
      const upload = await findUpload(options.database, request.caller.actor, request.params.id)
      sayHowFar(reply, upload)
      return toState(request, upload)
    },
  )
}

function appending(app: ApiServer, options: ApiOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/offset+octet-stream', (_request, body, done) => done(null, body))
  const underWay = new Set<FastifyRequest>()
  // What came is kept, and whoever sends it goes on elsewhere.
  app.addHook('preClose', (done) => {
    for (const { raw } of underWay) raw.destroy()
    done()
  })
  app.patch(
    '/v1/uploads/:id',
    {
      ...route(options, 'messages:write'),
      schema: {
        operationId: 'appendToUpload',
        tags: ['Uploads'],
        summary: 'Send bytes of an upload',
        description:
          'All of them, or some, from Upload-Offset on. After a break ask how far it is (HEAD), and go on from there: what came is kept. With the last byte the document is checked. One that ' +
          'is not what it was said to be is refused and gone. A request may take ten minutes.',
        params: Id,
        headers: Type.Object({
          'upload-offset': Type.Integer({
            minimum: 0,
            description: 'How much is there already: the place of the first byte sent.',
          }),
        }),
        body: { content: { 'application/offset+octet-stream': { schema: { description: 'The bytes.' } } } },
        response: {
          204: { type: 'null', description: 'They are kept. Upload-Offset says how far it is now.' },
          ...problemAnswers(400, 401, 403, 404, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      if (underWay.size >= uploadsAtOnce) throw new Problem('busy')
      underWay.add(request)
      const release = limitIdleTime(request)
      const { raw, headers } = request
      const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
      // Where it is refused the connection stays, for the answer to be read.
      const bytes = raw.iterator({ destroyOnReturn: false })
      const part = { id: request.params.id, offset: request.headers['upload-offset'], length, bytes }
      try {
        sayHowFar(reply, await appendToUpload(options.database, request.caller.actor, part))
        return reply.code(204).send(null)
      } finally {
        raw.resume()
        underWay.delete(request)
        release()
      }
    },
  )
}

function sayHowFar(reply: FastifyReply, { received, size, sha256, expiresAt }: Upload): FastifyReply {
  if (sha256 === null) reply.header('upload-expires', expiresAt.toUTCString())
  return reply.headers({ 'upload-offset': received, 'upload-length': size, 'cache-control': 'no-store' })
}

function toState(request: FastifyRequest, upload: Upload): Static<typeof UploadState> {
  const { id, senderId, mediaType, size, received, sha256, expiresAt } = upload
  const links = { self: `/v1/uploads/${id}` }
  return { id, service: slugOf(request, senderId), mediaType, size, received, sha256, expiresAt: expiresAt.toISOString(), links }
}
