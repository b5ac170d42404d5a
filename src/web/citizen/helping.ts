import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { acceptGrant, declineGrant, enterInvitationCode, findOffer } from '../../access/accept-grant.ts'
import { endGrant } from '../../access/end-grant.ts'
import { type Grant, grantKinds, type Side, stateOf } from '../../access/grant.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import { listHeld } from '../../access/list-grants.ts'
import { Problem, type ProblemCode } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { toLine } from '../form.ts'
import { viewGrant } from '../grant-words.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import { refusedInWords, viewDetails } from './given-grants.ts'

/**
 * Whom the person who is signed in helps, and whom the firm whose people they manage and whose mailbox they have open: by which
 * code, what they may do, and giving it up.
 */
export function helpingPages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const key = deriveInvitationKey(config.secretKey)
  const schema = { params: LetterParams }

  const sendList = async (request: FastifyRequest, reply: FastifyReply, code = '', errors: FieldError[] = [], status = 200) => {
    const sides = await listSides(database, request, clock())
    const data = { title: wordsFor(request)('grants:helping.title'), section: 'my-details', sides, code, errors } as const
    return sendPage(request, reply, 'citizen/helping', data, status)
  }

  scope.get('/helping', (request, reply) => sendList(request, reply))

  scope.post('/helping', { preHandler: checkForm }, async (request, reply) => {
    const { code } = request.body as { code?: unknown }
    const typed = toLine(typeof code === 'string' ? code : '').slice(0, 100)
    if (typed === '')
      return sendList(request, reply, '', [{ field: 'code', text: wordsFor(request)('grants:helping.code-missing') }], 422)
    try {
      const { grantId } = await enterInvitationCode(database, key, request.signedIn!.actor, typed, clock())
      return reply.redirect(`/helping/offers/${grantId}`, 303)
    } catch (error) {
      return sendList(request, reply, typed, [toWords(error, 'code', wordsFor(request))], (error as Problem).status)
    }
  })

  scope.get('/helping/offers/:id', { schema }, async (request, reply) => {
    const offer = await findOffer(database, request.signedIn!.actor, request.params.id, clock())
    return sendOffer(request, reply, offer, clock())
  })

  scope.post('/helping/offers/:id', { preHandler: checkForm, schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const offer = await findOffer(database, actor, request.params.id, clock())
    const { answer } = request.body as { answer?: unknown }
    const t = wordsFor(request)
    try {
      if (answer === 'accept') await acceptGrant(database, actor, offer.id, clock())
      else if (answer === 'accept-for-firm') await acceptGrant(database, actor, offer.id, clock(), 'firm')
      else if (answer === 'decline') await declineGrant(database, actor, offer.id, clock())
      else return sendOffer(request, reply, offer, clock(), [{ field: 'accept', text: t('grants:offer.answer-missing') }])
    } catch (error) {
      return sendOffer(request, reply, offer, clock(), [
        toWords(error, 'accept', t, offer, answer === 'accept-for-firm' ? sidesOf(request)[0]?.firmName : undefined),
      ])
    }
    return reply.redirect(answer === 'decline' ? '/helping' : '/mailboxes', 303)
  })

  const findHeld = async (request: FastifyRequest, id: string): Promise<Grant> => {
    const lists = sidesOf(request).map(({ side }) => listHeld(database, request.signedIn!.actor, side))
    const grant = (await Promise.all(lists)).flat().find((each) => each.id === id)
    if (grant === undefined) throw new Problem('not-found')
    return grant
  }

  scope.get('/helping/:id', { schema }, async (request, reply) => {
    return sendHeld(request, reply, await findHeld(request, request.params.id), clock())
  })

  scope.post('/helping/:id/end', { preHandler: checkForm, schema }, async (request, reply) => {
    const grant = await findHeld(request, request.params.id)
    try {
      await endGrant(database, request.signedIn!.actor, { grantId: grant.id }, clock())
    } catch (error) {
      return sendHeld(request, reply, grant, clock(), refusedInWords(error, grant, wordsFor(request)))
    }
    return reply.redirect('/helping', 303)
  })
}

/** Themselves, and the business whose mailbox they have open where they manage who may do what for it. */
function sidesOf(request: FastifyRequest): { side: Side; firmName: string | undefined }[] {
  const { actor, openMailbox } = request.signedIn!
  const isFirm = openMailbox?.isBusiness && actor.rights.has('grants:manage')
  return [
    ...(isFirm ? [{ side: 'firm' as const, firmName: openMailbox.ownerName }] : []),
    { side: 'person', firmName: undefined },
  ]
}

function listSides(database: Surroundings['database'], request: FastifyRequest, now: Date) {
  const lists = sidesOf(request).map(async ({ side, firmName }) => {
    const views = (await listHeld(database, request.signedIn!.actor, side)).map((grant) => {
      const state = stateOf(grant, now)
      return { ...viewGrant(grant, state, languageOf(request)), isNow: ['active', 'not-begun'].includes(state) }
    })
    return { firmName, now: views.filter(({ isNow }) => isNow), past: views.filter(({ isNow }) => !isNow) }
  })
  return Promise.all(lists)
}

function sendOffer(request: FastifyRequest, reply: FastifyReply, offer: Grant, now: Date, errors: FieldError[] = []) {
  const view = viewDetails(offer, stateOf(offer, now), languageOf(request))
  const titleKey = offer.giverIsBusiness ? 'grants:offer.title-business' : 'grants:offer.title-person'
  const title = wordsFor(request)(titleKey, { owner: offer.giverName })
  const mayHold = (grantKinds[offer.kind].holders as readonly string[]).includes('business')
  const firmName = mayHold ? sidesOf(request)[0]?.firmName : undefined
  const data = { title, section: 'my-details', offer, view, mayHold, firmName, errors } as const
  return sendPage(request, reply, 'citizen/offer', data, errors.length > 0 ? 422 : 200)
}

function sendHeld(request: FastifyRequest, reply: FastifyReply, grant: Grant, now: Date, errors: FieldError[] = []) {
  const state = stateOf(grant, now)
  const view = viewDetails(grant, state, languageOf(request))
  const isNow = ['active', 'not-begun'].includes(state)
  const data = { title: grant.giverName, section: 'my-details', grant, view, isNow, errors } as const
  return sendPage(request, reply, 'citizen/held-grant', data, errors.length > 0 ? 409 : 200)
}

/** Throws what no field can mend. */
function toWords(error: unknown, field: string, t: Translate, offer?: Grant, firmName?: string): FieldError {
  const keys: Partial<Record<ProblemCode, string>> = {
    'invitation-not-valid': 'invitation-not-valid',
    'too-many-attempts': 'too-many-attempts',
    'mailbox-closed': 'mailbox-closed',
    'grant-to-oneself': offer?.giverIsBusiness ? 'own-business' : 'own',
    'grant-in-circle': firmName ? 'circle-firm' : 'circle',
    'grant-not-possible': 'grant-not-possible',
  }
  const key = error instanceof Problem ? keys[error.code] : undefined
  if (key === undefined) throw error
  return { field, text: t(`grants:not-accepted.${key}`, { owner: offer?.giverName, firm: firmName }) }
}
