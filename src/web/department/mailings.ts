import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import { createMailing, deleteMailing } from '../../delivery/create-mailing.ts'
import { findMailing, listMailings } from '../../delivery/find-mailings.ts'
import { findTemplate, listTemplates } from '../../delivery/find-templates.ts'
import { headerFor, mailingNameMax, type RowFault } from '../../delivery/mailing.ts'
import { paperAsCsv, rowErrorsAsCsv, unsentAsCsv } from '../../delivery/mailing-csv.ts'
import { utf8Mark, writeCsv } from '../../delivery/reconciliation.ts'
import { takeMailingOver } from '../../delivery/start-mailing.ts'
import { placeholdersOf } from '../../delivery/template.ts'
import { Problem, type ProblemCode } from '../../problems.ts'
import { listServices } from '../../registry/services.ts'
import { LetterParams as MailingParams } from '../address.ts'
import { disposition } from '../download.ts'
import { readReference } from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'
import { mailingFilePages } from './mailing-file.ts'
import { sendMailingPage } from './mailing-page.ts'
import { mailingSendPages } from './mailing-send.ts'
import { readPosted } from './posted-form.ts'
import { problemInWords, rowFaultInWords } from './problem-words.ts'

const folder = '/department/mailings'
const section = 'mailings'
const mailingsShown = 50

const Id = Type.String({ format: 'uuid' })
const After = Type.Object({ after: Type.Optional(Id) })
const Chosen = Type.Object({ template: Type.Optional(Id) })
/** Which row of the file is shown as a letter. */
const Shown = Type.Object({ row: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000_000_000 })) })

/** One template to everybody in a spreadsheet: whoever reads a service's post sees its mailings, and who writes it makes and sends them. */
export function mailingPages(app: FastifyInstance, surroundings: Surroundings): void {
  listing(app, surroundings)
  making(app, surroundings)
  showing(app, surroundings)
  mailingFilePages(app, surroundings)
  mailingSendPages(app, surroundings)
}

function listing(app: FastifyInstance, { database }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.get(folder, { schema: { querystring: After } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { after } = request.query
    const found = await listMailings(database, actor, { after, limit: mailingsShown + 1 })
    const shown = found.slice(0, mailingsShown)
    const t = wordsFor(request)
    const services = await listServices(database, { ids: servicesFor(actor, 'messages:read') ?? [] })
    return sendPage(request, reply, 'department/mailings', {
      title: t('shell:department.mailings'),
      section,
      mailings: shown.map((mailing) => ({
        ...mailing,
        stateInWords: t(`staff-mailings:states.${mailing.state}`),
        service: services.find(({ id }) => id === mailing.senderId)?.name,
        href: `${folder}/${mailing.id}`,
      })),
      older: found.length > mailingsShown ? `${folder}?after=${shown.at(-1)!.id}` : undefined,
      isFirst: after === undefined,
      mayWrite: actor.rights.has('messages:write'),
    })
  })
}

function making(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(`${folder}/new`, { schema: { querystring: Chosen } }, async (request, reply) => {
    const choices = await findChoices(request.signedIn!.actor)
    return sendForm(request, reply, choices, { id: newId(), name: '', template: request.query.template ?? '' })
  })

  scope.post(`${folder}/new`, async (request, reply) => {
    const { actor } = request.signedIn!
    const posted = await readPosted(request)
    const choices = await findChoices(actor)
    const id = readReference(new Map([['reference', posted.line('reference')]]))
    const draft = { id, name: posted.line('name'), template: posted.line('template') }
    const t = wordsFor(request)
    const errors: FieldError[] = []
    if (draft.name === '') errors.push({ field: 'name', text: t('staff-mailings:name-missing') })
    if (draft.name.length > mailingNameMax)
      errors.push({ field: 'name', text: t('staff-mailings:name-too-long', { max: mailingNameMax }) })
    if (!choices.some(({ id }) => id === draft.template))
      errors.push({ field: 'template', text: t('staff-mailings:template-missing') })
    if (errors.length > 0) return sendForm(request, reply, choices, draft, errors)
    const { name, template: templateId } = draft
    await createMailing(database, actor, { id, name, templateId }, clock())
    return reply.redirect(`${folder}/${id}`, 303)
  })

  scope.post(`${folder}/:id/delete`, { schema: { params: MailingParams } }, async (request, reply) => {
    await readPosted(request)
    await deleteMailing(database, request.signedIn!.actor, request.params.id)
    return reply.redirect(folder, 303)
  })

  scope.post(`${folder}/:id/take-over`, { schema: { params: MailingParams } }, async (request, reply) => {
    await readPosted(request)
    await takeMailingOver(database, request.signedIn!.actor, request.params.id)
    return reply.redirect(`${folder}/${request.params.id}`, 303)
  })

  async function findChoices(actor: Actor) {
    requireRight(actor, 'messages:write')
    const ids = servicesFor(actor, 'messages:write') ?? []
    const [templates, services] = await Promise.all([listTemplates(database, actor), listServices(database, { ids })])
    return templates
      .filter(({ senderId, archivedAt }) => archivedAt === null && ids.includes(senderId))
      .map(({ id, name, senderId }) => ({ id, name, service: services.find((one) => one.id === senderId)?.name }))
  }
}

