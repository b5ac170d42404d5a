import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { listLooks, type SeenLook } from '../../access/list-looks.ts'
import type { Database } from '../../database/connect.ts'
import { Problem } from '../../problems.ts'
import { clockInWords, dayInWords } from '../dates.ts'
import { sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { type Language, languageOf, translate, wordsFor } from '../words.ts'

/** Who looked into the mailbox and did what there: all of it, or what others did. */
export function looksPages(app: FastifyInstance, database: Database): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  for (const [address, othersOnly] of [['/looks', false] as const, ['/looks/others', true] as const]) {
    scope.get(address, { schema: { querystring: PageQuery } }, async (request, reply) => {
      const { actor } = request.signedIn!
      const { looks, page, pages } = await listLooks(database, actor, { page: request.query.page ?? 1, othersOnly })
      if (page > pages) throw new Problem('not-found')
      return sendPage(request, reply, 'citizen/looks', {
        title: wordsFor(request)('looks:title'),
        section: 'my-details',
        othersOnly,
        days: byDay(looks, languageOf(request)),
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

function byDay(looks: readonly SeenLook[], language: Language): { day: string; looks: LookView[] }[] {
  const days = new Map<string, LookView[]>()
  for (const look of looks) {
    const day = dayInWords(look.at, language)
    days.set(day, [...(days.get(day) ?? []), viewLook(look, language)])
  }
  return [...days].map(([day, views]) => ({ day, looks: views }))
}

/** In Welsh, who comes first and the verb after them is what makes the sentence say who it was. */
function viewLook(look: SeenLook, language: Language): LookView {
  const t = translate(language)
  const { at, letter, count, byKind, what, serviceName, organisationName, isAboutLetter, reason } = look
  const did = t(`looks:did.${what === 'looked-up' && byKind === 'registrar' ? 'found-in-search' : what}`)
  const service = serviceName === null ? '' : organisationName === null ? serviceName : `${serviceName}, ${organisationName}`
  const aLetter = service === '' ? t('looks:a-letter') : t('looks:letter-of', { service })
  return {
    time: clockInWords(at, language),
    who: look.isOwn ? t('looks:you') : nameOf(look),
    whose: look.isOwn ? '' : t(`looks:capacity.${byKind}`),
    did: count > 1 ? t('looks:times', { what: did, count }) : did,
    letter,
    where: letter === undefined && isAboutLetter ? aLetter : service,
    reason: reason !== null && listed.includes(reason) ? t(`looks:reason.${reason}`) : reason,
  }
}

/** A system is known to people as the service that it works for. */
function nameOf({ byKind, byName, serviceName }: SeenLook): string {
  return byKind === 'system' && serviceName !== null ? serviceName : byName
}

/** Of a change of registration, those that are from a list. */
const listed = ['death', 'dissolved', 'other', 'merged']
