import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import { acceptOne } from '../delivery/accept.ts'
import { type Letter, mayBeAnswered } from '../mailbox/letter.ts'
import { open } from '../mailbox/open.ts'
import { LetterParams } from './address.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  filesHint,
  type Limits,
  readDocuments,
  readDraft,
  readForm,
  subjectOfAnswer,
  toFieldError,
} from './form.ts'
import { type FieldError, type Surroundings, sendPage } from './page.ts'

/** In what the two doors differ. */
export type AnswerDoor = {
  template: string
  /** The address that messages have, and that of those sent. */
  folder: string
  sentFolder: string
  limits: Limits
  /** A person's answer may always be answered; staff say whether theirs may. */
  asksWhetherToAnswer: boolean
}

/** Answering a message, for both doors. */
export function answerPages(app: FastifyInstance, { database, keys, clock }: Surroundings, door: AnswerDoor): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const address = `${door.folder}/:id/answer`
  const schema = { params: LetterParams }

  scope.get(address, { schema }, async (request, reply) => {
    const letter = await open(database, request.signedIn!.actor, request.params.id, clock())
    if (!mayBeAnswered(letter, clock())) return reply.redirect(`${door.folder}/${letter.id}`, 303)
    return sendForm(request, reply, door, letter, { ...emptyDraft(), mayAnswer: true })
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const form = await readForm(request, door.limits)
    const draft = { ...readDraft(form), mayAnswer: !door.asksWhetherToAnswer || form.fields.has('mayAnswer') }
    const letter = await open(database, actor, request.params.id, clock())
    const { documents, errors: fileErrors } = readDocuments(form, door.limits)
    const errors = [...checkDraft(draft, false), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, door, letter, draft, errors)
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
      return reply.redirect(`${door.sentFolder}/${messageId}/confirmation`, 303)
    } catch (error) {
      return sendForm(request, reply, door, letter, { ...draft, reference: newId() }, [toFieldError(error, documents, 'text')])
    }
  })
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  { template, limits }: AnswerDoor,
  letter: Letter,
  draft: Draft & { mayAnswer: boolean },
  errors: FieldError[] = [],
) {
  return sendPage(
    request,
    reply,
    template,
    {
      title: `Answer ${letter.senderName}`,
      section: 'inbox',
      letter,
      draft,
      errors,
      filesHint: filesHint(limits),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
