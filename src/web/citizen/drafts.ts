import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { isTextual } from '../../documents/document.ts'
import { deleteDraft } from '../../mailbox/delete-draft.ts'
import { readDraftFile } from '../../mailbox/draft-files.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { listDrafts } from '../../mailbox/list-drafts.ts'
import { FileParams, LetterParams } from '../address.ts'
import { disposition, refuseOtherSites } from '../download.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'

const schema = { params: LetterParams }

/** What is being written, and what is to be sent later. */
export function draftPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const querystring = Type.Object({ deleted: Type.Optional(Type.String()) })
  scope.get('/drafts', { schema: { querystring } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const drafts = await listDrafts(database, actor)
    return sendPage(request, reply, 'citizen/drafts', {
      title: wordsFor(request)('drafts:title'),
      section: 'sent',
      drafts: drafts.map((draft) => ({ ...draft, writtenByOther: draft.writtenById === actor.by.id ? '' : draft.writtenByName })),
      isDeleted: request.query.deleted !== undefined,
    })
  })

  scope.get('/drafts/:id/files/:fileId', { schema: { params: FileParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, fileId } = request.params
    const { filename, mediaType, bytes } = await readDraftFile(database, request.signedIn!.actor, id, fileId)
    return reply
      .headers({
        'content-type': isTextual(mediaType) ? `${mediaType}; charset=utf-8` : mediaType,
        'content-disposition': disposition('attachment', filename),
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'no-store',
      })
      .send(bytes)
  })
  deletingPages(app, surroundings)
}

function deletingPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/drafts/:id/delete', { schema }, async (request, reply) => {
    const draft = await findDraft(database, request.signedIn!.actor, request.params.id, clock())
    const title = wordsFor(request)('drafts:delete-title')
    return sendPage(request, reply, 'citizen/draft-delete', { title, section: 'sent', draft })
  })

  scope.post('/drafts/:id/delete', { schema, preHandler: checkForm }, async (request, reply) => {
    await deleteDraft(database, request.signedIn!.actor, request.params.id)
    return reply.redirect('/drafts?deleted', 303)
  })
}
