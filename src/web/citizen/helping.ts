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
import { partsInWords, refusedInWords } from './given-grants.ts'

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
    const data = { title: 'Whose post you help with', section: 'my-details', sides, code, errors } as const
    return sendPage(request, reply, 'citizen/helping', data, status)
  }

  scope.get('/helping', (request, reply) => sendList(request, reply))

  scope.post('/helping', { preHandler: checkForm }, async (request, reply) => {
    const { code } = request.body as { code?: unknown }
    const typed = toLine(typeof code === 'string' ? code : '').slice(0, 100)
    if (typed === '') return sendList(request, reply, '', [{ field: 'code', text: 'Enter the code' }], 422)
    try {
      const { grantId } = await enterInvitationCode(database, key, request.signedIn!.actor, typed, clock())
      return reply.redirect(`/helping/offers/${grantId}`, 303)
    } catch (error) {
      const [found] = [toWords(error, 'code')]
      return sendList(request, reply, typed, [found], (error as Problem).status)
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
    try {
      if (answer === 'accept') await acceptGrant(database, actor, offer.id, clock())
      else if (answer === 'accept-for-firm') await acceptGrant(database, actor, offer.id, clock(), 'firm')
      else if (answer === 'decline') await declineGrant(database, actor, offer.id, clock())
      else return sendOffer(request, reply, offer, clock(), [{ field: 'accept', text: 'Select whether you accept' }])
    } catch (error) {
      return sendOffer(request, reply, offer, clock(), [
        toWords(error, 'accept', offer, answer === 'accept-for-firm' ? sidesOf(request)[0]?.firmName : undefined),
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
      return sendHeld(request, reply, grant, clock(), refusedInWords(error, grant))
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
      return { ...viewGrant(grant, state), isNow: ['active', 'not-begun'].includes(state) }
    })
    return { firmName, now: views.filter(({ isNow }) => isNow), past: views.filter(({ isNow }) => !isNow) }
  })
  return Promise.all(lists)
}

function sendOffer(request: FastifyRequest, reply: FastifyReply, offer: Grant, now: Date, errors: FieldError[] = []) {
  const view = { ...viewGrant(offer, stateOf(offer, now)), ...partsInWords(offer) }
  const title = offer.giverIsBusiness ? `Work in the mailbox of ${offer.giverName}` : `Help ${offer.giverName} with their post`
  const mayHold = (grantKinds[offer.kind].holders as readonly string[]).includes('business')
  const firmName = mayHold ? sidesOf(request)[0]?.firmName : undefined
  const data = { title, section: 'my-details', offer, view, mayHold, firmName, errors } as const
  return sendPage(request, reply, 'citizen/offer', data, errors.length > 0 ? 422 : 200)
}

function sendHeld(request: FastifyRequest, reply: FastifyReply, grant: Grant, now: Date, errors: FieldError[] = []) {
  const state = stateOf(grant, now)
  const view = { ...viewGrant(grant, state), ...partsInWords(grant) }
  const isNow = ['active', 'not-begun'].includes(state)
  const data = { title: grant.giverName, section: 'my-details', grant, view, isNow, errors } as const
  return sendPage(request, reply, 'citizen/held-grant', data, errors.length > 0 ? 409 : 200)
}

/** Throws what no field can mend. */
function toWords(error: unknown, field: string, offer?: Grant, firmName?: string): FieldError {
  const words: Partial<Record<ProblemCode, string>> = {
    'invitation-not-valid':
      'No invitation has this code. Check it with whoever gave it to you: it may have been used or taken back, or is too old',
    'too-many-attempts': 'You have tried too many codes. Wait an hour, then try again',
    'mailbox-closed': 'This mailbox has been closed, and nobody can be let in any more',
    'grant-to-oneself': offer?.giverIsBusiness
      ? 'You made this invitation yourself, or it is for the mailbox that you have open. What you can do is for another administrator to say'
      : 'This invitation is for your own mailbox. Give the code to the person who is to help you',
    'grant-in-circle': firmName
      ? `${offer?.giverName} can open the mailbox of ${firmName}, directly or through others, so ${firmName} cannot open theirs as well. End that access first if you want to accept`
      : `${offer?.giverName} can open your mailbox, directly or through others, so you cannot open theirs as well. End that access first if you want to accept`,
    'grant-not-possible': 'A business cannot accept this. Go back to your own mailbox, and accept it for yourself',
  }
  const text = error instanceof Problem ? words[error.code] : undefined
  if (text === undefined) throw error
  return { field, text }
}
