import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Database } from '../../database/connect.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { type Letter, mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { LetterParams } from '../address.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  filesHint,
  limitsForPeople,
  readDocuments,
  readDraft,
  readForm,
  subjectOfAnswer,
  toFieldError,
} from '../form.ts'
import { type FieldError, sendPage } from '../page.ts'

export function answerPages(app: FastifyInstance, database: Database, keys: IdentifierKeys, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }

  scope.get('/letters/:id/answer', { schema }, async (request, reply) => {
    const letter = await open(database, request.signedIn!.actor, request.params.id, clock())
    if (!mayBeAnswered(letter, clock())) return reply.redirect(`/letters/${letter.id}`, 303)
    return sendForm(request, reply, letter, emptyDraft())
  })

  scope.post('/letters/:id/answer', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const form = await readForm(request, limitsForPeople)
    const draft = readDraft(form)
    const letter = await open(database, actor, request.params.id, clock())
    const { documents, errors: fileErrors } = readDocuments(form, limitsForPeople)
    const errors = [...checkDraft(draft, false), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, letter, draft, errors)
    const submission = {
      reference: draft.reference,
      serviceId: letter.serviceId,
      answersId: letter.id,
      subject: subjectOfAnswer(letter.subject),
      content: [{ language: 'en', body: draft.text }],
      documents,
      reply: { allowed: true },
    }
    try {
      const { messageId } = await acceptOne(database, keys, actor, submission, clock())
      return reply.redirect(`/sent/${messageId}/confirmation`, 303)
    } catch (error) {
      return sendForm(request, reply, letter, { ...draft, reference: newId() }, [toFieldError(error, documents)])
    }
  })
}

function sendForm(request: FastifyRequest, reply: FastifyReply, letter: Letter, draft: Draft, errors: FieldError[] = []) {
  return sendPage(
    request,
    reply,
    'citizen/answer',
    {
      title: `Answer ${letter.senderName}`,
      section: 'inbox',
      letter,
      draft,
      errors,
      filesHint: filesHint(limitsForPeople),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
