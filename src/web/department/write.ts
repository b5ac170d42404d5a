import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { NewDocument } from '../../documents/document.ts'
import { type Category, listCategories } from '../../registry/find-categories.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { endOfDay } from '../dates.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  type Form,
  filesHint,
  limitsForStaff,
  readDocuments,
  readDraft,
  readForm,
  toFieldError,
  toLine,
} from '../form.ts'
import { type FieldError, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'

/** A letter as the form holds it: dates in parts, as they were typed. */
type LetterDraft = Draft & {
  service: string
  recipient: string
  language: string
  mayAnswer: boolean
  category: string
  recipientOnly: boolean
  day: string
  month: string
  year: string
}

const languages = ['en', 'cy']
const identifierMax = 128

export function writePages(app: FastifyInstance, database: Database, keys: IdentifierKeys, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/department/write', async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'messages:write')
    const choices = await findChoices(database, actor)
    const blank = {
      service: '',
      recipient: '',
      language: 'en',
      mayAnswer: true,
      category: 'general',
      recipientOnly: false,
      day: '',
      month: '',
      year: '',
    }
    return sendForm(request, reply, choices, { ...emptyDraft(), ...blank })
  })

  scope.post('/department/write', async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'messages:write')
    const form = await readForm(request, limitsForStaff)
    const draft = readLetterDraft(form)
    const t = wordsFor(request)
    const choices = await findChoices(database, actor)
    const { services } = choices
    const service = services.length === 1 ? services[0] : services.find(({ slug }) => slug === draft.service)
    const { replyBy, errors: dateErrors } = readReplyBy(draft, clock(), t)
    const { documents, errors: fileErrors } = readDocuments(form, limitsForStaff, t)
    const errors = [...checkAddress(draft, service, t), ...checkDraft(draft, true, t), ...fileErrors, ...dateErrors]
    if (service === undefined || errors.length > 0) return sendForm(request, reply, choices, draft, errors)
    const submission = {
      reference: draft.reference,
      serviceId: service.id,
      recipient: { scheme: 'link', value: draft.recipient },
      subject: draft.subject,
      content: [{ language: draft.language, body: draft.text }],
      documents: withMain(documents),
      reply: { allowed: draft.mayAnswer, by: draft.mayAnswer ? replyBy?.toISOString() : undefined },
      category: draft.category,
      recipientOnly: draft.recipientOnly,
    }
    try {
      const { messageId } = await acceptOne(database, keys, actor, submission, clock())
      return reply.redirect(`/department/messages/${messageId}/confirmation`, 303)
    } catch (error) {
      const errors = [toFieldError(error, documents, t)]
      return sendForm(request, reply, choices, { ...draft, reference: newId() }, errors)
    }
  })
}

type Choices = { services: readonly Service[]; categories: readonly Category[] }

async function findChoices(database: Database, actor: Actor): Promise<Choices> {
  const ids = servicesFor(actor, 'messages:write') ?? []
  const [services, categories] = await Promise.all([listServices(database, { ids }), listCategories(database)])
  return { services, categories }
}

function readLetterDraft(form: Form): LetterDraft {
  const field = (name: string) => toLine(form.fields.get(name))
  const language = field('language')
  return {
    ...readDraft(form),
    service: field('service'),
    recipient: field('recipient'),
    language: languages.includes(language) ? language : 'en',
    mayAnswer: form.fields.has('mayAnswer'),
    category: field('category') || 'general',
    recipientOnly: form.fields.has('recipientOnly'),
    day: field('replyBy-day'),
    month: field('replyBy-month'),
    year: field('replyBy-year'),
  }
}

function checkAddress({ recipient }: LetterDraft, service: Service | undefined, t: Translate): FieldError[] {
  const errors: FieldError[] = []
  if (service === undefined) errors.push({ field: 'service', text: t('staff-write:service-missing') })
  if (recipient === '') errors.push({ field: 'recipient', text: t('staff-write:number-missing') })
  if (recipient.length > identifierMax)
    errors.push({ field: 'recipient', text: t('staff-write:number-too-long', { max: identifierMax }) })
  return errors
}

function readReplyBy({ day, month, year }: LetterDraft, now: Date, t: Translate): { replyBy?: Date; errors: FieldError[] } {
  if (day === '' && month === '' && year === '') return { errors: [] }
  const wrong = (text: string) => ({ errors: [{ field: 'replyBy', text }] })
  const replyBy = [day, month, year].every((part) => /^\d{1,4}$/.test(part))
    ? endOfDay(Number(year), Number(month), Number(day))
    : undefined
  if (replyBy === undefined) return wrong(t('staff-write:last-day-not-real'))
  if (replyBy < now) return wrong(t('staff-write:last-day-past'))
  return { replyBy, errors: [] }
}

/** The first PDF is the letter itself. */
function withMain(documents: readonly NewDocument[]): NewDocument[] {
  const main = documents.findIndex(({ files }) => files[0]!.mediaType === 'application/pdf')
  return documents.map((document, place) => (place === main ? { ...document, role: 'main' } : document))
}

function sendForm(request: FastifyRequest, reply: FastifyReply, choices: Choices, draft: LetterDraft, errors: FieldError[] = []) {
  const t = wordsFor(request)
  return sendPage(
    request,
    reply,
    'department/write',
    {
      title: t('shell:department.write'),
      section: 'write',
      ...choices,
      draft,
      errors,
      filesHint: filesHint(limitsForStaff, t),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}
