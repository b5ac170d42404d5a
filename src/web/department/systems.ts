import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { isScope, requireRight, scopes } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { listApprovals } from '../../registry/approval.ts'
import { askForKey, askForSystem } from '../../registry/client-ask.ts'
import { endClientKey } from '../../registry/client-end-key.ts'
import { type PublicKey, readPastedKey } from '../../registry/client-key.ts'
import { findSystem, findSystemToChange, listClients, type System } from '../../registry/client-list.ts'
import { switchClient } from '../../registry/client-switch.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { endOfDay } from '../dates.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import { type Posted, readPosted } from './posted-form.ts'

const folder = '/department/systems'
const ClientParams = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' }) })
const KeyParams = Type.Object({ ...ClientParams.properties, thumbprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) })
const nameLengthMax = 200

/** The systems of a public body: which there are, with which keys, and switching them off. */
export function systemPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const t = wordsFor(request)
    const [systems, approvals] = await Promise.all([listClients(database, actor, now), listApprovals(database, actor, now)])
    const nameOf = await serviceNames(
      database,
      systems.flatMap(({ serviceIds }) => serviceIds),
    )
    return sendPage(request, reply, 'department/systems', {
      title: t('staff-systems:title'),
      section: 'systems',
      systems: systems.map((system) => viewSystem(system, nameOf, t)),
      waiting: approvals.length,
    })
  })

  registering(app, database, clock)

  scope.get(`${folder}/:id`, { schema: { params: ClientParams } }, async (request, reply) => {
    const system = await findSystem(database, request.signedIn!.actor, request.params.id, clock())
    return sendPage(request, reply, 'department/system', {
      title: system.name,
      section: 'systems',
      system: viewSystem(system, await serviceNames(database, system.serviceIds), wordsFor(request)),
    })
  })

  scope.post(`${folder}/:id/switch`, { schema: { params: ClientParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const clientId = request.params.id
    await switchClient(database, request.signedIn!.actor, { clientId, isActive: posted.line('to') === 'on' }, clock())
    return reply.redirect(`${folder}/${clientId}`, 303)
  })

  addingKeys(app, database, clock)
  removingKeys(app, database, clock)
}

type Draft = { name: string; services: string[]; scopes: string[]; key: string }

function registering(app: FastifyInstance, database: Database, clock: () => Date): void {
  const sendForm = async (
    request: FastifyRequest,
    reply: FastifyReply,
    services: Service[],
    draft: Draft,
    errors: FieldError[],
  ) => {
    const t = wordsFor(request)
    const data = {
      title: t('staff-systems:register.title'),
      section: 'systems' as const,
      services,
      scopes: scopes.map((name) => ({ name, words: scopeInWords(name, t) })),
      draft,
      errors,
    }
    return sendPage(request, reply, 'department/system-register', data, errors.length > 0 ? 422 : 200)
  }
  const ownServices = (request: FastifyRequest) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'systems:manage')
    return listServices(database, { ids: servicesFor(actor, 'systems:manage') ?? [] })
  }

  app.get(`${folder}/register`, async (request, reply) =>
    sendForm(request, reply, await ownServices(request), { name: '', services: [], scopes: [], key: '' }, []),
  )

  app.post(`${folder}/register`, async (request, reply) => {
    const posted = await readPosted(request)
    const t = wordsFor(request)
    const services = await ownServices(request)
    const { pasted, key, errors: keyErrors } = readKey(posted, t)
    const draft = {
      name: posted.line('name'),
      services: posted.ticked('services'),
      scopes: posted.ticked('scopes'),
      key: pasted,
    }
    const serviceIds = services.flatMap(({ slug, id }) => (draft.services.includes(slug) ? [id] : []))
    const scopesChosen = draft.scopes.filter(isScope)
    const errors = [
      ...checkName(draft.name, t),
      ...(serviceIds.length === 0 ? [{ field: 'services', text: t('staff-systems:register.services-missing') }] : []),
      ...(scopesChosen.length === 0 ? [{ field: 'scopes', text: t('staff-systems:register.scopes-missing') }] : []),
      ...keyErrors,
    ]
    if (key === undefined || errors.length > 0) return sendForm(request, reply, services, draft, errors)
    const { actor } = request.signedIn!
    const asked = { name: draft.name, serviceIds, scopes: scopesChosen, key }
    const { approvalId } = await askForSystem(database, actor, asked, clock())
    return reply.redirect(`/department/approvals/${approvalId}`, 303)
  })
}

