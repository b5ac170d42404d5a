import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { v7 as newId } from 'uuid'
import { type Actor, isFromOutside } from '../../access/actor.ts'
import { type Correspondent, listCorrespondents } from '../../access/list-correspondents.ts'
import type { Database } from '../../database/connect.ts'
import type { DraftAim } from '../../mailbox/draft.ts'
import { findDraftAbout } from '../../mailbox/find-draft.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { saveDraft } from '../../mailbox/save-draft.ts'
import { Problem } from '../../problems.ts'
import { findContactPoint, mayWriteTo } from '../../registry/contact-browse.ts'
import { searchContactPoints, searchLengthMax } from '../../registry/contact-search.ts'
import { findBusiness } from '../../registry/find-business.ts'
import { LetterParams } from '../address.ts'
import { readReference, toLine } from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { wordsFor } from '../words.ts'

/** Handing a letter on: first to whom. What follows is a draft. */
export function forwardPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const querystring = Type.Object({ q: Type.Optional(Type.String()), other: Type.Optional(Type.String()) })

  scope.get('/letters/:id/forward', { schema: { params: LetterParams, querystring } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const letter = await openToForward(database, actor, request.params.id, clock())
    const draft = await findDraftAbout(database, actor, { messageId: letter.id, kind: 'forward' })
    const { q, other } = request.query
    if (draft && q === undefined && other === undefined) return reply.redirect(`/drafts/${draft.id}`, 303)
    return sendChoice(request, reply, surroundings, letter, { words: toLine(q) })
  })

  scope.post('/letters/:id/forward', { schema: { params: LetterParams }, preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const letter = await openToForward(database, actor, request.params.id, now)
    const fields = new Map(
      Object.entries(request.body as Record<string, unknown>).map(([name, value]) => [name, toLine(String(value))]),
    )
    const id = readReference(fields)
    const recipient = await findRecipient(surroundings, actor, fields, now)
    if ('field' in recipient) {
      const error = { field: recipient.field, text: wordsFor(request)(`forward:${recipient.wrong}`) }
      const typed = { words: fields.get('words') ?? '', to: fields.get('to'), companyNumber: fields.get('companyNumber') }
      return sendChoice(request, reply, surroundings, letter, typed, [error])
    }
    const aim: DraftAim = {
      kind: 'forward',
      messageId: letter.id,
      contactPointId: null,
      toPartyId: null,
      category: letter.category,
      recipientOnly: letter.recipientOnly,
      serviceId: letter.serviceId,
      ...recipient,
    }
    await saveDraft(database, actor, { id, version: 0, aim, subject: '', body: '', answers: [] }, now)
    return reply.redirect(`/drafts/${id}`, 303)
  })
}

/** In one that its sender has taken back is nothing to hand on. */
async function openToForward(database: Database, actor: Actor, id: string, now: Date): Promise<Letter> {
  const letter = await open(database, actor, id, now)
  if (letter.recalledAt !== null) throw new Problem('not-found')
  return letter
}

type Recipient = Pick<DraftAim, 'toName'> & Partial<Pick<DraftAim, 'toPartyId' | 'contactPointId' | 'serviceId'>>
type Wrong = { field: string; wrong: string }

/** Whom somebody chose, if they may choose them: nobody is handed a letter whom its reader does not know here, or could not look up. */
async function findRecipient(
  { database, keys }: Surroundings,
  actor: Actor,
  fields: ReadonlyMap<string, string>,
  now: Date,
): Promise<Recipient | Wrong> {
  const [, kind, value = ''] = /^(party|point|business)(?::(.+))?$/.exec(fields.get('to') ?? '') ?? []
  if (kind === 'party') {
    const known = (await listCorrespondents(database, actor, now)).find(({ grantId }) => grantId === value)
    return known ? { toPartyId: known.partyId, toName: known.name } : { field: 'to', wrong: 'not-known' }
  }
  if (kind === 'business' && !isFromOutside(actor)) {
    const found = await findBusiness(database, keys, actor, fields.get('companyNumber') ?? '')
    return found ? { toPartyId: found.partyId, toName: found.name } : { field: 'companyNumber', wrong: 'no-business' }
  }
  const [, organisation, slug] = /^([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(value) ?? []
  if (kind !== 'point' || organisation === undefined) return { field: 'to', wrong: 'nobody-chosen' }
  const point = await findContactPoint(database, actor, { organisation, point: slug! })
  if (!mayWriteTo(actor, point)) throw new Problem('not-found')
  if (!point.active || point.formUrl !== null) return { field: 'to', wrong: 'not-known' }
  return { contactPointId: point.id, toName: point.organisationName, serviceId: point.serviceId }
}

async function sendChoice(
  request: FastifyRequest,
  reply: FastifyReply,
  { database, clock }: Surroundings,
  letter: Letter,
  { words, to, companyNumber }: { words: string; to?: string | undefined; companyNumber?: string | undefined },
  errors: FieldError[] = [],
) {
  const { actor } = request.signedIn!
  const searched = words.slice(0, searchLengthMax)
  const [people, found] = await Promise.all([
    listCorrespondents(database, actor, clock()),
    searched === '' ? undefined : searchContactPoints(database, actor, searched),
  ])
  return sendPage(
    request,
    reply,
    'citizen/forward',
    {
      title: wordsFor(request)('forward:who'),
      section: 'inbox',
      letter,
      reference: newId(),
      people: people.map((person) => ({ ...person, kind: kindOf(person) })),
      mayNameBusiness: !isFromOutside(actor),
      words: searched,
      points: found?.points.filter(({ formUrl }) => formUrl === null),
      to,
      companyNumber,
      errors,
    },
    errors.length > 0 ? 422 : 200,
  )
}

const kindOf = ({ isHelper }: Correspondent) => (isHelper ? 'helps-you' : 'you-help')
