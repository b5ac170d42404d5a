import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { companyScheme, createBusiness } from '../../registry/create-business.ts'
import { startView } from '../../registry/find-record.ts'
import { type Schemes, whatIsWrong } from '../../registry/scheme.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkName, checkReason, type Draft, findPerson, isId, personOfSearch, readDraft, toHidden } from './fields.ts'
import { showEnded } from './viewing.ts'

/** Entering a business, with the person who answers for it first. */
export function businessPages(app: FastifyInstance, { config, database, keys, clock }: Surroundings): void {
  const address = '/registrar/businesses/new'

  app.get(address, (request, reply) => sendForm(request, reply, {}))

  app.post(address, async (request, reply) => {
    const { draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const errors = checkBusiness(draft, keys.schemes)
    if (errors.length > 0) return sendForm(request, reply, draft, errors)
    if (draft.step !== 'do' || !isId(draft.holder)) {
      const { searchId, person, errors: personErrors } = await findPerson(database, keys, actor, draft, clock())
      if (person === undefined) return sendForm(request, reply, draft, personErrors)
      return sendCheck(request, reply, { ...draft, holder: searchId! }, person.name)
    }
    const person = await personOfSearch(database, actor, draft.holder, clock()).catch(() => undefined)
    if (person === undefined) return showEnded(request, reply)
    const { businessName: name, companyNumber, reason } = draft as Record<string, string>
    const business = { name: name!, companyNumber: companyNumber!, administratorId: person.id, reason: reason! }
    const created = await createBusiness(database, keys, actor, business, clock(), config.registration)
    if (created === 'number-taken') {
      return sendForm(request, reply, draft, [
        { field: 'companyNumber', text: 'A business with this number is registered already' },
      ])
    }
    const { viewId } = await startView(database, actor, { partyId: created.partyId, reason: reason! }, clock())
    return reply.redirect(`/registrar/records/${viewId}?done=business`, 303)
  })
}

function checkBusiness(draft: Draft, schemes: Schemes): FieldError[] {
  const { companyNumber = '' } = draft
  const wrong = companyNumber === '' ? 'Enter the company number' : whatIsWrong(schemes, companyScheme, companyNumber)
  return [
    ...checkReason(draft),
    ...checkName(draft.businessName, 'businessName', 'the name of the business'),
    ...(wrong === undefined ? [] : [{ field: 'companyNumber', text: wrong }]),
  ]
}

function sendForm(request: FastifyRequest, reply: FastifyReply, draft: Draft, errors: FieldError[] = []) {
  const data = { title: 'Register a business', section: 'businesses' as const, draft, errors }
  return sendPage(request, reply, 'registrar/business', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(request: FastifyRequest, reply: FastifyReply, draft: Draft, administrator: string) {
  return sendPage(request, reply, 'registrar/check', {
    title: `Register ${draft.businessName}?`,
    section: 'businesses',
    rows: [
      { key: 'Name', value: draft.businessName! },
      { key: 'Company number', value: draft.companyNumber! },
      { key: 'First administrator', value: administrator },
      { key: 'Why you do this', value: draft.reason! },
    ],
    sentences: [
      'The administrator can open the mailbox at once, and let others in. Nobody can send to a new business in its first days, unless the administrator signs in before.',
    ],
    button: 'Register the business',
    hidden: toHidden(draft),
    back: '/registrar/businesses/new',
  })
}
