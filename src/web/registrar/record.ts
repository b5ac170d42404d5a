import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { readGrantDocument } from '../../access/list-grants.ts'
import { Problem } from '../../problems.ts'
import type { RecordedGrant } from '../../registry/read-record.ts'
import { schemeName } from '../../registry/scheme.ts'
import { LetterParams } from '../address.ts'
import { dayInWords } from '../dates.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { type Language, languageOf, translate } from '../words.ts'
import { actionsFor } from './registration.ts'
import { openRecord, showEnded } from './viewing.ts'
import { dayOf, reasonInWords, roleInWords } from './words.ts'

const done = ['exempt', 'join', 'close', 'open', 'grant', 'ended', 'administrator', 'merge', 'business'] as const

/** A record, at an address that is this viewing's alone, and that nobody else can open. */
export function recordPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const querystring = Type.Object({ done: Type.Optional(Type.Enum(done)) })
  scope.get('/registrar/records/:id', { schema: { params: LetterParams, querystring } }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const now = clock()
    const language = languageOf(request)
    const t = translate(language)
    const view = (grant: RecordedGrant) => viewGrant(grant, now, language)
    return sendPage(request, reply, 'registrar/record', {
      title: record.name,
      section: 'records',
      record,
      address: `/registrar/records/${record.viewId}`,
      birthDay: record.birthDate && dayOf(record.birthDate, language),
      keptUntil: record.keptUntil && dayOf(record.keptUntil, language),
      isNotYet: record.registration === 'registered' && record.reachableFrom !== null && record.reachableFrom > now,
      history: record.history.map((change) => ({
        ...change,
        became: t(`register-registration:status.${change.became}`),
        reason: reasonInWords(change.reason, t),
      })),
      given: record.given.map(view),
      held: record.held.map(view),
      schemes: record.schemes.map((scheme) => schemeName(keys.schemes.get(scheme) ?? { name: scheme }, language)),
      actions: actionsFor(record, config.registration, now),
      done: request.query.done,
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

function viewGrant(grant: RecordedGrant, now: Date, language: Language) {
  const t = translate(language)
  const { kind, services, categories, startsAt, endsAt, acceptedAt, endedAt, endedByName: name } = grant
  const isOver = endedAt !== null || (endsAt !== null && endsAt <= now)
  const state = (key: string, time: Date) => t(`register-access:state.${key}`, { day: dayInWords(time, language), name })
  const limits = [...(services ?? []), ...(categories ?? [])].join(', ')
  const role = roleInWords(grant, t)
  return {
    ...grant,
    isOver,
    kind: t(`register-access:kind.${kind}`),
    role: limits === '' ? role : t('register-access:only', { role, limits }),
    state: endedAt
      ? state(name ? 'ended-by' : 'ended', endedAt)
      : isOver
        ? state('over', endsAt!)
        : acceptedAt === null
          ? t('register-access:state.offered')
          : endsAt === null
            ? state('since', startsAt)
            : state('until', endsAt),
  }
}
