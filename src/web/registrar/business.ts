import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { companyScheme, createBusiness } from '../../registry/create-business.ts'
import { startView } from '../../registry/find-record.ts'
import type { Schemes } from '../../registry/scheme.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Language, languageOf, translate, wordsFor } from '../words.ts'
import {
  checkName,
  checkNumber,
  checkReason,
  type Draft,
  findPerson,
  isId,
  personOfSearch,
  readDraft,
  toHidden,
} from './fields.ts'
import { showEnded } from './viewing.ts'

/** Entering a business, with the person who answers for it first. */
export function businessPages(app: FastifyInstance, { config, database, keys, clock }: Surroundings): void {
  const address = '/registrar/businesses/new'

  app.get(address, (request, reply) => sendForm(request, reply, {}))

  app.post(address, async (request, reply) => {
    const { draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const t = wordsFor(request)
    const errors = checkBusiness(draft, keys.schemes, languageOf(request))
    if (errors.length > 0) return sendForm(request, reply, draft, errors)
    if (draft.step !== 'do' || !isId(draft.holder)) {
      const { searchId, person, errors: personErrors } = await findPerson(database, keys, actor, draft, clock(), t)
      if (person === undefined) return sendForm(request, reply, draft, personErrors)
      return sendCheck(request, reply, { ...draft, holder: searchId! }, person.name)
    }
    const person = await personOfSearch(database, actor, draft.holder, clock()).catch(() => undefined)
    if (person === undefined) return showEnded(request, reply)
    const { businessName: name, companyNumber, reason } = draft as Record<string, string>
    const business = { name: name!, companyNumber: companyNumber!, administratorId: person.id, reason: reason! }
    const created = await createBusiness(database, keys, actor, business, clock(), config.registration)
    if (created === 'number-taken') {
      return sendForm(request, reply, draft, [{ field: 'companyNumber', text: t('register-businesses:number-taken') }])
    }
    const { viewId } = await startView(database, actor, { partyId: created.partyId, reason: reason! }, clock())
    return reply.redirect(`/registrar/records/${viewId}?done=business`, 303)
  })
}

function checkBusiness(draft: Draft, schemes: Schemes, language: Language): FieldError[] {
  const t = translate(language)
  const { companyNumber: value = '' } = draft
  return [
    ...checkReason(draft, t),
    ...checkName(draft.businessName, 'businessName', t('register-businesses:name-missing'), t),
    ...(value === ''
      ? [{ field: 'companyNumber', text: t('register-businesses:number-missing') }]
      : checkNumber(schemes, { scheme: companyScheme, value }, 'companyNumber', language)),
  ]
}

function sendForm(request: FastifyRequest, reply: FastifyReply, draft: Draft, errors: FieldError[] = []) {
  const data = { title: wordsFor(request)('register-businesses:title'), section: 'businesses' as const, draft, errors }
  return sendPage(request, reply, 'registrar/business', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(request: FastifyRequest, reply: FastifyReply, draft: Draft, administrator: string) {
  const t = wordsFor(request)
  return sendPage(request, reply, 'registrar/check', {
    title: t('register-businesses:question', { name: draft.businessName }),
    section: 'businesses',
    rows: [
      { key: t('register-businesses:row-name'), value: draft.businessName! },
      { key: t('register-businesses:number'), value: draft.companyNumber! },
      { key: t('register-businesses:first'), value: administrator },
      { key: t('register-form:reason.row'), value: draft.reason! },
    ],
    sentences: [t('register-businesses:means')],
    button: t('register-businesses:do'),
    hidden: toHidden(draft),
    back: '/registrar/businesses/new',
  })
}
