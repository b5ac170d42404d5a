import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import type { MakeReceipt } from '../../evidence/make-receipt.ts'
import { listParts } from '../../mailbox/list-parts.ts'
import { type Taken, takeLetters } from '../../mailbox/take-letters.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { archiveEntries, letterEntries, type Making } from '../archive/entries.ts'
import { safeName } from '../archive/names.ts'
import { type Entry, zip } from '../archive/zip.ts'
import { dayInLondon } from '../dates.ts'
import { disposition, refuseOtherSites } from '../download.ts'
import { recallInWords } from '../letter-view.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'

/** Of those that somebody chooses from a list. */
export const lettersChosenMax = 100
/** Read, opened and recorded together. */
const lettersAtOnce = 20

/** Letters to take away as ZIP files: one, some that were chosen, or all. */
export function archivePages(app: FastifyInstance, surroundings: Surroundings, makeReceipt: MakeReceipt): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const { database, clock } = surroundings
  const makingFor = (request: FastifyRequest): Making => ({
    database,
    makeReceipt,
    actor: request.signedIn!.actor,
    language: languageOf(request),
    serviceName: surroundings.config.serviceName,
    baseUrl: surroundings.config.baseUrl,
    now: clock(),
  })

  scope.get('/letters/:id/archive', { schema: { params: LetterParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const making = makingFor(request)
    const [letter] = await takeLetters(database, making.actor, { ids: [request.params.id] }, making.now)
    const subject = recallInWords(letter!, making.language)?.subject ?? letter!.subject
    const name = `${dayInLondon(letter!.availableAt)} ${subject}`
    return sendZip(reply, name, letterEntries(making, letter!, ''))
  })

  const Id = Type.String({ format: 'uuid' })
  const Chosen = Type.Object({ letters: Type.Optional(Type.Union([Id, Type.Array(Id)])) })
  scope.post('/letters/archive', { schema: { body: Chosen }, preHandler: checkForm }, async (request, reply) => {
    const ids = [...new Set([request.body.letters ?? []].flat())]
    if (ids.length === 0) return refuseChoice(request, reply, 'none')
    if (ids.length > lettersChosenMax) return refuseChoice(request, reply, 'too-many')
    const making = makingFor(request)
    const letters = await takeLetters(database, making.actor, { ids }, making.now).catch((error) => {
      if (error instanceof Problem && error.code === 'archive-too-large') return undefined
      throw error
    })
    if (letters === undefined) return refuseChoice(request, reply, 'too-large')
    return sendZip(reply, fileName(request, making), archiveEntries(making, letters, false))
  })

  everythingPages(app, surroundings, makingFor)
}

function refuseChoice(request: FastifyRequest, reply: FastifyReply, why: 'none' | 'too-many' | 'too-large'): FastifyReply {
  const t = wordsFor(request)
  const sentence =
    why === 'too-many' ? t('archive:selection.too-many', { count: lettersChosenMax }) : t(`archive:selection.${why}`)
  return sendPage(
    request,
    reply,
    'citizen/archive-refused',
    { title: t('archive:selection.title'), section: 'inbox', sentence },
    422,
  )
}

function everythingPages(app: FastifyInstance, { database }: Surroundings, makingFor: (request: FastifyRequest) => Making): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const address = '/my-details/download'
  const showParts = async (request: FastifyRequest, reply: FastifyReply, isRefused = false) => {
    const t = wordsFor(request)
    const parts = await listParts(database, request.signedIn!.actor)
    return sendPage(
      request,
      reply,
      'citizen/download-everything',
      {
        title: t('archive:everything.title'),
        section: 'my-details',
        parts: parts.map((part) => ({
          ...part,
          value: `${part.after}_${part.until}`,
          size: Math.ceil(part.bytes / 1024 ** 2) || 1,
        })),
        unopened: parts.reduce((sum, part) => sum + part.unopened, 0),
        ...(isRefused ? { errors: [{ field: 'unopened', text: t('archive:everything.choose') }] } : {}),
      },
      isRefused ? 422 : 200,
    )
  }
  scope.get(address, (request, reply) => showParts(request, reply))

  const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
  const body = Type.Object({
    part: Type.String({ pattern: `^${uuid}_${uuid}$` }),
    unopened: Type.Optional(Type.Enum(['with', 'without'])),
  })
  scope.post(address, { schema: { body }, preHandler: checkForm }, async (request, reply) => {
    const [after, until] = request.body.part.split('_') as [string, string]
    const { unopened } = request.body
    const making = makingFor(request)
    const parts = await listParts(database, making.actor)
    const part = parts.find((each) => each.after === after && each.until === until)
    // What is in it has changed since the page was loaded, or nothing was chosen where there is a choice.
    if (part === undefined || (part.unopened > 0 && unopened === undefined)) return showParts(request, reply, part !== undefined)
    const letters = readAll(database, making.actor, { after, until, withUnopened: unopened === 'with' }, making.now)
    return sendZip(reply, fileName(request, making), archiveEntries(making, letters, true))
  })
}

/** Some at a time: what has been written is not kept. */
async function* readAll(
  database: Database,
  actor: Actor,
  { after, ...rest }: { after: string; until: string; withUnopened: boolean },
  now: Date,
): AsyncGenerator<Taken> {
  for (let last = after; ; ) {
    const letters = await takeLetters(database, actor, { ...rest, after: last, limit: lettersAtOnce }, now)
    yield* letters
    if (letters.length === 0) return
    last = letters.at(-1)!.id
  }
}

function fileName(request: FastifyRequest, { serviceName, now }: Making): string {
  return wordsFor(request)('archive:file-name', { serviceName, day: dayInLondon(now) })
}

/** Sent as it is made. Where making it fails, the connection breaks: half an archive must not look like a whole one. */
function sendZip(reply: FastifyReply, name: string, entries: AsyncIterable<Entry>): FastifyReply {
  return reply
    .headers({
      'content-type': 'application/zip',
      'content-disposition': disposition('attachment', `${safeName(name.replaceAll('.', ' '), new Set(), 90)}.zip`),
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    })
    .send(Readable.from(zip(entries), { objectMode: false, highWaterMark: 1024 * 1024 }))
}
