import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { readGrantDocument } from '../../access/list-grants.ts'
import { Problem } from '../../problems.ts'
import type { RecordedGrant } from '../../registry/read-record.ts'
import { LetterParams } from '../address.ts'
import { dayInWords } from '../dates.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { actionsFor } from './registration.ts'
import { openRecord, showEnded } from './viewing.ts'
import { dayOf, kindInWords, reasonInWords, registrationInWords, roleInWords } from './words.ts'

/** A record, at an address that is this viewing's alone, and that nobody else can open. */
export function recordPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const querystring = Type.Object({ done: Type.Optional(Type.String()) })
  scope.get('/registrar/records/:id', { schema: { params: LetterParams, querystring } }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const now = clock()
    const view = (grant: RecordedGrant) => viewGrant(grant, now)
    return sendPage(request, reply, 'registrar/record', {
      title: record.name,
      section: 'records',
      record,
      address: `/registrar/records/${record.viewId}`,
      birthDay: record.birthDate && dayOf(record.birthDate),
      keptUntil: record.keptUntil && dayOf(record.keptUntil),
      isNotYet: record.registration === 'registered' && record.reachableFrom !== null && record.reachableFrom > now,
      status: registrationInWords[record.registration],
      history: record.history.map((change) => ({
        ...change,
        became: registrationInWords[change.became] ?? change.became,
        reason: reasonInWords(change.reason),
      })),
      given: record.given.map(view),
      held: record.held.map(view),
      schemes: record.schemes.map((scheme) => keys.schemes.get(scheme)?.name ?? scheme),
      actions: actionsFor(record, config.registration, now),
      done: wordsOfDone[request.query.done ?? ''],
    })
  })

  const params = Type.Object({ ...LetterParams.properties, grantId: Type.String({ format: 'uuid' }) })
  scope.get('/registrar/records/:id/grants/:grantId/document', { schema: { params } }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const grant = [...record.given, ...record.held].find(({ id }) => id === request.params.grantId)
    if (grant === undefined) throw new Problem('not-found')
    const { mediaType, bytes } = await readGrantDocument(database, request.signedIn!.actor, grant.id)
    const ending = { 'application/pdf': 'pdf', 'image/png': 'png' }[mediaType] ?? 'jpg'
    return reply
      .header('content-type', mediaType)
      .header('content-disposition', `attachment; filename="document.${ending}"`)
      .header('cache-control', 'no-store')
      .send(bytes)
  })
}

const wordsOfDone: Record<string, string> = {
  exempt: 'This record is exempt now. Senders are told to use paper.',
  join: 'This record can be reached again.',
  close: 'The mailbox is closed. New post is refused, and nobody else can open the mailbox any more.',
  open: 'The mailbox is open again. Whoever was let in before is not let in again.',
  grant: 'The access has begun.',
  ended: 'The access has ended.',
  administrator: 'The business has a new administrator.',
  merge: 'Another registrar has been asked to merge the records. Nothing has been merged yet.',
  business: 'The business has been registered.',
}

function viewGrant(grant: RecordedGrant, now: Date) {
  const isOver = grant.endedAt !== null || (grant.endsAt !== null && grant.endsAt <= now)
  const state = grant.endedAt
    ? `Ended on ${dayInWords(grant.endedAt)}${grant.endedByName ? ` by ${grant.endedByName}` : ''}`
    : isOver
      ? `Over since ${dayInWords(grant.endsAt!)}`
      : grant.acceptedAt === null
        ? 'Offered, not accepted yet'
        : grant.endsAt === null
          ? `Since ${dayInWords(grant.startsAt)}`
          : `Until ${dayInWords(grant.endsAt)}`
  const limits = [...(grant.services ?? []), ...(grant.categories ?? [])]
  return { ...grant, isOver, state, kind: kindInWords[grant.kind] ?? grant.kind, role: roleInWords(grant), limits }
}
