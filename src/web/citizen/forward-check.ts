import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../../mailbox/draft.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import { scheduleDraft } from '../../mailbox/schedule-draft.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { type Form, toFieldError } from '../form.ts'
import { viewLetter } from '../letter-view.ts'
import { renderMarkdown } from '../markdown.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { type Desk, type Writing, writingOf } from './writing.ts'
import { emptyWhen, formOwner, readWhen, type When } from './writing-page.ts'

const schema = { params: LetterParams }

/** Before a letter is handed on: whom it goes to, and what they will see. */
export function forwardCheckPages(app: FastifyInstance, surroundings: Desk): void {
  const { database, keys, clock, sendDraft } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const find = async (request: FastifyRequest, id: string) => {
    const { actor } = request.signedIn!
    const draft = await findDraft(database, actor, id, clock())
    const writing = await writingOf(surroundings, actor, draft)
    if (draft.kind !== 'forward' || writing.letter === undefined) throw new Problem('not-found')
    return { draft, writing }
  }

  scope.get('/drafts/:id/check', { schema }, async (request, reply) => {
    const { draft, writing } = await find(request, request.params.id)
    if (draft.sendAt !== null) return reply.redirect(`/drafts/${draft.id}`, 303)
    return sendCheck(request, reply, surroundings, draft, writing, emptyWhen)
  })

  scope.post('/drafts/:id/check', { schema, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const body = request.body as Record<string, unknown>
    const fields: Form['fields'] = new Map(Object.entries(body).map(([name, value]) => [name, String(value)]))
    const [when, version] = [readWhen(fields), Number(fields.get('draftVersion'))]
    const { id } = request.params
    const found = await find(request, id).catch((error) => {
      if (error instanceof Problem && error.code === 'not-found') return undefined
      throw error
    })
    const again = (errors: FieldError[]) => sendCheck(request, reply, surroundings, found!.draft, found!.writing, when, errors)
    const t = wordsFor(request)
    const errors = when.check(clock(), t)
    if (found && errors.length > 0) return again(errors)
    try {
      if (found && when.at) {
        await scheduleDraft(database, actor, { id, version }, when.at)
        return reply.redirect(`/drafts/${id}`, 303)
      }
      // Pressed twice, the second finds it sent.
      const { messageId } = await sendDraft(database, keys, actor, { id, version }, clock())
      return reply.redirect(`/sent/${messageId}/confirmation`, 303)
    } catch (error) {
      if (found === undefined) throw error
      return again([toFieldError(error, [], t, 'to')])
    }
  })
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Surroundings,
  draft: Draft,
  { letter, point }: Writing,
  when: When,
  errors: FieldError[] = [],
) {
  const view = viewLetter(letter!, '/letters', 3)
  return sendPage(
    request,
    reply,
    'citizen/forward-check',
    {
      title: wordsFor(request)('forward:check-title'),
      section: 'inbox',
      draft,
      point,
      asks: (point?.asks ?? []).map(({ label }, index) => ({ label: label.en, value: draft.answers[index] ?? '' })),
      comment: draft.body.trim() === '' ? undefined : renderMarkdown(draft.body, { firstHeading: 3, keepLineBreaks: true }),
      letter: view,
      texts: letter!.content.map(({ language }) => viewLetter(letter!, '/letters', 3, language)),
      isRecipientOnly: letter!.recipientOnly,
      when,
      errors,
      owner: formOwner(request, surroundings),
    },
    errors.length > 0 ? 422 : 200,
  )
}
