import type { FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Actor } from '../../access/actor.ts'
import type { sendDraft } from '../../delivery/send-draft.ts'
import { commentLengthMax, type Draft, type DraftAim, type DraftWords, isEmpty } from '../../mailbox/draft.ts'
import { addDraftFile, removeDraftFile } from '../../mailbox/draft-files.ts'
import { readThread } from '../../mailbox/find.ts'
import { findDraft } from '../../mailbox/find-draft.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { renewDraft, saveDraft } from '../../mailbox/save-draft.ts'
import { scheduleDraft } from '../../mailbox/schedule-draft.ts'
import { Problem } from '../../problems.ts'
import { findContactPoint, mayWriteTo } from '../../registry/contact-browse.ts'
import { type ContactPoint, problemOfAnswer } from '../../registry/contact-point.ts'
import { clockInWords } from '../dates.ts'
import {
  checkDraft,
  checkLengths,
  type Form,
  inWords,
  type Limits,
  limitInWords,
  limitsForPeople,
  mediaTypeOf,
  readReference,
  toFieldError,
  toLine,
  toText,
} from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import { type Conflict, emptyWhen, isJson, readWhen, sendWritingPage, toWhen, viewFiles, type When } from './writing-page.ts'

/** What pages for writing need of the program around them: with the way out. */
export type Desk = Surroundings & { sendDraft: typeof sendDraft }

/** What somebody writes: a new message, an answer, or a comment on a letter that they hand on. */
export type Writing = {
  aim: DraftAim
  /** Where it is not in the drafts yet. */
  address: string
  point: ContactPoint | undefined
  letter: Letter | undefined
  thread: Letter[]
  limits: Limits
}

/** What is in the form, as it was typed. */
export type Typed = DraftWords & { id: string; version: number; when: When }

export function writingTo({ config }: Desk, actor: Actor, point: ContactPoint): Writing {
  const aim: DraftAim = {
    kind: 'new',
    messageId: null,
    contactPointId: point.id,
    toPartyId: null,
    toName: point.organisationName,
    serviceId: point.serviceId,
    // Who writes for another within limits goes on to see it.
    category: actor.categories?.[0] ?? 'general',
    recipientOnly: false,
  }
  const address = `/write/${point.organisationSlug}/${point.slug}`
  return { aim, address, point, letter: undefined, thread: [], limits: limitsForPeople(config, point) }
}

export async function answering({ config, database, clock }: Desk, actor: Actor, letter: Letter): Promise<Writing> {
  const aim: DraftAim = {
    kind: 'answer',
    messageId: letter.id,
    contactPointId: null,
    toPartyId: null,
    toName: letter.senderName,
    serviceId: letter.serviceId,
    category: letter.category,
    recipientOnly: letter.recipientOnly,
  }
  const thread = await readThread(database, actor, letter.threadId, clock(), letter.id)
  return { aim, address: `/letters/${letter.id}/answer`, point: undefined, letter, thread, limits: limitsForPeople(config) }
}

/** What a draft is of. What it answers, and where it goes, may be gone meanwhile: what was written is shown all the same. */
export async function writingOf(surroundings: Desk, actor: Actor, draft: Draft): Promise<Writing> {
  const { database, config, clock } = surroundings
  const orNothing = async <T>(finding: Promise<T>) =>
    finding.catch((error) => {
      if (error instanceof Problem && error.code === 'not-found') return undefined
      throw error
    })
  const { contactPointId, messageId } = draft
  const [point, letter] = await Promise.all([
    contactPointId === null ? undefined : orNothing(findContactPoint(database, actor, { id: contactPointId })),
    messageId === null ? undefined : orNothing(open(database, actor, messageId, clock())),
  ])
  const thread = letter && draft.kind === 'answer' ? await readThread(database, actor, letter.threadId, clock(), letter.id) : []
  const limits = draft.kind === 'forward' ? { files: 0, bytes: 0 } : limitsForPeople(config, point)
  return { aim: draft, address: `/drafts/${draft.id}`, point, letter, thread, limits }
}

/** The form as it is first seen: empty, or with what is in the draft. */
export function showWriting(request: FastifyRequest, reply: FastifyReply, surroundings: Desk, writing: Writing, draft?: Draft) {
  const typed: Typed = draft
    ? { ...wordsOf(draft), id: draft.id, version: draft.version, when: toWhen(draft.sendAt) }
    : { id: newId(), version: 0, subject: '', body: '', answers: [], when: emptyWhen }
  return sendWritingPage(request, reply, surroundings, writing, typed, { draft })
}

