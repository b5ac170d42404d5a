import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../problems.ts'
import { type LogEntry, listRegistrarLog } from '../../registry/list-registrar-log.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { type Translate, wordsFor } from '../words.ts'
import { reasonInWords } from './words.ts'

/** What registrars looked at and did, for each other and for whoever supervises them. */
export function logPage(app: FastifyInstance, { database }: Surroundings): void {
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get('/registrar/log', { schema: { querystring: PageQuery } }, async (request, reply) => {
      const log = await listRegistrarLog(database, request.signedIn!.actor, { page: request.query.page ?? 1 })
      if (log.page > log.pages) throw new Problem('not-found')
      const t = wordsFor(request)
      return sendPage(request, reply, 'registrar/log', {
        title: t('register-log:title'),
        section: 'log',
        entries: log.entries.map((entry) => ({ ...entry, did: inWords(entry, t), because: reasonOf(entry, t) })),
        pagination: pagination('/registrar/log', log.page, log.pages),
      })
    })
}

function inWords({ what, found, became }: LogEntry, t: Translate): string {
  const did = t(became ? `register-log:became.${became}` : `register-log:did.${what}`)
  return found === null ? did : t('register-log:found', { did, count: found })
}

/** What was typed, where the reason itself is one of a list. */
function reasonOf({ reason, note }: LogEntry, t: Translate): string | null {
  return note ?? (reason && reasonInWords(reason, t))
}
