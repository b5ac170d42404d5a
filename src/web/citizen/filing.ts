import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { requireRight } from '../../access/rights.ts'
import { eraseLetters } from '../../mailbox/erase.ts'
import { fileLetters, lettersAtOnce, undoFiling, waysToFile } from '../../mailbox/file-letters.ts'
import { listFolder } from '../../mailbox/list.ts'
import { Problem } from '../../problems.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { addressWith, FolderId, folderHref, ShowQuery } from './folder-view.ts'
import { sendFolder } from './inbox.ts'

const Id = Type.String({ format: 'uuid' })
const Csrf = Type.Optional(Type.String())
const Page = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
/** The part of the list that the form stood in, to go back to. */
const Place = { from: FolderId, show: ShowQuery, page: Page, letter: Type.Optional(Id) }

const FilingForm = Type.Object({
  csrf: Csrf,
  what: Type.Enum([...waysToFile, 'erase']),
  letters: Type.Optional(Type.Union([Id, Type.Array(Id, { maxItems: 1_000 })])),
  to: Type.Optional(Type.String({ maxLength: 40 })),
  ...Place,
})
const UndoForm = Type.Object({ csrf: Csrf, filing: Id, ...Place })
const EraseForm = Type.Object({
  csrf: Csrf,
  letters: Type.Optional(Type.Union([Id, Type.Array(Id, { maxItems: 1_000 })])),
  all: Type.Optional(Type.String()),
})

/** What the forms of lists and of letters do: file, undo, erase. */
export function filingForms(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.post('/filing', { schema: { body: FilingForm }, preHandler: checkForm }, async (request, reply) => {
    const { what, to, from, letter } = request.body
    const ids = letter === undefined ? toList(request.body.letters) : [letter]
    const wrong = await checkFiling(request, surroundings, ids)
    if (wrong) return sendFolder(request, reply, surroundings, { ...request.body, folder: from }, [wrong])
    if (what === 'erase') return askToErase(request, reply, surroundings, ids)
    const { actor } = request.signedIn!
    const isPut = ['archive', 'bin', 'restore', 'move'].includes(what)
    const filed = await fileLetters(database, actor, { ids, what, to, ...(isPut ? { from } : {}) }, clock())
    if (letter !== undefined && filed.moved > 0) return reply.redirect(`/letters/${letter}?moved=1`, 303)
    return reply.redirect(
      placeAfter(request.body, letter !== undefined && (what === 'flag' || what === 'unflag'), {
        done: filed.id ?? 'nothing',
        ...(filed.moved > 0 ? { left: String(filed.moved) } : {}),
        ...(filed.unopened > 0 ? { unopened: String(filed.unopened) } : {}),
      }),
      303,
    )
  })

  scope.post('/filing/undo', { schema: { body: UndoForm }, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { count, left } = await undoFiling(database, actor, request.body.filing, clock()).catch((error) => {
      // Undone in another window, or too long ago.
      if (error instanceof Problem && error.code === 'not-found') return { count: 0, left: 0 }
      throw error
    })
    const done = { undone: String(count), ...(left > 0 ? { left: String(left) } : {}) }
    return reply.redirect(placeAfter(request.body, request.body.letter !== undefined, done), 303)
  })

  scope.post('/filing/erase', { schema: { body: EraseForm }, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const ids = request.body.all === undefined ? toList(request.body.letters) : 'all'
    const erased = await eraseLetters(database, actor, ids, clock())
    return reply.redirect(`/folders/bin?erased=${erased}`, 303)
  })

  scope.get('/filing/erase', async (request, reply) => askToErase(request, reply, surroundings, 'all'))
}

function toList(letters: string | string[] | undefined): string[] {
  return letters === undefined ? [] : [...new Set([letters].flat())]
}

/** What the form lacks, beside the field. */
async function checkFiling(
  request: FastifyRequest<{ Body: Static<typeof FilingForm> }>,
  { database }: Surroundings,
  ids: readonly string[],
): Promise<FieldError | undefined> {
  const t = wordsFor(request)
  const { what, to, from } = request.body
  if (ids.length === 0) return { field: 'letters', text: t('filing:choose-letters') }
  if (ids.length > lettersAtOnce) return { field: 'letters', text: t('filing:choose-fewer', { count: lettersAtOnce }) }
  if (what !== 'move') return undefined
  if (!to) return { field: 'to', text: t('filing:choose-folder') }
  const isThere = await listFolder(database, request.signedIn!.actor, { folder: to }).catch((error) => {
    if (error instanceof Problem && error.code === 'not-found') return undefined
    throw error
  })
  return isThere || from === to ? undefined : { field: 'to', text: t('filing:folder-gone') }
}

/** The list that the letters were in, or the letter itself where it stays open. */
function placeAfter(
  { from, show, page, letter }: { from: string; show?: string; page?: number; letter?: string },
  staysOpen: boolean,
  done: Record<string, string>,
): string {
  const part = { ...(show && show !== 'all' ? { show } : {}), ...(page && page > 1 ? { page: String(page) } : {}) }
  return addressWith(staysOpen && letter ? `/letters/${letter}` : folderHref(from), { ...part, ...done })
}

async function askToErase(
  request: FastifyRequest,
  reply: FastifyReply,
  { database }: Surroundings,
  ids: readonly string[] | 'all',
): Promise<FastifyReply> {
  const { actor } = request.signedIn!
  requireRight(actor, 'mailbox:erase')
  const t = wordsFor(request)
  const count = ids === 'all' ? (await listFolder(database, actor, { folder: 'bin' })).total : ids.length
  return sendPage(request, reply, 'citizen/erase', {
    title: ids === 'all' ? t('filing:erase-all-title') : t('filing:erase-title', { count }),
    section: 'inbox',
    ids: ids === 'all' ? undefined : ids,
    count,
  })
}
