import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import { acceptOne } from '../../delivery/accept.ts'
import { subjectOfAnswer } from '../../delivery/forwarding.ts'
import { type Letter, mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
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
  toFieldError,
} from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'

const folder = '/department/messages'

/** Answering a message. Whether the person may answer again is for the member of staff to say. */
export function answerPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const address = `${folder}/:id/answer`
  const schema = { params: LetterParams }

  scope.get(address, { schema }, async (request, reply) => {
    const letter = await open(database, request.signedIn!.actor, request.params.id, clock())
    if (!mayBeAnswered(letter, clock())) return reply.redirect(`${folder}/${letter.id}`, 303)
    return sendForm(request, reply, letter, { ...emptyDraft(), mayAnswer: true })
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const form = await readForm(request, limitsForStaff)
    const draft = { ...readDraft(form), mayAnswer: form.fields.has('mayAnswer') }
    const letter = await open(database, actor, request.params.id, clock())
    const t = wordsFor(request)
    const { documents, errors: fileErrors } = readDocuments(form, limitsForStaff, t)
    const errors = [...checkDraft(draft, false, t), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, letter, draft, errors)
    const submission = {
      reference: draft.reference,
      serviceId: letter.serviceId,
      answersId: letter.id,
      subject: subjectOfAnswer(letter.subject),
      content: [{ language: 'en', body: draft.text }],
      documents,
      reply: { allowed: draft.mayAnswer },
    }
    try {
      const { messageId } = await acceptOne(database, keys, actor, submission, clock())
      return reply.redirect(`${folder}/${messageId}/confirmation`, 303)
    } catch (error) {
      return sendForm(request, reply, letter, { ...draft, reference: newId() }, [toFieldError(error, documents, t, 'text')])
    }
  })
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  letter: Letter,
  draft: Draft & { mayAnswer: boolean },
  errors: FieldError[] = [],
) {
  const t = wordsFor(request)
  return sendPage(
    request,
    reply,
    'department/answer',
    {
      title: t('write:title-answer', { name: letter.senderName }),
      section: 'inbox',
      letter,
      draft,
      errors,
      filesHint: filesHint(limitsForStaff, t),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
