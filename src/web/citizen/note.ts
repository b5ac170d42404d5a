import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { requireRight } from '../../access/rights.ts'
import { find } from '../../mailbox/find.ts'
import { findPlace, noteLengthMax, writeNote } from '../../mailbox/note.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { formOwner } from './writing-page.ts'

const NoteForm = Type.Object({
  csrf: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ maxLength: 100_000 })),
  version: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
})

/** The note of a letter, for whoever reads the mailbox. */
export function notePages(app: FastifyInstance, surroundings: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/letters/:id/note', { schema: { params: LetterParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'mailbox:file')
    const { id } = request.params
    const { note, noteVersion: version } = await findPlace(surroundings.database, actor, id)
    return sendNote(request, reply, surroundings, { id, text: note ?? '', version })
  })

  const schema = { params: LetterParams, body: NoteForm }
  scope.post('/letters/:id/note', { schema, preHandler: checkForm }, (request, reply) => {
    const { text = '', version } = request.body
    return receiveNote(request, reply, surroundings, { id: request.params.id, text, version })
  })
}

type Note = { id: string; text: string; version: number }

/** Keeps what was written, or shows it beside what is wrong, or what somebody else has written meanwhile. */
export async function receiveNote(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Surroundings,
  { id, version, ...typed }: Note,
): Promise<FastifyReply> {
  const text = toText(typed.text)
  const { database, clock } = surroundings
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  if (text.length > noteLengthMax) {
    await findPlace(database, actor, id)
    const error = { field: 'text', text: t('filing:note.too-long', { count: noteLengthMax }) }
    return sendNote(request, reply, surroundings, { id, text, version, errors: [error] })
  }
  const { isWritten, place } = await writeNote(database, actor, { messageId: id, text, version }, clock())
  if (isWritten) return reply.redirect(`/letters/${id}?noted=1`, 303)
  const error = { field: 'text', text: t('filing:note.conflict') }
  const theirs = place.note ?? ''
  return sendNote(request, reply, surroundings, { id, text, version: place.noteVersion, theirs, errors: [error] })
}

async function sendNote(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Surroundings,
  note: Note & { theirs?: string; errors?: FieldError[] },
): Promise<FastifyReply> {
  const { subject } = await find(surroundings.database, request.signedIn!.actor, note.id)
  const title = wordsFor(request)('filing:note.title')
  const { errors = [], ...shown } = note
  const owner = formOwner(request, surroundings)
  const data = { title, section: 'inbox' as const, subject, note: shown, noteLengthMax, owner, errors }
  return sendPage(request, reply, 'citizen/note', data, errors.length > 0 ? 422 : 200)
}

/** As it is kept: browsers write line ends in two characters. */
function toText(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll('\0', '').trim()
}
