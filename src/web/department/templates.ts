import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { findTemplate, listTemplates, listTemplateVersions, type TemplateFound } from '../../delivery/find-templates.ts'
import { archiveTemplate, saveTemplate } from '../../delivery/save-template.ts'
import { placeholdersOf } from '../../delivery/template.ts'
import { Problem } from '../../problems.ts'
import { type Category, listCategories } from '../../registry/find-categories.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { LetterParams as TemplateParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'
import {
  blankTemplate,
  checkTemplate,
  contentOf,
  draftOf,
  examplesOf,
  previewOf,
  readTemplateDraft,
  type TemplateDraft,
  templateOf,
} from './template-form.ts'

const folder = '/department/templates'
const section = 'templates'
/** Three languages as long as a letter may be, as a form sends them. */
const formBytesMax = 4 * 1024 * 1024

const VersionParams = Type.Object({ ...TemplateParams.properties, version: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }) })

/** Letters with gaps: whoever reads a service's post sees its templates, and who writes it changes them. */
export function templatePages(app: FastifyInstance, surroundings: Surroundings): void {
  showing(app, surroundings)
  changing(app, surroundings)
}

function showing(app: FastifyInstance, { database }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, async (request, reply) => {
    const { actor } = request.signedIn!
    const found = await listTemplates(database, actor)
    const services = await listServices(database, { ids: servicesFor(actor, 'messages:read') ?? [] })
    const view = (template: TemplateFound) => ({
      name: template.name,
      href: `${folder}/${template.id}`,
      service: services.find(({ id }) => id === template.senderId)?.name,
      savedAt: template.savedAt,
      savedByName: template.savedByName,
    })
    return sendPage(request, reply, 'department/templates', {
      title: wordsFor(request)('shell:department.templates'),
      section,
      inUse: found.filter(({ archivedAt }) => archivedAt === null).map(view),
      archived: found.filter(({ archivedAt }) => archivedAt !== null).map(view),
      mayWrite: actor.rights.has('messages:write'),
    })
  })

  scope.get(`${folder}/:id`, { schema: { params: TemplateParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    return sendTemplate(request, reply, database, await findTemplate(database, actor, request.params.id))
  })

  scope.get(`${folder}/:id/versions/:version`, { schema: { params: VersionParams } }, async (request, reply) => {
    const { id, version } = request.params
    return sendTemplate(request, reply, database, await findTemplate(database, request.signedIn!.actor, id, version))
  })

  scope.get(`${folder}/:id/history`, { schema: { params: TemplateParams } }, async (request, reply) => {
    const { id } = request.params
    const versions = await listTemplateVersions(database, request.signedIn!.actor, id)
    return sendPage(request, reply, 'department/template-history', {
      title: wordsFor(request)('staff-templates:versions'),
      section,
      template: versions[0],
      href: `${folder}/${id}`,
      versions: versions.map((version) => ({ ...version, href: `${folder}/${id}/versions/${version.version}` })),
    })
  })
}

async function sendTemplate(request: FastifyRequest, reply: FastifyReply, database: Database, template: TemplateFound) {
  const [[service], categories] = await Promise.all([
    listServices(database, { ids: [template.senderId] }),
    listCategories(database),
  ])
  const kind = categories.find(({ slug }) => slug === template.category)
  return sendPage(request, reply, 'department/template', {
    title: template.name,
    section,
    template,
    service,
    href: `${folder}/${template.id}`,
    category: kind?.name[languageOf(request)] ?? kind?.name.en ?? template.category,
    placeholders: placeholdersOf(template.content),
    preview: previewOf(template.content),
    isNewest: template.version === template.newestVersion,
    mayWrite: servicesFor(request.signedIn!.actor, 'messages:write')?.includes(template.senderId) ?? false,
  })
}

