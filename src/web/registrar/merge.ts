import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problems.ts'
import type { PartyRecord } from '../../registry/read-record.ts'
import {
  decideMerge,
  listMergeRequests,
  type MergeDecision,
  type MergeRequest,
  requestMerge,
} from '../../registry/request-merge.ts'
import { LetterParams } from '../address.ts'
import { dayInWords, timeInWords } from '../dates.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkReason, type Draft, readDraft, toHidden } from './fields.ts'
import { openRecord, showEnded } from './viewing.ts'
import { dayOf } from './words.ts'

/** Two records of one person become one: one registrar asks, and another does it. */
export function mergePages(app: FastifyInstance, surroundings: Surroundings): void {
  askPages(app, surroundings)
  decidePages(app, surroundings)
}

function askPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }
  const address = '/registrar/records/:id/merge'

  const openPerson = async (request: FastifyRequest, viewId: string) => {
    const record = await openRecord(request, surroundings, viewId)
    if (record?.likenesses.length === 0) throw new Problem('not-found')
    return record
  }

  scope.get(address, { schema }, async (request, reply) => {
    const record = await openPerson(request, request.params.id)
    return record === undefined ? showEnded(request, reply) : sendForm(request, reply, record, {})
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const record = await openPerson(request, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const other = record.likenesses.find(({ id }) => id === draft.other)
    const errors = other === undefined ? [{ field: 'other', text: 'Choose the other record' }] : []
    const all = [...errors, ...checkReason(draft)]
    if (other === undefined || all.length > 0) return sendForm(request, reply, record, draft, all)
    if (draft.step !== 'do') return sendCheck(request, reply, record, other, draft)
    const merge = { fromPartyId: other.id, intoPartyId: record.id, reason: draft.reason! }
    try {
      await requestMerge(database, request.signedIn!.actor, merge, clock())
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'not-found')) throw error
      const text = 'Somebody has asked for one of these records to be merged already'
      return sendForm(request, reply, record, draft, [{ field: 'other', text }])
    }
    return reply.redirect(`/registrar/records/${record.viewId}?done=merge`, 303)
  })
}

const describeOther = ({ createdAt, services }: PartyRecord['likenesses'][number]) =>
  `The record made on ${dayInWords(createdAt)}, with ${services === 1 ? '1 linked service' : `${services} linked services`}`

function sendForm(request: FastifyRequest, reply: FastifyReply, record: PartyRecord, draft: Draft, errors: FieldError[] = []) {
  const data = {
    title: `Merge another record into this one of ${record.name}`,
    section: 'records' as const,
    record,
    others: record.likenesses.map((other) => ({ value: other.id, text: describeOther(other) })),
    draft,
    errors,
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/merge', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  other: PartyRecord['likenesses'][number],
  draft: Draft,
) {
  return sendPage(request, reply, 'registrar/check', {
    title: 'Ask for these records to be merged?',
    section: 'records',
    rows: [
      { key: 'Person', value: record.name },
      { key: 'Stays', value: `The record made on ${dayInWords(record.createdAt)}` },
      { key: 'Is merged into it', value: describeOther(other) },
      { key: 'Why you do this', value: draft.reason! },
    ],
    sentences: ['Nothing is merged before another registrar has agreed.'],
    button: 'Ask another registrar',
    hidden: toHidden(draft),
    back: `/registrar/records/${record.viewId}`,
  })
}

function decidePages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const address = '/registrar/merges/:id'
  const schema = { params: LetterParams }

  const findRequest = async (request: FastifyRequest, id: string) => {
    const found = (await listMergeRequests(database, request.signedIn!.actor)).find((each) => each.id === id)
    if (found === undefined) throw new Problem('not-found')
    return found
  }

  scope.get('/registrar/merges', async (request, reply) => {
    const waiting = await listMergeRequests(database, request.signedIn!.actor)
    return sendPage(request, reply, 'registrar/merges', { title: 'Records to merge', section: 'merges', waiting })
  })

  scope.get(address, { schema }, async (request, reply) =>
    sendDecision(request, reply, await findRequest(request, request.params.id), {}),
  )

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const found = await findRequest(request, request.params.id)
    const decision = choicesOf(found, actor.by.id).find(({ value }) => value === draft.decision)?.value
    const errors = decision === undefined ? [{ field: 'decision', text: 'Choose what to do' }] : []
    const all = [...errors, ...checkReason(draft)]
    if (decision === undefined || all.length > 0) return sendDecision(request, reply, found, draft, all)
    await decideMerge(database, actor, { mergeId: found.id, decision, reason: draft.reason! }, clock())
    return reply.redirect('/registrar/merges', 303)
  })
}

function choicesOf({ askedById }: MergeRequest, registrarId: string): { value: MergeDecision; text: string }[] {
  if (askedById === registrarId) return [{ value: 'withdrawn', text: 'Take the request back' }]
  return [
    { value: 'merged', text: 'Merge the records. This cannot be undone' },
    { value: 'refused', text: 'Leave them as they are' },
  ]
}

function sendDecision(
  request: FastifyRequest,
  reply: FastifyReply,
  asked: MergeRequest,
  draft: Draft,
  errors: FieldError[] = [],
) {
  const data = {
    title: `Merge two records of ${asked.name}?`,
    section: 'merges' as const,
    rows: [
      { key: 'Name', value: asked.name },
      { key: 'Birth date', value: asked.birthDate === null ? '' : dayOf(asked.birthDate) },
      { key: 'Stays', value: `The record made on ${dayInWords(asked.intoCreatedAt)}` },
      { key: 'Is merged into it', value: `The record made on ${dayInWords(asked.fromCreatedAt)}` },
      { key: 'Asked for by', value: `${asked.askedByName}, on ${timeInWords(asked.askedAt)}` },
      { key: 'Why', value: asked.reason },
    ],
    choices: choicesOf(asked, request.signedIn!.actor.by.id),
    draft,
    errors,
  }
  return sendPage(request, reply, 'registrar/decide', data, errors.length > 0 ? 422 : 200)
}