const wordsOf = ({ subject, body, answers }: Draft): DraftWords => ({ subject, body, answers })

function readTyped(form: Form, { aim, point }: Writing, id: string | undefined): Typed {
  const { fields } = form
  const version = Number(fields.get('draftVersion') ?? 0)
  return {
    id: id ?? readReference(fields),
    version: Number.isSafeInteger(version) && version >= 0 ? version : 0,
    subject: aim.kind === 'new' ? toLine(fields.get('subject')) : '',
    body: toText(fields.get('text')),
    answers: (point?.asks ?? []).map((_, index) => toLine(fields.get(`ask-${index}`))),
    when: readWhen(fields),
  }
}

/** What comes of a form that was sent: it is kept, and then what its button says is done. */
export async function receiveWriting(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Desk,
  writing: Writing,
  form: Form,
  id?: string,
) {
  const typed = readTyped(form, writing, id)
  const action = form.fields.get('action') ?? 'send'
  const t = wordsFor(request)
  const show = (errors: FieldError[], more: { draft?: Draft | undefined; conflict?: Conflict } = {}, shown = typed) =>
    isJson(request)
      ? answerJson(request, reply, surroundings, more.draft, errors, more.conflict)
      : sendWritingPage(request, reply, surroundings, writing, shown, { ...more, errors })
  const tooLong = checkTooLong(typed, writing, t)
  // What cannot be kept as it is, or need not be.
  if (tooLong.length > 0)
    return show(
      action === 'send' && writing.aim.kind !== 'forward' ? checkWhole(writing, typed, form, surroundings.clock(), t) : tooLong,
    )
  if (isEmpty(typed) && form.files.length === 0 && id === undefined)
    return action === 'send' ? show(checkWhole(writing, typed, form, surroundings.clock(), t)) : show([])
  const saved = await save(request, surroundings, writing, typed)
  if ('code' in saved) return show([{ field: 'text', text: t(`drafts:problems.${saved.code}`) }])
  if (saved.isConflict)
    return show([{ field: 'text', text: t('drafts:conflict') }], { draft: saved.draft, conflict: saved.draft })
  const fileErrors = await changeFiles(request, surroundings, writing, typed.id, form, action)
  const { actor } = request.signedIn!
  const draft = await findDraft(surroundings.database, actor, typed.id, surroundings.clock())
  const kept = { ...typed, version: draft.version }
  const errors = action === 'send' ? [...checkWhole(writing, typed, form, surroundings.clock(), t), ...fileErrors] : fileErrors
  if (isJson(request) || errors.length > 0) return show(errors, { draft }, kept)
  if (action === 'save') return reply.redirect(`/drafts/${typed.id}?saved`, 303)
  if (action !== 'send') return reply.redirect(`/drafts/${typed.id}#files`, 303)
  return finish(request, reply, surroundings, writing, kept)
}

/** What comes of a form at a contact point. */
export function receiveNew(request: FastifyRequest, reply: FastifyReply, surroundings: Desk, point: ContactPoint, form: Form) {
  const { actor } = request.signedIn!
  if (!mayWriteTo(actor, point)) return sendNotYours(request, reply, point)
  return receiveWriting(request, reply, surroundings, writingTo(surroundings, actor, point), form)
}

/** Who helps may write to some services only. */
export function sendNotYours(request: FastifyRequest, reply: FastifyReply, point: ContactPoint) {
  const title = wordsFor(request)('contacts:not-yours', { name: point.serviceName })
  return sendPage(request, reply, 'citizen/contact-not-yours', { title, section: 'write', point }, 403)
}

/** Answers why it could not be kept, where that is for its writer to know. */
async function save(request: FastifyRequest, { database, clock }: Desk, { aim }: Writing, typed: Typed) {
  try {
    return await saveDraft(database, request.signedIn!.actor, { ...typed, aim }, clock())
  } catch (error) {
    if (error instanceof Problem && error.code === 'too-many-drafts') return { code: error.code }
    throw error
  }
}

