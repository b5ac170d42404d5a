import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Database } from '../../database/connect.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { LetterParams } from '../address.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  filesHint,
  limitsForStaff,
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

  scope.get('/department/messages/:id/answer', { schema }, async (request, reply) =>
    sendForm(request, reply, await open(database, request.signedIn!.actor, request.params.id, clock()), emptyDraft(), true),
  )

  scope.post('/department/messages/:id/answer', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const form = await readForm(request, limitsForStaff)
    const draft = readDraft(form)
    const mayAnswer = form.fields.has('mayAnswer')
    const letter = await open(database, actor, request.params.id, clock())
    const { documents, errors: fileErrors } = readDocuments(form, limitsForStaff)
    const errors = [...checkDraft(draft, false), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, letter, draft, mayAnswer, errors)
    const submission = {
      reference: draft.reference,
      serviceId: letter.serviceId,
      answersId: letter.id,
      subject: subjectOfAnswer(letter.subject),
      content: [{ language: 'en', body: draft.text }],
      documents,
      reply: { allowed: mayAnswer },
    }
    try {
      const { messageId } = await acceptOne(database, keys, actor, submission, clock())
      return reply.redirect(`/department/messages/${messageId}/confirmation`, 303)
    } catch (error) {
      const problem = toFieldError(error, documents)
      return sendForm(request, reply, letter, { ...draft, reference: newId() }, mayAnswer, [problem])
    }
  })
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  letter: Letter,
  draft: Draft,
  mayAnswer: boolean,
  errors: FieldError[] = [],
) {
  return sendPage(
    request,
    reply,
    'department/answer',
    {
      title: `Answer ${letter.senderName}`,
      section: 'inbox',
      letter,
      draft,
      mayAnswer,
      errors,
      filesHint: filesHint(limitsForStaff),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
