import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { endGrant } from '../../access/end-grant.ts'
import { type Grant, type GrantState, grantKinds, stateOf } from '../../access/grant.ts'
import { deriveInvitationKey, invitationCode, invitationDays } from '../../access/grant-invitation.ts'
import { findGiven, listGiven, readGrantDocument } from '../../access/list-grants.ts'
import { listGrantableServices, offerGrant } from '../../access/offer-grant.ts'
import { requireRight } from '../../access/rights.ts'
import { Problem, type ProblemCode } from '../../problems.ts'
import { type Category, listCategories } from '../../registry/find-categories.ts'
import { LetterParams } from '../address.ts'
import { kindInWords, limitsInWords, rightsInWords, viewGrant } from '../grant-words.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { type Language, languageOf, type Translate, translate, wordsFor } from '../words.ts'
import { checkGrantDraft, emptyGrantDraft, type GrantChoices, type GrantDraft, readGrantDraft } from './grant-form.ts'

/** In what a person's helpers and a business's people differ. */
export type GivenDoor = { folder: '/helpers' | '/people'; template: 'who-helps' | 'people'; isForBusiness: boolean }

/** Whom the owner of the mailbox that is open lets in: the list, inviting, and ending. */
export function givenGrantPages(app: FastifyInstance, { config, database, clock }: Surroundings, door: GivenDoor): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const key = deriveInvitationKey(config.secretKey)
  const { folder, template } = door
  const preHandler = (request: FastifyRequest, reply: FastifyReply) => requireOwnKind(request, reply, door)
  const schema = { params: LetterParams }

  scope.get(folder, { preHandler }, async (request, reply) => {
    const grants = await listGiven(database, request.signedIn!.actor)
    const views = grants.map((grant) => {
      const state = stateOf(grant, clock())
      return { ...viewGrant(grant, state, languageOf(request)), isNow: isNow(state) }
    })
    return sendPage(request, reply, `citizen/${template}`, {
      title: wordsFor(request)(door.isForBusiness ? 'grants:people.title' : 'grants:helpers.title'),
      section: sectionOf(door),
      now: views.filter((view) => view.isNow),
      past: views.filter((view) => !view.isNow),
    })
  })

  scope.get(`${folder}/add`, { preHandler }, async (request, reply) => {
    const choices = await findChoices(database, request, door)
    return sendForm(request, reply, door, choices, emptyGrantDraft(door))
  })

  scope.post(`${folder}/add`, { preHandler: [checkForm, preHandler] }, async (request, reply) => {
    const choices = await findChoices(database, request, door)
    const draft = readGrantDraft(request.body, choices)
    const { errors, offer } = checkGrantDraft(draft, choices, clock(), wordsFor(request))
    if (offer === undefined) return sendForm(request, reply, door, choices, draft, errors)
    const { grantId } = await offerGrant(database, key, request.signedIn!.actor, offer, clock())
    return reply.redirect(`${folder}/${grantId}`, 303)
  })

  scope.get(`${folder}/:id`, { preHandler, schema }, async (request, reply) => {
    const grant = await findGiven(database, request.signedIn!.actor, request.params.id)
    return sendDetails(request, reply, door, grant, key, clock())
  })

  scope.post(`${folder}/:id/end`, { preHandler: [checkForm, preHandler], schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const grant = await findGiven(database, actor, request.params.id)
    try {
      await endGrant(database, actor, { grantId: grant.id }, clock())
    } catch (error) {
      return sendDetails(request, reply, door, grant, key, clock(), refusedInWords(error, grant, wordsFor(request)))
    }
    // Who ends their own access is out of this mailbox with the next click.
    return reply.redirect(grant.holderId === actor.by.id ? '/mailboxes' : folder, 303)
  })

  scope.get(`${folder}/:id/document`, { preHandler, schema }, async (request, reply) => {
    const { filename, mediaType, bytes } = await readGrantDocument(database, request.signedIn!.actor, request.params.id)
    return reply
      .headers({
        'content-type': mediaType,
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      })
      .send(bytes)
  })
}

const sectionOf = ({ isForBusiness }: GivenDoor) => (isForBusiness ? 'people' : 'my-details')
const isNow = (state: GrantState) => ['offered', 'not-begun', 'active'].includes(state)

/** A person's helpers have one address, and a business's people another. */
async function requireOwnKind(request: FastifyRequest, reply: FastifyReply, { isForBusiness }: GivenDoor) {
  const { actor, openMailbox } = request.signedIn!
  requireRight(actor, 'grants:manage')
  if ((openMailbox?.isBusiness ?? false) === isForBusiness) return
  if (request.method !== 'GET') throw new Problem('not-found')
  return reply.redirect(isForBusiness ? '/helpers' : '/people', 303)
}

export async function findChoices(
  database: Surroundings['database'],
  request: FastifyRequest,
  { isForBusiness }: Pick<GivenDoor, 'isForBusiness'>,
): Promise<GrantChoices> {
  const [services, categories] = await Promise.all([
    listGrantableServices(database, request.signedIn!.actor),
    listCategories(database),
  ])
  const nameOf = ({ slug, name }: Category) => name[languageOf(request)] ?? name.en ?? slug
  return { isForBusiness, services, categories: categories.map((each) => ({ slug: each.slug, name: nameOf(each) })) }
}

function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  door: GivenDoor,
  choices: GrantChoices,
  draft: GrantDraft,
  errors: FieldError[] = [],
) {
  const title = wordsFor(request)(door.isForBusiness ? 'grants:people.add-title' : 'grants:helpers.add')
  const data = { title, section: sectionOf(door), folder: door.folder, choices, draft, errors, days: invitationDays } as const
  return sendPage(request, reply, 'citizen/grant-form', data, errors.length > 0 ? 422 : 200)
}

function sendDetails(
  request: FastifyRequest,
  reply: FastifyReply,
  door: GivenDoor,
  grant: Grant,
  key: Buffer,
  now: Date,
  errors: FieldError[] = [],
) {
  const state = stateOf(grant, now)
  const { actor } = request.signedIn!
  const isByLaw = grantKinds[grant.kind].isByLaw
  const data = {
    title: grant.holderName,
    section: sectionOf(door),
    folder: door.folder,
    grant,
    view: viewDetails(grant, state, languageOf(request)),
    code: state === 'offered' ? invitationCode(key, grant.id) : undefined,
    isNow: isNow(state),
    isByLaw,
    mayBeFirm: (grantKinds[grant.kind].holders as readonly string[]).includes('business'),
    isOwn: grant.holderId === actor.by.id,
    mayChange: door.isForBusiness && ['active', 'not-begun'].includes(state) && !isByLaw && grant.holderId !== actor.by.id,
    errors,
  } as const
  return sendPage(request, reply, 'citizen/given-grant', data, errors.length > 0 ? 409 : 200)
}

export function viewDetails(grant: Grant, state: GrantState, language: Language) {
  return {
    ...viewGrant(grant, state, language),
    who: kindInWords(grant.kind, language),
    rights: rightsInWords(grant, language),
    limits: limitsInWords(grant, language) ?? translate(language)('grants:all-post'),
  }
}

/** Why a grant cannot be ended here, at its button. Throws what is something else. */
export function refusedInWords(error: unknown, { giverName }: Pick<Grant, 'giverName'>, t: Translate): FieldError[] {
  const known: readonly ProblemCode[] = ['last-administrator', 'grant-to-oneself', 'grant-by-law']
  if (!(error instanceof Problem) || !known.includes(error.code)) throw error
  return [{ field: 'end', text: t(`grants:refused.${error.code}`, { owner: giverName }) }]
}