/** Adds what was chosen, and takes away what a button says. */
async function changeFiles(
  request: FastifyRequest,
  { database }: Desk,
  { limits }: Writing,
  draftId: string,
  form: Form,
  action: string,
): Promise<FieldError[]> {
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  const removed = /^remove:([0-9a-f-]{36})$/.exec(action)?.[1]
  if (removed) await removeDraftFile(database, actor, draftId, removed)
  if (form.isTooLarge) return [{ field: 'files', text: limitInWords('too-large', limits, t) }]
  const errors: FieldError[] = []
  for (const { name, bytes } of form.files) {
    try {
      await addDraftFile(database, actor, draftId, { filename: name, mediaType: mediaTypeOf(name), bytes }, limits)
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'not-found') throw error
      const isLimit = error.code === 'too-large' || error.code === 'too-many-files'
      const text = isLimit ? limitInWords(error.code as 'too-large', limits, t) : inWords(error.code, name, t)
      if (!errors.some((other) => other.text === text)) errors.push({ field: 'files', text })
    }
  }
  return errors
}

function checkTooLong(typed: Typed, { aim }: Writing, t: Translate): FieldError[] {
  if (aim.kind !== 'forward') return checkLengths({ subject: typed.subject, text: typed.body }, t)
  if (typed.body.length <= commentLengthMax) return []
  return [{ field: 'text', text: t('forward:comment-too-long', { max: commentLengthMax }) }]
}

/** What is wrong with it, in the order of the form. */
function checkWhole(writing: Writing, typed: Typed, form: Form, now: Date, t: Translate): FieldError[] {
  const { aim, point } = writing
  const words = { subject: typed.subject, text: typed.body }
  return [
    ...(point
      ? checkContact(point, form, typed, t)
      : aim.contactPointId
        ? [{ field: 'text', text: t('form:problems.contact-closed') }]
        : []),
    ...(aim.kind === 'forward' ? [] : checkDraft(words, aim.kind === 'new', t)),
    ...(aim.kind === 'forward' ? [] : typed.when.check(now, t)),
  ]
}

/** Whether the point is as the writer saw it, and got what it asks for. */
function checkContact(point: ContactPoint, form: Form, { answers }: Typed, t: Translate): FieldError[] {
  const wrong = (text: string) => [{ field: point.asks.length > 0 ? 'ask-0' : 'subject', text }]
  if (!point.active || point.formUrl !== null) return wrong(t('form:problems.contact-closed'))
  if (form.fields.get('version') !== String(point.version)) return wrong(t('write:form-changed'))
  return point.asks.flatMap((ask, index) => {
    const problem = problemOfAnswer(ask, answers[index]!)
    if (problem === undefined) return []
    const values = { label: ask.label.en, max: ask.maxLength }
    return [{ field: `ask-${index}`, text: t(problem === 'missing' ? 'write:ask-missing' : 'write:ask-too-long', values) }]
  })
}

/** Sends it now, or lets it be sent later; a letter that is handed on is looked at once more before. */
async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: Desk,
  writing: Writing,
  { id, version, when, ...typed }: Typed,
) {
  const { database, keys, clock, sendDraft } = surroundings
  const { actor } = request.signedIn!
  if (writing.aim.kind === 'forward') return reply.redirect(`/drafts/${id}/check`, 303)
  try {
    if (when.at) {
      await scheduleDraft(database, actor, { id, version }, when.at)
      return reply.redirect(`/drafts/${id}`, 303)
    }
    const { messageId } = await sendDraft(database, keys, actor, { id, version }, clock())
    return reply.redirect(`/sent/${messageId}/confirmation`, 303)
  } catch (error) {
    const recipientField = writing.aim.kind === 'new' ? 'subject' : 'text'
    const errors = [toFieldError(error, [], wordsFor(request), recipientField)]
    // What was sent under this reference said something else: this is another message from now on.
    const isUsed = error instanceof Problem && error.code === 'reference-used'
    const newest = await findDraft(database, actor, isUsed ? await renewDraft(database, actor, id) : id, clock())
    const shown = { ...typed, when, id: newest.id, version: newest.version }
    return sendWritingPage(request, reply, surroundings, writing, shown, { draft: newest, errors })
  }
}

/** For the script of the form. */
function answerJson(
  request: FastifyRequest,
  reply: FastifyReply,
  { clock }: Desk,
  draft: Draft | undefined,
  errors: FieldError[],
  conflict?: Conflict,
) {
  const t = wordsFor(request)
  return reply
    .code(conflict ? 409 : errors.length > 0 ? 422 : 200)
    .header('cache-control', 'no-store')
    .send({
      ...(draft && !conflict ? { draft: draft.id, version: draft.version, files: viewFiles(wordsFor(request), draft) } : {}),
      saved: draft && !conflict ? t('drafts:saved-at', { time: clockInWords(clock(), languageOf(request)) }) : '',
      isConflict: conflict !== undefined,
      errors,
    })
}
