import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { findFiling } from '../../mailbox/file-letters.ts'
import { type Listed, listFolder } from '../../mailbox/list.ts'
import { Problem } from '../../problems.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { PageQuery } from '../pagination.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import { FolderId, folderName, ShowQuery, viewPanes } from './folder-view.ts'

const Count = Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }))
/** What has just been done, for its words at the top of the next page: an id, and how many letters it was not done to. */
export const DoneQuery = {
  done: Type.Optional(Type.Union([Type.String({ format: 'uuid' }), Type.Literal('nothing')])),
  left: Count,
  unopened: Count,
  undone: Count,
  erased: Count,
}
const ListQuery = Type.Object({ ...PageQuery.properties, show: ShowQuery, ...DoneQuery })
type Done = { done?: string; left?: number; unopened?: number; undone?: number; erased?: number }

/** The inbox, and every other folder. */
export function inboxPage(app: FastifyInstance, surroundings: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/inbox', { schema: { querystring: ListQuery } }, async (request, reply) => {
    return sendFolder(request, reply, surroundings, { ...request.query, folder: 'inbox' })
  })

  const schema = { params: Type.Object({ folder: FolderId }), querystring: ListQuery }
  scope.get('/folders/:folder', { schema }, async (request, reply) => {
    const { folder } = request.params
    if (folder === 'inbox') return reply.redirect('/inbox', 303)
    return sendFolder(request, reply, surroundings, { ...request.query, folder })
  })
}

/** The page of a folder, with what is wrong in what was asked for. */
export async function sendFolder(
  request: FastifyRequest,
  reply: FastifyReply,
  { config, database, clock }: Surroundings,
  asked: Listed & Done,
  errors: FieldError[] = [],
): Promise<FastifyReply> {
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  const now = clock()
  const wanted = { ...asked, language: languageOf(request) }
  const listed = await listFolder(database, actor, wanted, asked.folder === 'inbox' ? now : undefined)
  // Filing may have emptied the last page.
  if (listed.page > listed.pages && asked.done === undefined) throw new Problem('not-found')
  const panes = viewPanes(request, listed, { binDays: config.binDays, now })
  const { unread: count } = listed
  return sendPage(
    request,
    reply,
    'citizen/inbox',
    {
      title: count > 0 ? t('letter-list:title-unread', { folder: panes.title, count }) : panes.title,
      section: 'inbox',
      due: listed.due,
      panes,
      errors,
      banner: await describeDone(request, asked, { database }, t, (folder) => folderName(t, listed.folders, folder)),
    },
    errors.length > 0 ? 422 : 200,
  )
}

export type Banner = { sentences: string[]; undo: string | undefined }

/** What was done, in words, and by which id it can be undone. */
export async function describeDone(
  request: FastifyRequest,
  { done, left = 0, unopened = 0, undone, erased }: Done,
  { database }: Pick<Surroundings, 'database'>,
  t: Translate,
  nameOf: (folder: string) => string,
): Promise<Banner | undefined> {
  const sentences: string[] = []
  const filing = done && done !== 'nothing' ? await findFiling(database, request.signedIn!.actor, done) : undefined
  if (filing) sentences.push(t(`filing:done.${filing.what}`, { count: filing.count, folder: nameOf(filing.folder ?? '') }))
  if (erased !== undefined) sentences.push(t('filing:erased', { count: erased }))
  if (undone !== undefined) sentences.push(undone > 0 ? t('filing:undone', { count: undone }) : t('filing:undone-before'))
  if (done === 'nothing' && left + unopened === 0) sentences.push(t('filing:nothing'))
  if (sentences.length === 0 && done !== 'nothing') return undefined
  if (left > 0) sentences.push(t('filing:left', { count: left }))
  if (unopened > 0) sentences.push(t('filing:unopened', { count: unopened }))
  return { sentences, undo: filing && done }
}
