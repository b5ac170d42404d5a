import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import type { Config } from '../../config.ts'
import { Problem } from '../../problems.ts'
import { saveContactPoint } from '../../registry/contact-edit.ts'
import type { ContactPoint } from '../../registry/contact-point.ts'
import { type ContactTree, readContactTree } from '../../registry/contact-tree.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'
import {
  afterRefusal,
  blankPoint,
  formOfPoint,
  groupItems,
  type PointForm,
  pointErrors,
  readForm,
  readVersion,
  toPointDetails,
} from './contact-form.ts'
import { contactGroupPages } from './contact-groups.ts'

export const folder = '/department/contact-points'

/** Where people can write to: for the staff who look after that. */
export function contactPointPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database } = surroundings

  app.get(folder, async (request, reply) => {
    const tree = await readContactTree(database, request.signedIn!.actor)
    return sendPage(request, reply, 'department/contact-points', {
      title: wordsFor(request)('staff-contact-points:title'),
      section: 'contact-points',
      tree: branchesOf(tree, null),
      address: config.baseUrl,
    })
  })
  addingPages(app, surroundings)
  editingPages(app, surroundings)
  contactGroupPages(app, surroundings)
}

type Branch = { group: ContactTree['groups'][number]; branches: Branches }
type Branches = { points: ContactTree['points']; groups: Branch[] }

function branchesOf(tree: ContactTree, groupId: string | null): Branches {
  return {
    points: tree.points.filter((point) => point.groupId === groupId),
    groups: tree.groups
      .filter(({ parentId }) => parentId === groupId)
      .map((group) => ({ group, branches: branchesOf(tree, group.id) })),
  }
}

function addingPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const querystring = Type.Object({ group: Type.Optional(Type.String({ format: 'uuid' })) })
  scope.get(`${folder}/new`, { schema: { querystring } }, async (request, reply) => {
    const { services, tree } = await readChoices(request, database)
    return sendForm(request, reply, config, { services, tree, form: blankPoint(request.query.group) })
  })

  scope.post(`${folder}/new`, { preHandler: checkForm }, async (request, reply) => {
    const { services, tree } = await readChoices(request, database)
    const form = readForm(request.body)
    try {
      await saveContactPoint(database, request.signedIn!.actor, toInput(form, services, tree), clock())
    } catch (error) {
      return sendForm(request, reply, config, { services, tree, form }, pointErrors(error, wordsFor(request)))
    }
    return reply.redirect(folder, 303)
  })
}

function editingPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }
  const find = async (request: FastifyRequest, id: string) => {
    const choices = await readChoices(request, database)
    const point = choices.tree.points.find((one) => one.id === id)
    if (!point?.isManaged) throw new Problem('not-found')
    return { ...choices, point }
  }

  scope.get(`${folder}/:id`, { schema }, async (request, reply) => {
    const { services, tree, point } = await find(request, request.params.id)
    return sendForm(request, reply, config, { services, tree, form: formOfPoint(point, services), point })
  })

  scope.post(`${folder}/:id`, { schema, preHandler: checkForm }, async (request, reply) => {
    const { services, tree, point } = await find(request, request.params.id)
    const form = readForm(request.body)
    const seen = { id: point.id, version: readVersion(form) }
    try {
      await saveContactPoint(database, request.signedIn!.actor, { ...toInput(form, services, tree), seen }, clock())
    } catch (error) {
      const again = afterRefusal(error, form, point.version)
      const errors = pointErrors(error, wordsFor(request), point.changedByName)
      return sendForm(request, reply, config, { services, tree, form: again, point }, errors)
    }
    return reply.redirect(folder, 303)
  })
}

/** What can be chosen from: the services whose contact points the reader manages, and all groups. */
async function readChoices(
  request: FastifyRequest,
  database: Surroundings['database'],
): Promise<{ services: Service[]; tree: ContactTree }> {
  const { actor } = request.signedIn!
  const tree = await readContactTree(database, actor)
  return { tree, services: await listServices(database, { ids: servicesFor(actor, 'contact-points:manage') ?? [] }) }
}

function toInput(form: PointForm, services: readonly Service[], { groups }: ContactTree) {
  const { values } = form
  const group = groups.find(({ id }) => id === values.group)
  if (values.group && group === undefined) throw new Problem('form-expired')
  return {
    serviceId: services.find(({ slug }) => slug === values.service)?.id ?? '',
    groupId: group?.id ?? null,
    details: toPointDetails(form),
  }
}

type FormPage = { services: Service[]; tree: ContactTree; form: PointForm; point?: ContactPoint }

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Config,
  { services, tree, form, point }: FormPage,
  errors: FieldError[] = [],
) {
  return sendPage(
    request,
    reply,
    'department/contact-point',
    {
      title: wordsFor(request)(point ? 'staff-contact-points:change' : 'staff-contact-points:add'),
      section: 'contact-points',
      form,
      point,
      address: point && `${config.baseUrl}/write/${point.organisationSlug}/${point.slug}`,
      serviceItems: services.map(({ slug, name }) => ({ value: slug, text: name })),
      groupItems: groupItems(tree.groups, languageOf(request)),
      installation: { files: config.writingFiles, megabytes: config.writingMegabytes },
      errors,
    },
    errors.length > 0 ? 422 : 200,
  )
}
