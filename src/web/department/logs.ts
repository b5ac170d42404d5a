import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import { Problem } from '../../problems.ts'
import { type LogEntry, type LogPlace, listServiceLog } from '../../registry/service-log.ts'
import { listServices } from '../../registry/services.ts'
import type { RoleFor } from '../../registry/staff-change.ts'
import { Slug } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'

const folder = '/department/logs'

/** From which entry on: its time and its id, as `before` of the address holds them. */
const Place = Type.String({ pattern: '^\\d{1,15}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
const LogQuery = Type.Object({ service: Type.Optional(Type.Union([Slug, Type.Literal('')])), before: Type.Optional(Place) })

/** What staff and systems did in a service, for those who watch over it. */
export function logPages(app: FastifyInstance, { database }: Surroundings): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(folder, { schema: { querystring: LogQuery } }, async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'logs:read')
    const { service: slug, before } = request.query
    const services = await listServices(database, { ids: servicesFor(actor, 'logs:read') ?? [] })
    const service = slug ? services.find((one) => one.slug === slug) : undefined
    if (slug && service === undefined) throw new Problem('not-found')
    const { entries, next } = await listServiceLog(database, actor, { serviceId: service?.id, before: readPlace(before) })
    const t = wordsFor(request)
    const nameOf = new Map(services.map(({ id, name }) => [id, name]))
    const search = (place: LogPlace) => new URLSearchParams({ ...(slug ? { service: slug } : {}), before: writePlace(place) })
    return sendPage(request, reply, 'department/logs', {
      title: service ? t('staff-logs:of', { service: service.name }) : t('staff-logs:title'),
      section: 'logs',
      services,
      chosen: slug ?? '',
      isFirst: before === undefined,
      newestHref: slug ? `${folder}?service=${slug}` : folder,
      olderHref: next && `${folder}?${search(next)}`,
      entries: entries.map((entry) => ({
        ...inWords(entry, nameOf, t),
        at: entry.at,
        // Of services whose log is not the reader's, nothing is said.
        services: entry.serviceIds.flatMap((id) => nameOf.get(id) ?? []),
      })),
    })
  })
}

const readPlace = (text: string | undefined): LogPlace | undefined =>
  text === undefined ? undefined : { at: new Date(Number(text.split('-')[0])), id: text.slice(text.indexOf('-') + 1) }
const writePlace = ({ at, id }: LogPlace) => `${at.getTime()}-${id}`

/** The sentence, a key of the words, with what may follow it. */
type Line = {
  sentence: string
  values: Record<string, string | number>
  reason?: string | null
  about?: string | null
  key?: string | null
  approvedBy?: string | null
  given?: string
  taken?: string
}

function inWords(entry: LogEntry, services: ReadonlyMap<string, string>, t: Translate): Line {
  const who = entry.byName
  switch (entry.source) {
    case 'look':
      return { sentence: `staff-logs:look.${entry.what}`, values: { who }, reason: entry.detail.reason }
    case 'lookup': {
      const { count, found } = entry.detail
      return { sentence: 'staff-logs:lookup', values: { who, count, found } }
    }
    case 'staff': {
      const { given, taken } = entry.detail
      const sentence = `staff-logs:staff.${entry.what}`
      const values = { who, about: entry.about }
      const inRoles = (roles: readonly RoleFor[]) => rolesInWords(roles, entry.serviceIds, services, t)
      return { sentence, values, given: inRoles(given), taken: inRoles(taken) }
    }
    case 'client':
      return { sentence: `staff-logs:client.${entry.what}`, values: { who, about: entry.about }, ...entry.detail }
    case 'batch':
      return { sentence: `staff-logs:batch.${entry.what}`, values: { who }, about: entry.about }
    case 'approval': {
      const { kind, key } = entry.detail
      return { sentence: `staff-logs:approval.${kind}.${entry.what}`, values: { who }, about: entry.about, key }
    }
  }
}

/**
 * Roles by the services that they are for, which the line below names already where all are the same. Of services whose log is not the
 * reader's, nothing is said.
 */
function rolesInWords(
  roles: readonly RoleFor[],
  about: readonly string[],
  services: ReadonlyMap<string, string>,
  t: Translate,
): string {
  const shown = [...services].filter(([id]) => about.includes(id))
  const byService = shown.map(([id, name]) => ({
    name,
    roles: roles.flatMap(({ role, serviceId }) => (serviceId === id ? [t(`staff-members:role.${role}`)] : [])).join(', '),
  }))
  return [...Map.groupBy(byService, (one) => one.roles)]
    .filter(([names]) => names !== '')
    .map(([names, of]) => (of.length === shown.length ? names : `${of.map(({ name }) => name).join(', ')}: ${names}`))
    .join('; ')
}
