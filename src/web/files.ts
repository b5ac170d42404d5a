import { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Actor } from '../access/actor.ts'
import type { Database } from '../database/connect.ts'
import { isTextual } from '../documents/document.ts'
import { find, findFile } from '../mailbox/find.ts'
import type { Letter } from '../mailbox/letter.ts'
import { Problem } from '../problems.ts'
import { FileParams } from './address.ts'
import { disposition, refuseOtherSites } from './download.ts'
import { viewFile } from './letter-view.ts'
import { sendPage } from './page.ts'
import { letConnect, toPolicy } from './security-headers.ts'
import { languageOf } from './words.ts'

/** What a browser shows by itself, and cannot be made to run anything. Everything else is downloaded. */
const shownInline = ['application/pdf', 'image/png', 'image/jpeg', 'text/plain']

/** Longer text is not read on a page. */
const textShownMax = 200_000

const filePolicy = {
  'default-src': "'none'",
  'style-src': "'unsafe-inline'",
  'img-src': "'self' data:",
  'object-src': "'none'",
  'frame-ancestors': "'self'",
}
/** Browsers show no PDF in a sandbox. */
const pdfPolicy = toPolicy(filePolicy)
const sandboxPolicy = toPolicy({ ...filePolicy, sandbox: '' })

/** Where letters and their files are found: those in mailboxes, unless others are shown too. */
export type LetterFiles = {
  find: (db: Database, actor: Actor, id: string) => Promise<Pick<Letter, 'documents' | 'isSent' | 'content' | 'subject'>>
  findFile: typeof findFile
}

type FileOptions = { database: Database; clock: () => Date; folder: string; letters?: LetterFiles }

/** The files of messages under `folder`, for both doors: a page about each, and its bytes. */
export function fileRoutes(app: FastifyInstance, { database, clock, folder, letters = { find, findFile } }: FileOptions): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(`${folder}/:id/documents/:fileId`, { schema: { params: FileParams } }, async (request, reply) => {
    const { id, fileId } = request.params
    const { actor } = request.signedIn!
    const letter = await letters.find(database, actor, id)
    const document = letter.documents.find(({ files }) => files.some((each) => each.id === fileId))
    const file = document?.files.find((each) => each.id === fileId)
    if (document === undefined || file === undefined) throw new Problem('not-found')
    const isText = isTextual(file.mediaType)
    const isPdf = file.mediaType === 'application/pdf'
    if (isPdf) letConnect(reply)
    return sendPage(request, reply, 'document', {
      title: document.title,
      file: viewFile(file, `${folder}/${id}`),
      inline: `${folder}/${id}/files/${fileId}`,
      isPdf,
      isPicture: file.mediaType.startsWith('image/'),
      isText,
      text:
        isText && file.size <= textShownMax
          ? await textOf((await letters.findFile(database, actor, id, fileId, clock())).bytes)
          : undefined,
      back: folder === '/letters' && letter.isSent ? `/sent/${id}` : `${folder}/${id}`,
      subject: letter.content.find((each) => each.language === languageOf(request))?.subject ?? letter.subject,
    })
  })

  const querystring = Type.Object({ download: Type.Optional(Type.String()) })
  scope.get(`${folder}/:id/files/:fileId`, { schema: { params: FileParams, querystring } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, fileId } = request.params
    const { file, bytes } = await letters.findFile(database, request.signedIn!.actor, id, fileId, clock())
    const isInline = request.query.download === undefined && shownInline.includes(file.mediaType)
    return reply
      .headers({
        'content-length': file.size,
        'content-type': isTextual(file.mediaType) ? `${file.mediaType}; charset=utf-8` : file.mediaType,
        'content-disposition': disposition(isInline ? 'inline' : 'attachment', file.filename),
        'content-security-policy': file.mediaType === 'application/pdf' ? pdfPolicy : sandboxPolicy,
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      .send(Readable.from(bytes, { objectMode: false }))
  })
}