function changing(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(`${folder}/new`, async (request, reply) => {
    const choices = await findChoices(database, request.signedIn!.actor)
    return sendForm(request, reply, choices, blankTemplate(newId()))
  })

  scope.post(`${folder}/new`, { bodyLimit: formBytesMax }, async (request, reply) => {
    const { actor } = request.signedIn!
    const posted = await readPosted(request)
    const choices = await findChoices(database, actor)
    const draft = readTemplateDraft(posted)
    const { services } = choices
    const service = services.length === 1 ? services[0] : services.find(({ slug }) => slug === draft.service)
    const t = wordsFor(request)
    const errors = [
      ...(service ? [] : [{ field: 'service', text: t('staff-write:service-missing') }]),
      ...checkTemplate(draft, t),
    ]
    if (posted.line('do') === 'preview') return sendForm(request, reply, choices, draft)
    if (service === undefined || errors.length > 0) return sendForm(request, reply, choices, draft, errors)
    await saveTemplate(database, actor, { serviceId: service.id, id: draft.id, version: 0, template: templateOf(draft) }, clock())
    return reply.redirect(`${folder}/${draft.id}`, 303)
  })

  scope.get(`${folder}/:id/edit`, { schema: { params: TemplateParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const template = await findToChange(database, actor, request.params.id)
    const choices = await findChoices(database, actor)
    return sendForm(request, reply, choices, { ...draftOf(template), service: slugOf(choices, template) })
  })

  scope.post(`${folder}/:id/edit`, { schema: { params: TemplateParams }, bodyLimit: formBytesMax }, async (request, reply) => {
    const { actor } = request.signedIn!
    const posted = await readPosted(request)
    const template = await findToChange(database, actor, request.params.id)
    const { senderId, id } = template
    const choices = await findChoices(database, actor)
    const draft = { ...readTemplateDraft(posted), id, service: slugOf(choices, template) }
    if (draft.version === 0) throw new Problem('form-expired')
    if (posted.line('do') === 'preview') return sendForm(request, reply, choices, draft)
    const errors = checkTemplate(draft, wordsFor(request))
    if (errors.length > 0) return sendForm(request, reply, choices, draft, errors)
    try {
      await saveTemplate(
        database,
        actor,
        { serviceId: senderId, id, version: draft.version, template: templateOf(draft) },
        clock(),
      )
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'changed-meanwhile') throw error
      return sendForm(request, reply, choices, draft, [], await findTemplate(database, actor, id))
    }
    return reply.redirect(`${folder}/${id}`, 303)
  })

  scope.post(`${folder}/:id/archive`, { schema: { params: TemplateParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { id } = request.params
    const isArchived = posted.line('to') !== 'in-use'
    await archiveTemplate(database, request.signedIn!.actor, { id, isArchived }, clock())
    return reply.redirect(`${folder}/${id}`, 303)
  })
}

type Choices = { services: readonly Service[]; categories: readonly Category[] }

async function findChoices(database: Database, actor: Actor): Promise<Choices> {
  requireRight(actor, 'messages:write')
  const ids = servicesFor(actor, 'messages:write') ?? []
  const [services, categories] = await Promise.all([listServices(database, { ids }), listCategories(database)])
  return { services, categories }
}

function slugOf({ services }: Choices, { senderId }: TemplateFound): string {
  return services.find(({ id }) => id === senderId)?.slug ?? ''
}

/** Throws `not-found` also for one that is archived, or whose service the actor does not write for. */
async function findToChange(database: Database, actor: Actor, id: string): Promise<TemplateFound> {
  requireRight(actor, 'messages:write')
  const template = await findTemplate(database, actor, id)
  const mayWrite = servicesFor(actor, 'messages:write')?.includes(template.senderId)
  if (!mayWrite || template.archivedAt !== null) throw new Problem('not-found')
  return template
}

/** `theirs`: what somebody else has saved since the form was shown. */
function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  choices: Choices,
  draft: TemplateDraft,
  wrong: FieldError[] = [],
  theirs?: TemplateFound,
) {
  const { version } = draft
  const t = wordsFor(request)
  const errors = theirs
    ? [{ field: 'theirs', text: t('staff-templates:form.theirs-error', { name: theirs.savedByName }) }]
    : wrong
  const content = contentOf(draft)
  return sendPage(
    request,
    reply,
    'department/template-form',
    {
      title: t(version === 0 ? 'staff-templates:make' : 'staff-templates:change'),
      section,
      ...choices,
      draft: { ...draft, version: theirs?.version ?? version },
      errors,
      theirs: theirs && { ...theirs, href: `${folder}/${draft.id}/versions/${theirs.version}` },
      from: choices.services.find(({ slug }, _, { length }) => length === 1 || slug === draft.service),
      back: version === 0 ? folder : `${folder}/${draft.id}`,
      examples: examplesOf(draft),
      preview: content.some(({ subject, body }) => subject !== '' || body.trim() !== '')
        ? previewOf(content, new Map(Object.entries(draft.examples).filter(([, value]) => value !== '')))
        : [],
    },
    errors.length > 0 ? 422 : 200,
  )
}
