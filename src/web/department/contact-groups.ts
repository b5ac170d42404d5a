import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problems.ts'
import { deleteContactGroup, saveContactGroup } from '../../registry/contact-edit.ts'
import type { ContactGroup } from '../../registry/contact-point.ts'
import { type ContactTree, readContactTree } from '../../registry/contact-tree.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, wordsFor } from '../words.ts'
import {
  afterRefusal,
  formOfTexts,
  groupItems,
  type PointForm,
  pointErrors,
  readForm,
  readVersion,
  toGroupDetails,
} from './contact-form.ts'

const points = '/department/contact-points'
const folder = `${points}/groups`

/** The groups that contact points are in. */
export function contactGroupPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }
  const find = async (request: FastifyRequest, id: string) => {
    const tree = await readContactTree(database, request.signedIn!.actor)
    const group = tree.groups.find((one) => one.id === id)
    if (group === undefined) throw new Problem('not-found')
    return { tree, group }
  }

  scope.get(`${folder}/new`, async (request, reply) => {
    const tree = await readContactTree(database, request.signedIn!.actor)
    return sendForm(request, reply, tree, { values: {}, audience: [] })
  })

  scope.post(`${folder}/new`, { preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const tree = await readContactTree(database, actor)
    const form = readForm(request.body)
    try {
      await saveContactGroup(database, actor, toInput(form, tree), clock())
    } catch (error) {
      return sendForm(request, reply, tree, form, undefined, pointErrors(error, wordsFor(request)))
    }
    return reply.redirect(points, 303)
  })

  scope.get(`${folder}/:id`, { schema }, async (request, reply) => {
    const { tree, group } = await find(request, request.params.id)
    const { name, description, parentId, version } = group
    const values = {
      version: String(version),
      ...formOfTexts('name', name),
      ...formOfTexts('description', description),
      group: parentId ?? '',
    }
    return sendForm(request, reply, tree, { values, audience: [] }, group)
  })

  scope.post(`${folder}/:id`, { schema, preHandler: checkForm }, async (request, reply) => {
    const { tree, group } = await find(request, request.params.id)
    const form = readForm(request.body)
    const seen = { id: group.id, version: readVersion(form) }
    try {
      await saveContactGroup(database, request.signedIn!.actor, { ...toInput(form, tree), seen }, clock())
    } catch (error) {
      const errors = pointErrors(error, wordsFor(request))
      return sendForm(request, reply, tree, afterRefusal(error, form, group.version), group, errors)
    }
    return reply.redirect(points, 303)
  })

  scope.post(`${folder}/:id/delete`, { schema, preHandler: checkForm }, async (request, reply) => {
    await deleteContactGroup(database, request.signedIn!.actor, { groupId: request.params.id }, clock())
    return reply.redirect(points, 303)
  })
}

function toInput(form: PointForm, { groups }: ContactTree) {
  const parent = groups.find(({ id }) => id === form.values.group)
  if (form.values.group && parent === undefined) throw new Problem('form-expired')
  return { parentId: parent?.id ?? null, details: toGroupDetails(form) }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  tree: ContactTree,
  form: PointForm,
  group?: ContactGroup,
  errors: FieldError[] = [],
) {
  const isEmpty =
    group && ![...tree.points.map(({ groupId }) => groupId), ...tree.groups.map(({ parentId }) => parentId)].includes(group.id)
  return sendPage(
    request,
    reply,
    'department/contact-group',
    {
      title: wordsFor(request)(group ? 'staff-contact-points:group-form.title' : 'staff-contact-points:add-group'),
      section: 'contact-points',
      form,
      group,
      isEmpty,
      groupItems: groupItems(tree.groups, languageOf(request), group?.id),
      errors,
    },
    errors.length > 0 ? 422 : 200,
  )
}
