import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../problems.ts'
import { type LogEntry, listRegistrarLog } from '../../registry/list-registrar-log.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { PageQuery, pagination } from '../pagination.ts'
import { reasonInWords } from './words.ts'

/** What registrars looked at and did, for each other and for whoever supervises them. */
export function logPage(app: FastifyInstance, { database }: Surroundings): void {
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get('/registrar/log', { schema: { querystring: PageQuery } }, async (request, reply) => {
      const log = await listRegistrarLog(database, request.signedIn!.actor, { page: request.query.page ?? 1 })
      if (log.page > log.pages) throw new Problem('not-found')
      return sendPage(request, reply, 'registrar/log', {
        title: 'What registrars looked at and did',
        section: 'log',
        entries: log.entries.map((entry) => ({ ...entry, did: inWords(entry), because: reasonOf(entry) })),
        pagination: pagination('/registrar/log', log.page, log.pages),
      })
    })
}

const changes: Record<string, string> = {
  registered: 'Made reachable',
  exempt: 'Made exempt',
  closed: 'Closed the mailbox',
}

const words: Partial<Record<LogEntry['what'], string>> = {
  'record-viewed': 'Looked at the record',
  'registration-changed': 'Changed the registration',
  'grant-entered': 'Let somebody into the mailbox',
  'grant-ended': 'Ended an access to the mailbox',
  'searched-by-person': 'Searched for a person by name and birth date',
  'searched-by-business': 'Searched for a business by name',
  'searched-by-identifier': 'Searched by a number',
  'merge-asked': 'Asked for two records to be merged',
  merged: 'Merged two records',
  refused: 'Refused to merge two records',
  withdrawn: 'Took back a request to merge two records',
}

function inWords({ what, found, became }: LogEntry): string {
  const did = (became && changes[became]) ?? words[what] ?? what
  return found === null ? did : `${did}: ${found === 1 ? '1 record' : `${found} records`} found`
}

/** What was typed, where the reason itself is one of a list. */
function reasonOf({ reason, note }: LogEntry): string | null {
  return note ?? (reason && reasonInWords(reason))
}
