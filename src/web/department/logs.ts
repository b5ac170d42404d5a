import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import { Problem } from '../../problems.ts'
import type { ApprovalKind } from '../../registry/approval.ts'
import { type LogEntry, type LogPlace, listServiceLog } from '../../registry/service-log.ts'
import { listServices } from '../../registry/services.ts'
import type { RoleFor } from '../../registry/staff-change.ts'
import { Slug } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { roleNames } from './role-names.ts'

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
    const nameOf = new Map(services.map(({ id, name }) => [id, name]))
    const search = (place: LogPlace) => new URLSearchParams({ ...(slug ? { service: slug } : {}), before: writePlace(place) })
    return sendPage(request, reply, 'department/logs', {
      title: service ? `Log of ${service.name}` : 'Log',
      section: 'logs',
      services,
      chosen: slug ?? '',
      isFirst: before === undefined,
      newestHref: slug ? `${folder}?service=${slug}` : folder,
      olderHref: next && `${folder}?${search(next)}`,
      entries: entries.map((entry) => ({
        at: entry.at,
        who: entry.byName,
        did: inWords(entry, nameOf),
        // Of services whose log is not the reader's, nothing is said.
        services: entry.serviceIds.flatMap((id) => nameOf.get(id) ?? []),
      })),
    })
  })
}

const readPlace = (text: string | undefined): LogPlace | undefined =>
  text === undefined ? undefined : { at: new Date(Number(text.split('-')[0])), id: text.slice(text.indexOf('-') + 1) }
const writePlace = ({ at, id }: LogPlace) => `${at.getTime()}-${id}`

const looksInWords: Record<Extract<LogEntry, { source: 'look' }>['what'], string> = {
  opened: 'opened a letter',
  read: 'read a letter',
  filed: 'filed a letter',
  downloaded: 'downloaded a document',
  answered: 'answered a letter',
  acted: 'did something that a letter asks for',
  'draft-read': 'read a draft',
  wrote: 'wrote a letter',
  'mailbox-opened': 'opened a mailbox',
  searched: 'searched letters',
  'looked-up': 'looked up a recipient',
  'record-viewed': 'viewed a record',
  'registration-changed': 'changed a registration',
  'grant-entered': 'let somebody into a mailbox',
  'grant-ended': 'ended somebody’s access to a mailbox',
  'link-made': 'linked a person with the service',
  'link-ended': 'ended a person’s link with the service',
}
const asked: Record<ApprovalKind, string> = {
  client: 'a new system',
  'client-key': 'a new key',
  'batch-release': 'the release of a batch',
  'batch-recall': 'the recall of a batch',
}
const decided = { asked: 'asked for', approved: 'approved', refused: 'refused', withdrawn: 'withdrew' }

/** A sentence that begins with who did it. */
function inWords(entry: LogEntry, services: ReadonlyMap<string, string>): string {
  switch (entry.source) {
    case 'look':
      return looksInWords[entry.what] + (entry.detail.reason ? ` (${entry.detail.reason})` : '')
    case 'lookup':
      return `looked up ${entry.detail.count} ${entry.detail.count === 1 ? 'recipient' : 'recipients'}, ${entry.detail.found} found`
    case 'staff':
      return staffInWords(entry, services)
    case 'client':
      return clientInWords(entry)
    case 'approval': {
      const { kind, key } = entry.detail
      return `${decided[entry.what]} ${asked[kind]}${entry.about ? `: ${entry.about}` : ''}${key ? `, key ${key}` : ''}`
    }
  }
}

function staffInWords(
  { what, about, detail }: Extract<LogEntry, { source: 'staff' }>,
  services: ReadonlyMap<string, string>,
): string {
  // Each role once, with its services.
  const list = (roles: readonly RoleFor[]) =>
    [...new Set(roles.map(({ role }) => role))]
      .map((role) => ({ role, of: roles.flatMap((one) => (one.role === role ? (services.get(one.serviceId) ?? []) : [])) }))
      .flatMap(({ role, of }) => (of.length > 0 ? [`${roleNames[role].name} (${of.join(', ')})`] : []))
      .join(', ')
  const [given, taken] = [list(detail.given), list(detail.taken)]
  const roles = [given && `. Gave: ${given}`, taken && `. Took away: ${taken}`].join('')
  const sentences = {
    added: `added ${about} to the staff`,
    'roles-changed': `changed the roles of ${about}`,
    deactivated: `deactivated ${about}`,
    activated: `activated ${about} again`,
  }
  return sentences[what] + roles
}

function clientInWords({ what, about, detail }: Extract<LogEntry, { source: 'client' }>): string {
  const sentences = {
    registered: `registered the system ${about}`,
    changed: `changed the system ${about}`,
    'switched-off': `switched off the system ${about}`,
    'switched-on': `switched on the system ${about}`,
    'key-added': `added a key to the system ${about}`,
    'key-ended': `set a last day for a key of the system ${about}`,
    'key-removed': `removed a key of the system ${about}`,
  }
  const { key, approvedBy } = detail
  return sentences[what] + (key ? `, key ${key}` : '') + (approvedBy ? `; approved by ${approvedBy}` : '')
}
