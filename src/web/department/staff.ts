import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { servicesFor } from '../../access/actor.ts'
import { requireRight, type StaffRole, staffRoles } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { listServices, type Service } from '../../registry/services.ts'
import type { RoleFor } from '../../registry/staff-change.ts'
import { addStaff, changeStaffRoles, type StaffRefusal, setStaffActive } from '../../registry/staff-edit.ts'
import { findStaff, listStaff, type StaffMember } from '../../registry/staff-list.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import { type Posted, readPosted } from './posted-form.ts'

const folder = '/department/staff'
const lengthMax = { name: 200, subject: 255 }

/** Who works for a public body, and with which roles for which of its services. */
export function staffPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, async (request, reply) => {
    const { actor } = request.signedIn!
    const t = wordsFor(request)
    const staff = await listStaff(database, actor)
    const services = await serviceNames(database, staff)
    return sendPage(request, reply, 'department/staff', {
      title: t('staff-members:title'),
      section: 'staff',
      staff: staff.map((member) => ({ ...member, href: `${folder}/${member.id}`, services: inWords(member.roles, services, t) })),
    })
  })

  adding(app, database, clock)
  changing(app, database, clock)

  scope.post(`${folder}/:id/active`, { schema: { params: LetterParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { actor } = request.signedIn!
    const staffId = request.params.id
    const refusal = await setStaffActive(database, actor, { staffId, isActive: posted.line('to') === 'active' }, clock())
    if (refusal === undefined) return reply.redirect(folder, 303)
    const member = await findStaff(database, actor, staffId)
    const services = await ownServices(database, request)
    const error = refusalInWords(refusal, 'active', wordsFor(request))
    return sendMember(request, reply, database, member, services, member.roles, [error])
  })
}

function adding(app: FastifyInstance, database: Database, clock: () => Date): void {
  type Draft = { name: string; subject: string; roles: readonly RoleFor[] }
  const sendForm = async (
    request: FastifyRequest,
    reply: FastifyReply,
    services: Service[],
    draft: Draft,
    errors: FieldError[],
  ) => {
    const t = wordsFor(request)
    const data = { section: 'staff' as const, draft, boxes: boxesOf(services, draft.roles, t), errors }
    const title = t('staff-members:add')
    return sendPage(request, reply, 'department/staff-add', { title, ...data }, errors.length > 0 ? 422 : 200)
  }

  app.get(`${folder}/add`, async (request, reply) =>
    sendForm(request, reply, await ownServices(database, request), { name: '', subject: '', roles: [] }, []),
  )

  app.post(`${folder}/add`, async (request, reply) => {
    const posted = await readPosted(request)
    const services = await ownServices(database, request)
    const draft = { name: posted.line('name'), subject: posted.line('subject'), roles: readRoles(posted, services) }
    const t = wordsFor(request)
    const errors = [
      ...checkLine('name', draft.name, t),
      ...checkLine('subject', draft.subject, t),
      ...(draft.roles.length === 0 ? [{ field: 'roles', text: t('staff-members:missing.roles') }] : []),
    ]
    if (errors.length > 0) return sendForm(request, reply, services, draft, errors)
    const added = await addStaff(database, request.signedIn!.actor, draft, clock())
    if ('refused' in added) return sendForm(request, reply, services, draft, [refusalInWords(added, 'subject', t)])
    return reply.redirect(folder, 303)
  })
}

function changing(app: FastifyInstance, database: Database, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }

  scope.get(`${folder}/:id`, { schema }, async (request, reply) => {
    const member = await findStaff(database, request.signedIn!.actor, request.params.id)
    return sendMember(request, reply, database, member, await ownServices(database, request), member.roles, [])
  })

  scope.post(`${folder}/:id`, { schema }, async (request, reply) => {
    const posted = await readPosted(request)
    const { actor } = request.signedIn!
    const services = await ownServices(database, request)
    const roles = readRoles(posted, services)
    const staffId = request.params.id
    const refusal = await changeStaffRoles(database, actor, { staffId, roles }, clock())
    if (refusal === undefined) return reply.redirect(folder, 303)
    const member = await findStaff(database, actor, staffId)
    const error = refusalInWords(refusal, 'roles', wordsFor(request))
    return sendMember(request, reply, database, member, services, roles, [error])
  })
}

/** `roles` as the form shows them: those that there are, or those that were just ticked. */
async function sendMember(
  request: FastifyRequest,
  reply: FastifyReply,
  database: Database,
  member: StaffMember,
  services: Service[],
  roles: readonly RoleFor[],
  errors: FieldError[],
) {
  const t = wordsFor(request)
  const others = member.roles.filter(({ serviceId }) => !services.some(({ id }) => id === serviceId))
  return sendPage(
    request,
    reply,
    'department/staff-member',
    {
      title: member.name,
      section: 'staff',
      member: { ...member, href: `${folder}/${member.id}` },
      others: inWords(others, await serviceNames(database, [member]), t),
      boxes: boxesOf(services, roles, t),
      errors,
    },
    errors.length > 0 ? 422 : 200,
  )
}

/** The services whose staff the signed-in person manages. */
async function ownServices(database: Database, request: FastifyRequest): Promise<Service[]> {
  const { actor } = request.signedIn!
  requireRight(actor, 'staff:manage')
  return listServices(database, { ids: servicesFor(actor, 'staff:manage') ?? [] })
}

async function serviceNames(database: Database, staff: readonly StaffMember[]): Promise<Map<string, string>> {
  const ids = staff.flatMap(({ roles }) => roles.map(({ serviceId }) => serviceId))
  return new Map((await listServices(database, { ids: [...new Set(ids)] })).map(({ id, name }) => [id, name]))
}

/** By service, in the order of their names: what somebody may do for each. */
function inWords(
  roles: readonly RoleFor[],
  services: ReadonlyMap<string, string>,
  t: Translate,
): { service: string; roles: string[] }[] {
  return [...services].flatMap(([id, service]) => {
    const held = staffRoles.filter((role) => roles.some((one) => one.serviceId === id && one.role === role))
    return held.length > 0 ? [{ service, roles: held.map((role) => t(`staff-members:role.${role}`)) }] : []
  })
}

/** One group of boxes for each service. */
function boxesOf(services: readonly Service[], roles: readonly RoleFor[], t: Translate) {
  return services.map(({ id, slug, name }) => ({
    service: name,
    field: `roles-${slug}`,
    items: staffRoles.map((role) => ({
      value: role,
      text: t(`staff-members:role.${role}`),
      hint: { text: t(`staff-members:may.${role}`) },
      checked: roles.some((one) => one.serviceId === id && one.role === role),
    })),
  }))
}

function readRoles(posted: Posted, services: readonly Service[]): RoleFor[] {
  const isRole = (word: string): word is StaffRole => (staffRoles as readonly string[]).includes(word)
  return services.flatMap(({ id, slug }) =>
    [...new Set(posted.ticked(`roles-${slug}`))].filter(isRole).map((role) => ({ serviceId: id, role })),
  )
}

function checkLine(field: 'name' | 'subject', value: string, t: Translate): FieldError[] {
  if (value === '') return [{ field, text: t(`staff-members:missing.${field}`) }]
  const max = lengthMax[field]
  return value.length > max ? [{ field, text: t(`staff-members:too-long.${field}`, { max }) }] : []
}

function refusalInWords({ refused }: StaffRefusal, field: string, t: Translate): FieldError {
  return { field, text: t(`staff-members:refused.${refused}`) }
}
