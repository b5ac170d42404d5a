import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { listLooks, type SeenLook } from '../../access/list-looks.ts'
import type { LookKind } from '../../access/look.ts'
import type { Database } from '../../database/connect.ts'
import { Problem } from '../../problems.ts'
import { clockInWords, dayInWords } from '../dates.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'

/** Who looked into the mailbox and did what there: all of it, or what others did. */
export function looksPages(app: FastifyInstance, database: Database): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  for (const [address, othersOnly] of [['/looks', false] as const, ['/looks/others', true] as const]) {
    scope.get(address, { schema: { querystring: PageQuery } }, async (request, reply) => {
      const { actor } = request.signedIn!
      const { looks, page, pages } = await listLooks(database, actor, { page: request.query.page ?? 1, othersOnly })
      if (page > pages) throw new Problem('not-found')
      return sendPage(request, reply, 'citizen/looks', {
        title: 'Who looked at what',
        section: 'my-details',
        othersOnly,
        days: byDay(looks),
        pagination: pagination(address, page, pages),
      })
    })
  }
}

type LookView = {
  time: string
  who: string
  whose: string
  did: string
  letter: SeenLook['letter']
  where: string
  reason: string | null
}

function byDay(looks: readonly SeenLook[]): { day: string; looks: LookView[] }[] {
  const days = new Map<string, LookView[]>()
  for (const look of looks) {
    const day = dayInWords(look.at)
    days.set(day, [...(days.get(day) ?? []), viewLook(look)])
  }
  return [...days].map(([day, views]) => ({ day, looks: views }))
}

function viewLook(look: SeenLook): LookView {
  const { at, letter, count, byKind, what, serviceName, organisationName, isAboutLetter } = look
  const known = what === 'looked-up' && byKind === 'registrar' ? 'found this record in a search' : words[what]
  const service = serviceName === null ? '' : organisationName === null ? serviceName : `${serviceName}, ${organisationName}`
  return {
    time: clockInWords(at),
    who: look.isOwn ? 'You' : nameOf(look),
    whose: look.isOwn ? '' : capacities[byKind],
    did: count > 1 ? `${known}, ${count} times` : known,
    letter,
    where: letter === undefined && isAboutLetter ? (service === '' ? 'a letter' : `a letter: ${service}`) : service,
    reason: look.reason === null ? null : (reasons[look.reason] ?? look.reason),
  }
}

/** A system is known to people as the service that it works for. */
function nameOf({ byKind, byName, serviceName }: SeenLook): string {
  return byKind === 'system' && serviceName !== null ? serviceName : byName
}

const capacities: Record<SeenLook['byKind'], string> = {
  owner: 'owner of this mailbox',
  helper: 'was let into this mailbox',
  staff: 'works for a public body',
  system: 'by computer',
  registrar: 'registrar',
}

const words: Record<LookKind, string> = {
  opened: 'opened a letter',
  read: 'read a letter',
  downloaded: 'downloaded a document',
  answered: 'answered a letter',
  wrote: 'wrote a letter',
  'mailbox-opened': 'opened this mailbox',
  searched: 'searched the letters, and saw words of some',
  'looked-up': 'asked whether this mailbox can be reached',
  'record-viewed': 'looked at the record of this mailbox in the register, and no letters',
  'registration-changed': 'changed whether this mailbox can be reached',
  'grant-entered': 'let somebody into this mailbox',
  'grant-ended': 'ended somebody’s access to this mailbox',
  'link-made': 'linked a service with this mailbox',
  'link-ended': 'ended the link with a service',
}

/** Of a change of registration, those that are from a list. */
const reasons: Record<string, string> = {
  death: 'the owner has died',
  dissolved: 'the business has been dissolved',
  other: 'the mailbox was closed',
  merged: 'another record of the same person was merged into this one',
}
