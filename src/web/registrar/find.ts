import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problems.ts'
import { foundMax, type RecordQuery, readSearch, searchRecords, viewFound } from '../../registry/find-record.ts'
import { type Schemes, schemeName } from '../../registry/scheme.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Language, languageOf, translate, wordsFor } from '../words.ts'
import { checkName, checkNumber, checkReason, type Draft, readDraft, readPersonQuery } from './fields.ts'
import { showEnded } from './viewing.ts'
import { dayOf } from './words.ts'

/** What a registrar may know, and where it is typed. */
const ways: { by: RecordQuery['by']; address: string; field: string }[] = [
  { by: 'person', address: '/registrar', field: 'name' },
  { by: 'business', address: '/registrar/businesses', field: 'businessName' },
  { by: 'identifier', address: '/registrar/numbers', field: 'value' },
]

/** Finding a record: why first, and then by what. What is typed stands in no address. */
export function findPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  for (const { by, address, field } of ways) {
    const send = (request: FastifyRequest, reply: FastifyReply, draft: Draft, errors: FieldError[] = []) =>
      sendForm(request, reply, by, keys.schemes, draft, errors)

    scope.get(address, (request, reply) => send(request, reply, {}))

    scope.post(address, async (request, reply) => {
      const { draft } = await readDraft(request)
      const t = wordsFor(request)
      const { query, errors } = readQuery(by, draft, keys.schemes, clock(), languageOf(request))
      const all = [...checkReason(draft, t), ...errors]
      if (query === undefined || all.length > 0) return send(request, reply, draft, all)
      const asked = { query, reason: draft.reason! }
      const { searchId, found, isCutOff } = await searchRecords(database, keys, request.signedIn!.actor, asked, clock())
      if (found.length > 0) return reply.redirect(`/registrar/searches/${searchId}${isCutOff ? '?more' : ''}`, 303)
      return send(request, reply, draft, [{ field, text: t(`register-find:nobody.${by}`) }])
    })
  }

  const schema = { params: LetterParams }
  scope.get('/registrar/searches/:id', { schema }, async (request, reply) => {
    const search = await readSearch(database, request.signedIn!.actor, request.params.id, clock()).catch(orUndefined)
    if (search === undefined) return showEnded(request, reply)
    return sendPage(request, reply, 'registrar/results', {
      title: wordsFor(request)('register-find:found', { count: search.found.length }),
      section: 'records',
      reason: search.reason,
      found: search.found.map((party) => ({
        ...party,
        birthDay: party.birthDate && dayOf(party.birthDate, languageOf(request)),
      })),
      moreThan: 'more' in (request.query as object) ? foundMax : undefined,
    })
  })

  scope.post('/registrar/searches/:id', { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const place = Number(draft.place ?? Number.NaN)
    const { actor } = request.signedIn!
    const view = await viewFound(database, actor, { searchId: request.params.id, place }, clock()).catch(orUndefined)
    return view === undefined ? showEnded(request, reply) : reply.redirect(`/registrar/records/${view.viewId}`, 303)
  })
}

function orUndefined(error: unknown): undefined {
  if (!(error instanceof Problem && error.code === 'not-found')) throw error
}

function readQuery(
  by: RecordQuery['by'],
  draft: Draft,
  schemes: Schemes,
  now: Date,
  language: Language,
): { query?: RecordQuery; errors: FieldError[] } {
  const t = translate(language)
  if (by === 'person') return readPersonQuery(draft, now, t)
  if (by === 'business') {
    return {
      query: { by: 'business', name: draft.businessName! },
      errors: checkName(draft.businessName, 'businessName', t('register-find:business-missing'), t),
    }
  }
  const { scheme = '', value = '' } = draft
  if (!schemes.has(scheme)) return { errors: [{ field: 'scheme', text: t('register-find:scheme-missing') }] }
  if (value === '') return { errors: [{ field: 'value', text: t('register-find:value-missing') }] }
  const identifier = { scheme, value }
  return { query: { by, identifier }, errors: checkNumber(schemes, identifier, 'value', language) }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  by: RecordQuery['by'],
  schemes: Schemes,
  draft: Draft,
  errors: FieldError[],
) {
  const data = {
    title: wordsFor(request)('register-find:title'),
    section: 'records' as const,
    by,
    ways,
    draft,
    errors,
    schemes: [...schemes.values()].map((each) => ({ value: each.scheme, text: schemeName(each, languageOf(request)) })),
  }
  return sendPage(request, reply, 'registrar/find', data, errors.length > 0 ? 422 : 200)
}
