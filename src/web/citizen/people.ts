import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../access/actor.ts'
import { changeGrant } from '../../access/change-grant.ts'
import { type Grant, grantKinds, stateOf } from '../../access/grant.ts'
import { findGiven } from '../../access/list-grants.ts'
import { requireRight } from '../../access/rights.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'
import { findChoices, givenGrantPages, refusedInWords } from './given-grants.ts'
import { checkGrantDraft, emptyGrantDraft, type GrantChoices, type GrantDraft, readGrantDraft } from './grant-form.ts'

/** A business's people: its mailbox is opened by them only. */
export function peoplePages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const door = { folder: '/people', template: 'people', isForBusiness: true } as const
  givenGrantPages(app, surroundings, door)
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }

  const findChangeable = async (actor: Actor, id: string): Promise<Grant> => {
    requireRight(actor, 'grants:manage')
    const grant = await findGiven(database, actor, id)
    const mayChange = grant.giverIsBusiness && !grantKinds[grant.kind].isByLaw && grant.holderId !== actor.by.id
    if (!mayChange || !['active', 'not-begun'].includes(stateOf(grant, clock()))) throw new Problem('not-found')
    return grant
  }

  /** A firm is an adviser from outside and nothing else, and administers nothing: that is not asked. */
  const choicesFor = async (request: FastifyRequest, { holderIsBusiness }: Grant) =>
    findChoices(database, request, { isForBusiness: !holderIsBusiness })

  scope.get('/people/:id/change', { schema }, async (request, reply) => {
    const grant = await findChangeable(request.signedIn!.actor, request.params.id)
    const choices = await choicesFor(request, grant)
    return sendForm(request, reply, grant, choices, draftOf(grant))
  })

  scope.post('/people/:id/change', { preHandler: checkForm, schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const grant = await findChangeable(actor, request.params.id)
    const choices = await choicesFor(request, grant)
    const typed = readGrantDraft(request.body, choices)
    const kind = grant.holderIsBusiness ? grant.kind : typed.kind
    const draft = { ...typed, kind, name: grant.holderName, from: emptyGrantDraft(door).from }
    const { errors, offer } = checkGrantDraft(draft, choices, clock(), wordsFor(request))
    if (offer === undefined) return sendForm(request, reply, grant, choices, draft, errors)
    try {
      const { grantId } = await changeGrant(database, actor, { ...offer, grantId: grant.id }, clock())
      return reply.redirect(`/people/${grantId}`, 303)
    } catch (error) {
      const [{ text }] = refusedInWords(error, grant, wordsFor(request)) as [FieldError]
      return sendForm(request, reply, grant, choices, draft, [
        { field: grant.holderIsBusiness ? 'role' : 'isAdministrator', text },
      ])
    }
  })

  scope.get('/people/lost', async (request, reply) =>
    sendPage(request, reply, 'citizen/lost-administrator', {
      title: wordsFor(request)('grants:lost.title'),
      section: 'mailboxes',
    }),
  )
}

function draftOf(grant: Grant): GrantDraft {
  return {
    ...emptyGrantDraft({ isForBusiness: true }),
    name: grant.holderName,
    kind: grant.kind,
    role: grant.role,
    isAdministrator: grant.isAdministrator,
    extent: grant.serviceIds === null ? 'all' : 'some',
    services: grant.serviceIds ?? [],
    categories: grant.categories ?? [],
    until: partsOf(grant.endsAt),
  }
}

function partsOf(time: Date | null): GrantDraft['until'] {
  if (time === null) return { day: '', month: '', year: '' }
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London' }).formatToParts(time)
  const part = (type: string) => String(Number(parts.find((each) => each.type === type)!.value))
  return { day: part('day'), month: part('month'), year: part('year') }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  grant: Grant,
  choices: GrantChoices,
  draft: GrantDraft,
  errors: FieldError[] = [],
) {
  const title = wordsFor(request)('grants:people.change-title', { name: grant.holderName })
  const data = { title, section: 'people', folder: '/people', choices, draft, errors, isChange: true, grantId: grant.id } as const
  return sendPage(request, reply, 'citizen/grant-form', data, errors.length > 0 ? 422 : 200)
}
