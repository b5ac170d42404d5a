import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problems.ts'
import { foundMax, type RecordQuery, readSearch, searchRecords, viewFound } from '../../registry/find-record.ts'
import { type Schemes, whatIsWrong } from '../../registry/scheme.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkName, checkReason, type Draft, readDraft, readPastDay } from './fields.ts'
import { showEnded } from './viewing.ts'
import { dayOf } from './words.ts'

/** What a registrar may know. */
const ways: { by: RecordQuery['by']; address: string; text: string }[] = [
  { by: 'person', address: '/registrar', text: 'A person' },
  { by: 'business', address: '/registrar/businesses', text: 'A business' },
  { by: 'identifier', address: '/registrar/numbers', text: 'By a number' },
]

/** Finding a record: why first, and then by what. What is typed stands in no address. */
export function findPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  for (const { by, address } of ways) {
    const send = (request: FastifyRequest, reply: FastifyReply, draft: Draft, errors: FieldError[] = []) =>
      sendForm(request, reply, by, keys.schemes, draft, errors)

    scope.get(address, (request, reply) => send(request, reply, {}))

    scope.post(address, async (request, reply) => {
      const { draft } = await readDraft(request)
      const { query, errors } = readQuery(by, draft, keys.schemes, clock())
      const all = [...checkReason(draft), ...errors]
      if (query === undefined || all.length > 0) return send(request, reply, draft, all)
      const asked = { query, reason: draft.reason! }
      const { searchId, found, isCutOff } = await searchRecords(database, keys, request.signedIn!.actor, asked, clock())
      if (found.length > 0) return reply.redirect(`/registrar/searches/${searchId}${isCutOff ? '?more' : ''}`, 303)
      return send(request, reply, draft, [nobody[by]])
    })
  }

  const schema = { params: LetterParams }
  scope.get('/registrar/searches/:id', { schema }, async (request, reply) => {
    const search = await readSearch(database, request.signedIn!.actor, request.params.id, clock()).catch(orUndefined)
    if (search === undefined) return showEnded(request, reply)
    return sendPage(request, reply, 'registrar/results', {
      title: search.found.length === 1 ? '1 record found' : `${search.found.length} records found`,
      section: 'records',
      reason: search.reason,
      found: search.found.map((party) => ({ ...party, birthDay: party.birthDate && dayOf(party.birthDate) })),
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

const nobody: Record<RecordQuery['by'], FieldError> = {
  person: {
    field: 'name',
    text: 'Nobody of this name and birth date has a record here. Check both, and that the name is the whole name',
  },
  business: {
    field: 'businessName',
    text: 'No business of this name has a record here. Check that it is the whole name',
  },
  identifier: { field: 'value', text: 'Nobody is known here by this number' },
}

function readQuery(
  by: RecordQuery['by'],
  draft: Draft,
  schemes: Schemes,
  now: Date,
): { query?: RecordQuery; errors: FieldError[] } {
  if (by === 'person') {
    const { day, errors: dateErrors } = readPastDay(draft, 'birthDate', 'the birth date', now)
    const errors = [...checkName(draft.name, 'name', 'the full name'), ...dateErrors]
    return { query: { by: 'person', name: draft.name!, birthDate: day! }, errors }
  }
  if (by === 'business') {
    return {
      query: { by: 'business', name: draft.businessName! },
      errors: checkName(draft.businessName, 'businessName', 'the full name of the business'),
    }
  }
  const { scheme = '', value = '' } = draft
  if (!schemes.has(scheme)) return { errors: [{ field: 'scheme', text: 'Choose what number it is' }] }
  if (value === '') return { errors: [{ field: 'value', text: 'Enter the number' }] }
  const wrong = whatIsWrong(schemes, scheme, value)
  return { query: { by, identifier: { scheme, value } }, errors: wrong ? [{ field: 'value', text: wrong }] : [] }
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
    title: 'Find a record',
    section: 'records' as const,
    by,
    ways,
    draft,
    errors,
    schemes: [...schemes.values()].map(({ scheme, name }) => ({ value: scheme, text: name })),
  }
  return sendPage(request, reply, 'registrar/find', data, errors.length > 0 ? 422 : 200)
}
