import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../database/connect.ts'
import {
  changeFolder,
  deleteFolder,
  type FolderChanged,
  type FolderInput,
  listFolders,
  makeFolder,
  mayChangeFolders,
} from '../../mailbox/change-folders.ts'
import {
  type FolderInTree,
  type FolderRefusal,
  folderNameMax,
  foldersMax,
  levelsMax,
  withThoseInside,
} from '../../mailbox/folder.ts'
import { Problem } from '../../problems.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'

const Id = Type.String({ format: 'uuid' })
const FolderForm = Type.Object({
  csrf: Type.Optional(Type.String()),
  name: Type.Optional(Type.String({ maxLength: 10_000 })),
  parent: Type.Optional(Type.Union([Id, Type.Literal('')])),
})
/** With how it was when the form was made. */
const ChangeForm = Type.Object({
  ...FolderForm.properties,
  seenName: Type.String({ maxLength: 10_000 }),
  seenParent: Type.Union([Id, Type.Literal('')]),
})
const OwnParams = Type.Object({ folder: Id })
const DoneQuery = Type.Object({ done: Type.Optional(Type.Enum(['made', 'changed', 'deleted'])) })

/** To make one's own folders, and to name, move and delete them. */
export function folderPages(app: FastifyInstance, { database }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: OwnParams }

  scope.get('/folders', { schema: { querystring: DoneQuery } }, async (request, reply) => {
    const { actor } = request.signedIn!
    return sendPage(request, reply, 'citizen/folders', {
      title: wordsFor(request)('folders:title'),
      section: 'inbox',
      folders: await listFolders(database, actor),
      mayChange: mayChangeFolders(actor),
      done: request.query.done,
    })
  })

  scope.get('/folders/new', async (request, reply) => sendForm(database, request, reply, { name: '', parentId: null }))

  scope.post('/folders/new', { schema: { body: FolderForm }, preHandler: checkForm }, async (request, reply) => {
    const input = toInput(request.body)
    const answer = await makeFolder(database, request.signedIn!.actor, input)
    return answered(database, request, reply, answer, input, 'made')
  })

  scope.get('/folders/:folder/change', { schema }, async (request, reply) => {
    const [folder] = await findInside(database, request, request.params.folder)
    return sendForm(database, request, reply, folder!, [], folder!.id)
  })

  const posted = { schema: { ...schema, body: ChangeForm }, preHandler: checkForm }
  scope.post('/folders/:folder/change', posted, async (request, reply) => {
    const input = toInput(request.body)
    const { folder } = request.params
    const seen = toInput({ name: request.body.seenName, parent: request.body.seenParent })
    const answer = await changeFolder(database, request.signedIn!.actor, folder, { ...input, seen })
    return answered(database, request, reply, answer, input, 'changed', folder)
  })

  scope.get('/folders/:folder/delete', { schema }, async (request, reply) => {
    const [folder, ...inside] = await findInside(database, request, request.params.folder)
    return sendPage(request, reply, 'citizen/folder-delete', {
      title: wordsFor(request)('folders:delete-title', { name: folder!.name }),
      section: 'inbox',
      folder: folder!,
      count: [folder!, ...inside].reduce((sum, { count }) => sum + count, 0),
      inside: inside.length,
    })
  })

  scope.post('/folders/:folder/delete', { schema, preHandler: checkForm }, async (request, reply) => {
    await deleteFolder(database, request.signedIn!.actor, request.params.folder)
    return reply.redirect('/folders?done=deleted', 303)
  })
}

/** A folder that the actor may change, and those in it. */
async function findInside(
  database: Database,
  request: FastifyRequest,
  id: string,
): Promise<(FolderInTree & { count: number })[]> {
  const { actor } = request.signedIn!
  if (!mayChangeFolders(actor)) throw new Problem('scope-missing')
  const folders = await listFolders(database, actor)
  const ids = withThoseInside(folders, id).map((folder) => folder.id)
  if (ids.length === 0) throw new Problem('not-found')
  return folders.filter((folder) => ids.includes(folder.id))
}

async function answered(
  database: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: FolderChanged,
  input: FolderInput,
  done: string,
  id?: string,
): Promise<FastifyReply> {
  if ('id' in answer) return reply.redirect(`/folders?done=${done}`, 303)
  const { refused } = answer
  const current = (await listFolders(database, request.signedIn!.actor)).find((folder) => folder.id === id)
  const values = { count: limits[refused] ?? 0, name: current?.path.join(' / ') ?? '' }
  const text = wordsFor(request)(`folders:refused.${refused}`, values)
  return sendForm(database, request, reply, input, [{ field: fieldOf(refused), text }], id)
}

async function sendForm(
  database: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  { name, parentId }: FolderInput,
  errors: FieldError[] = [],
  id?: string,
): Promise<FastifyReply> {
  const { actor } = request.signedIn!
  if (!mayChangeFolders(actor)) throw new Problem('scope-missing')
  const t = wordsFor(request)
  const folders = await listFolders(database, actor)
  const inside = id === undefined ? [] : withThoseInside(folders, id).map((folder) => folder.id)
  const parents = folders.filter((folder) => !inside.includes(folder.id) && folder.depth < levelsMax - 1)
  const current = folders.find((folder) => folder.id === id)
  const data = {
    title: current ? t('folders:change-of', { name: current.name }) : t('folders:make'),
    section: 'inbox' as const,
    id,
    name,
    seen: current && { name: current.name, parent: current.parentId ?? '' },
    folderNameMax,
    parents: [
      { value: '', text: t('folders:top'), selected: parentId === null },
      ...parents.map((folder) => ({ value: folder.id, text: folder.path.join(' / '), selected: folder.id === parentId })),
    ],
    errors,
  }
  return sendPage(request, reply, 'citizen/folder-form', data, errors.length > 0 ? 422 : 200)
}

const limits: Partial<Record<FolderRefusal, number>> = {
  'name-too-long': folderNameMax,
  'too-many': foldersMax,
  'too-deep': levelsMax,
}

function fieldOf(refused: FolderRefusal): string {
  return ['too-deep', 'in-itself', 'parent-gone'].includes(refused) ? 'parent' : 'name'
}

function toInput({ name = '', parent = '' }: { name?: string; parent?: string }): FolderInput {
  return { name, parentId: parent === '' ? null : parent }
}
