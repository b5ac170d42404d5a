import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { v7 as newId } from 'uuid'
import type { Config } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { MessageContact } from '../../delivery/message.ts'
import { browseContacts, findContactPoint, listOrganisations, mayWriteTo } from '../../registry/contact-browse.ts'
import { type ContactPoint, problemOfAnswer } from '../../registry/contact-point.ts'
import { searchContactPoints, searchLengthMax } from '../../registry/contact-search.ts'
import { Slug } from '../address.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  type Form,
  filesHint,
  limitsForPeople,
  readDocuments,
  readDraft,
  readForm,
  toFieldError,
  toLine,
} from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'

/** Where to write to, by searching or browsing, and then the message itself. */
export function writePages(app: FastifyInstance, surroundings: Surroundings): void {
  findingPages(app, surroundings)
  writingPages(app, surroundings)
}

function findingPages(app: FastifyInstance, { database }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const title = 'Who do you want to write to?'

  scope.get('/write', { schema: { querystring: Type.Object({ q: Type.Optional(Type.String()) }) } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const words = toLine(request.query.q).slice(0, searchLengthMax)
    const found = words === '' ? undefined : await searchContactPoints(database, actor, words)
    return sendPage(request, reply, 'citizen/organisations', {
      title: found ? `Search results – ${title}` : title,
      heading: title,
      section: 'write',
      words,
      found,
      organisations: found && found.points.length > 0 ? [] : await listOrganisations(database, actor),
    })
  })

  const sendLevel = async (request: FastifyRequest, reply: FastifyReply, at: { organisation: string; group?: string }) => {
    const level = await browseContacts(database, request.signedIn!.actor, at)
    const outer = level.path.at(-2)
    const folder = `/write/${at.organisation}`
    return sendPage(request, reply, 'citizen/contacts', {
      title: `What do you want to write to ${level.organisationName} about?`,
      section: 'write',
      level,
      folder,
      here: level.path.at(-1),
      back: at.group === undefined ? '/write' : outer ? `${folder}/groups/${outer.slug}` : folder,
    })
  }
  scope.get('/write/:organisation', { schema: { params: Type.Object({ organisation: Slug }) } }, (request, reply) =>
    sendLevel(request, reply, request.params),
  )
  const inGroup = { schema: { params: Type.Object({ organisation: Slug, group: Slug }) } }
  scope.get('/write/:organisation/groups/:group', inGroup, (request, reply) => sendLevel(request, reply, request.params))
}

/** What is in the form: the message, and what the contact point asks for beside it. */
type ContactDraft = Draft & { answers: string[] }

function writingPages(app: FastifyInstance, { config, database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: Type.Object({ organisation: Slug, point: Slug }) }

  scope.get('/write/:organisation/:point', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const point = await findContactPoint(database, actor, request.params)
    if (!mayWriteTo(actor, point)) return sendNotYours(request, reply, point)
    if (!point.active)
      return sendPage(request, reply, 'citizen/contact-closed', { title: 'Messages are not taken here', point }, 404)
    return sendForm(request, reply, config, point, { ...emptyDraft(), answers: [] })
  })

  scope.post('/write/:organisation/:point', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const point = await findContactPoint(database, actor, request.params)
    const limits = limitsForPeople(config, point)
    const form = await readForm(request, limits)
    if (!mayWriteTo(actor, point)) return sendNotYours(request, reply, point)
    const draft = { ...readDraft(form), answers: point.asks.map((_, index) => toLine(form.fields.get(`ask-${index}`))) }
    const { documents, errors: fileErrors } = readDocuments(form, limits)
    const errors = [...checkContact(point, form, draft), ...checkDraft(draft, true), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, config, point, draft, errors)
    const submission = {
      reference: draft.reference,
      serviceId: point.serviceId,
      subject: draft.subject,
      content: [{ language: 'en', body: draft.text }],
      documents,
      reply: { allowed: true },
      contact: toContact(point, draft),
    }
    try {
      const { messageId } = await acceptOne(database, keys, actor, submission, clock())
      return reply.redirect(`/sent/${messageId}/confirmation`, 303)
    } catch (error) {
      return sendForm(request, reply, config, point, { ...draft, reference: newId() }, [toFieldError(error, documents)])
    }
  })
}

/** Who helps may write to some services only. */
function sendNotYours(request: FastifyRequest, reply: FastifyReply, point: ContactPoint) {
  const title = `You cannot write to ${point.serviceName} from this mailbox`
  return sendPage(request, reply, 'citizen/contact-not-yours', { title, section: 'write', point }, 403)
}

/** Whether the point is as the writer saw it, and got what it asks for. */
function checkContact(point: ContactPoint, form: Form, { answers }: ContactDraft): FieldError[] {
  const wrong = (text: string) => [{ field: point.asks.length > 0 ? 'ask-0' : 'subject', text }]
  if (!point.active || point.formUrl !== null) {
    return wrong('Messages are no longer taken here. Copy what you wrote, and choose another place to write to')
  }
  if (form.fields.get('version') !== String(point.version)) {
    return wrong('This form has been changed while you were writing. Check it, and send it once more')
  }
  return point.asks.flatMap((ask, index) => {
    const problem = problemOfAnswer(ask, answers[index]!)
    if (problem === undefined) return []
    const text =
      problem === 'missing' ? `Fill in “${ask.label.en}”` : `“${ask.label.en}” must be ${ask.maxLength} characters or fewer`
    return [{ field: `ask-${index}`, text }]
  })
}

function toContact(point: ContactPoint, { answers }: ContactDraft): MessageContact {
  const fields = point.asks.map(({ label }, index) => ({ label: label.en, value: answers[index]! }))
  return { pointId: point.id, pointName: point.name.en, fields: fields.filter(({ value }) => value !== '') }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Config,
  point: ContactPoint,
  draft: ContactDraft,
  errors: FieldError[] = [],
) {
  // What was typed is shown again even where the point has become a link meanwhile.
  const isLink = point.formUrl !== null && errors.length === 0
  const limits = limitsForPeople(config, point)
  return sendPage(
    request,
    reply,
    isLink ? 'citizen/contact-form-link' : 'citizen/write',
    {
      title: isLink ? point.name.en : `Write to ${point.organisationName}`,
      section: 'write',
      point,
      asks: point.asks.map((ask, index) => ({ ...ask, id: `ask-${index}`, answer: draft.answers[index] ?? '' })),
      formHost: point.formUrl === null ? undefined : new URL(point.formUrl).host,
      draft,
      errors,
      takesFiles: limits.files > 0,
      filesHint: filesHint(limits),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