type Choice = { id: string; name: string; service: string | undefined }
type Draft = { id: string; name: string; template: string }

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  templates: readonly Choice[],
  draft: Draft,
  errors: FieldError[] = [],
): FastifyReply {
  const data = { title: wordsFor(request)('staff-mailings:make'), section, templates, draft, errors } as const
  return sendPage(request, reply, 'department/mailing-new', data, errors.length > 0 ? 422 : 200)
}

function showing(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(`${folder}/:id`, { schema: { params: MailingParams, querystring: Shown } }, async (request, reply) =>
    sendMailingPage(request, reply, surroundings, request.params.id, { row: request.query.row }),
  )

  const download = (reply: FastifyReply, name: string, content: string | AsyncIterable<string>) =>
    reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', disposition('attachment', name))
      .header('cache-control', 'no-store')
      .send(typeof content === 'string' ? content : Readable.from(content))

  scope.get(`${folder}/:id/columns.csv`, { schema: { params: MailingParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const { templateId, templateVersion, name } = await findMailing(database, actor, request.params.id)
    const { content } = await findTemplate(database, actor, templateId, templateVersion)
    // With its mark, by which Excel knows that it is in UTF-8.
    return download(reply, `${name}.csv`, utf8Mark + writeCsv([headerFor(placeholdersOf(content))]))
  })

  scope.get(`${folder}/:id/errors.csv`, { schema: { params: MailingParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const mailing = await findMailing(database, actor, request.params.id)
    const t = wordsFor(request)
    const words = {
      columns: [t('staff-mailings:csv.row'), t('staff-mailings:csv.column'), t('staff-mailings:csv.wrong')],
      inWords: (fault: RowFault) => rowFaultInWords(fault, keys.schemes, languageOf(request)),
    }
    const rows = rowErrorsAsCsv(database, actor, mailing, words)
    return download(reply, t('staff-mailings:csv.errors', { name: mailing.name }), rows)
  })

  scope.get(`${folder}/:id/paper.csv`, { schema: { params: MailingParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const mailing = await findMailing(database, actor, request.params.id)
    const { content } = await findTemplate(database, actor, mailing.templateId, mailing.templateVersion)
    const t = wordsFor(request)
    const words = {
      columns: [t('staff-mailings:csv.row'), t('staff-mailings:csv.why')],
      inWords: (code: ProblemCode) => problemInWords(code, t),
    }
    const rows = paperAsCsv(database, keys, actor, mailing, placeholdersOf(content), words)
    return download(reply, t('staff-mailings:csv.paper', { name: mailing.name }), rows)
  })

  scope.get(`${folder}/:id/unsent.csv`, { schema: { params: MailingParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const mailing = await findMailing(database, actor, request.params.id)
    // What may still be sent is not to be sent as another mailing too.
    if (mailing.state === 'sending') throw new Problem('not-found')
    const { content } = await findTemplate(database, actor, mailing.templateId, mailing.templateVersion)
    const rows = unsentAsCsv(database, keys, actor, mailing, placeholdersOf(content))
    return download(reply, wordsFor(request)('staff-mailings:csv.unsent', { name: mailing.name }), rows)
  })
}