function addingKeys(app: FastifyInstance, database: Database, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const sendForm = (request: FastifyRequest, reply: FastifyReply, system: System, key: string, errors: FieldError[]) =>
    sendPage(
      request,
      reply,
      'department/system-key',
      { title: wordsFor(request)('staff-systems:key.title'), section: 'systems', system, draft: { key }, errors },
      errors.length > 0 ? 422 : 200,
    )

  scope.get(`${folder}/:id/keys/add`, { schema: { params: ClientParams } }, async (request, reply) => {
    const system = await findSystemToChange(database, request.signedIn!.actor, request.params.id, clock())
    return sendForm(request, reply, system, '', [])
  })

  scope.post(`${folder}/:id/keys/add`, { schema: { params: ClientParams } }, async (request, reply) => {
    const posted = await readPosted(request)
    const { actor } = request.signedIn!
    const now = clock()
    const system = await findSystemToChange(database, actor, request.params.id, now)
    const t = wordsFor(request)
    const { pasted, key, errors } = readKey(posted, t)
    if (key === undefined) return sendForm(request, reply, system, pasted, errors)
    const asked = await askForKey(database, actor, { clientId: system.id, key }, now)
    if (asked === 'known') {
      return sendForm(request, reply, system, pasted, [{ field: 'key', text: t('staff-systems:key.known') }])
    }
    return reply.redirect(`/department/approvals/${asked.approvalId}`, 303)
  })
}

function removingKeys(app: FastifyInstance, database: Database, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const url = `${folder}/:id/keys/:thumbprint/remove`
  type Draft = { when: string; day: string; month: string; year: string }
  const sendForm = (
    request: FastifyRequest,
    reply: FastifyReply,
    { system, thumbprint }: { system: System; thumbprint: string },
    draft: Draft,
    errors: FieldError[],
  ) => {
    const key = system.keys.find((one) => one.thumbprint === thumbprint)
    if (key === undefined) return reply.redirect(`${folder}/${system.id}`, 303)
    const title = wordsFor(request)('staff-systems:remove.title')
    const data = { title, section: 'systems' as const, system, key, draft, errors }
    return sendPage(request, reply, 'department/system-key-remove', data, errors.length > 0 ? 422 : 200)
  }

  scope.get(url, { schema: { params: KeyParams } }, async (request, reply) => {
    const { id, thumbprint } = request.params
    const system = await findSystemToChange(database, request.signedIn!.actor, id, clock())
    return sendForm(request, reply, { system, thumbprint }, { when: '', day: '', month: '', year: '' }, [])
  })

  scope.post(url, { schema: { params: KeyParams } }, async (request, reply) => {
    const { line } = await readPosted(request)
    const { id: clientId, thumbprint } = request.params
    const { actor } = request.signedIn!
    const now = clock()
    const draft = { when: line('when'), day: line('end-day'), month: line('end-month'), year: line('end-year') }
    const at = draft.when === 'later' ? readDay(draft) : undefined
    const errors = checkEnd(draft.when, at, now, wordsFor(request))
    if (errors.length > 0) {
      const system = await findSystemToChange(database, actor, clientId, now)
      return sendForm(request, reply, { system, thumbprint }, draft, errors)
    }
    await endClientKey(database, actor, { clientId, thumbprint, at }, now)
    return reply.redirect(`${folder}/${clientId}`, 303)
  })
}

function readDay({ day, month, year }: { day: string; month: string; year: string }): Date | undefined {
  if (![day, month, year].every((part) => /^\d{1,4}$/.test(part))) return undefined
  return endOfDay(Number(year), Number(month), Number(day))
}

function checkEnd(when: string, at: Date | undefined, now: Date, t: Translate): FieldError[] {
  if (when === 'now') return []
  if (when !== 'later') return [{ field: 'when', text: t('staff-systems:remove.when-missing') }]
  if (at === undefined) return [{ field: 'end', text: t('staff-systems:remove.date-wrong') }]
  return at < now ? [{ field: 'end', text: t('staff-systems:remove.date-over') }] : []
}

function checkName(name: string, t: Translate): FieldError[] {
  if (name === '') return [{ field: 'name', text: t('staff-systems:register.name-missing') }]
  if (name.length <= nameLengthMax) return []
  return [{ field: 'name', text: t('staff-systems:register.name-too-long', { max: nameLengthMax }) }]
}

/** `pasted` is what the form shows again, which a private key is not. */
function readKey(posted: Posted, t: Translate): { pasted: string; key?: PublicKey; errors: FieldError[] } {
  const pasted = posted.text('key')
  if (pasted.trim() === '') return { pasted, errors: [{ field: 'key', text: t('staff-systems:key.missing') }] }
  const key = readPastedKey(pasted)
  if (typeof key !== 'string') return { pasted, key, errors: [] }
  return { pasted: key === 'private' ? '' : pasted, errors: [{ field: 'key', text: t(`staff-systems:key.refused.${key}`) }] }
}

async function serviceNames(database: Database, ids: readonly string[]): Promise<Map<string, string>> {
  return new Map((await listServices(database, { ids })).map(({ id, name }) => [id, name]))
}

function viewSystem(system: System, nameOf: ReadonlyMap<string, string>, t: Translate) {
  return {
    ...system,
    href: `${folder}/${system.id}`,
    services: system.serviceIds.map((id) => nameOf.get(id) ?? ''),
    scopesInWords: system.scopes.filter(isScope).map((scope) => scopeInWords(scope, t)),
  }
}

/** What a system with this scope may do. */
export function scopeInWords(scope: (typeof scopes)[number], t: Translate): string {
  return t(`staff-systems:scope.${scope.replace(':', '-')}`)
}
