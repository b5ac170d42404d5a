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
import { type Language, languageOf, translate, wordsFor } from '../words.ts'
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
    const t = wordsFor(request)
    const other = record.likenesses.find(({ id }) => id === draft.other)
    const errors = other === undefined ? [{ field: 'other', text: t('register-merges:ask.which-missing') }] : []
    const all = [...errors, ...checkReason(draft, t)]
    if (other === undefined || all.length > 0) return sendForm(request, reply, record, draft, all)
    if (draft.step !== 'do') return sendCheck(request, reply, record, other, draft)
    const merge = { fromPartyId: other.id, intoPartyId: record.id, reason: draft.reason! }
    try {
      await requestMerge(database, request.signedIn!.actor, merge, clock())
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'not-found')) throw error
      return sendForm(request, reply, record, draft, [{ field: 'other', text: t('register-merges:ask.asked-already') }])
    }
    return reply.redirect(`/registrar/records/${record.viewId}?done=merge`, 303)
  })
}

const describe = (createdAt: Date, language: Language) =>
  translate(language)('register-merges:record', { day: dayInWords(createdAt, language) })

const describeOther = ({ createdAt, services }: PartyRecord['likenesses'][number], language: Language) =>
  translate(language)('register-merges:other', { day: dayInWords(createdAt, language), count: services })

function sendForm(request: FastifyRequest, reply: FastifyReply, record: PartyRecord, draft: Draft, errors: FieldError[] = []) {
  const data = {
    title: wordsFor(request)('register-merges:ask.title', { name: record.name }),
    section: 'records' as const,
    record,
    others: record.likenesses.map((other) => ({ value: other.id, text: describeOther(other, languageOf(request)) })),
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
  const language = languageOf(request)
  const t = translate(language)
  return sendPage(request, reply, 'registrar/check', {
    title: t('register-merges:ask.question'),
    section: 'records',
    rows: [
      { key: t('register-merges:row.person'), value: record.name },
      { key: t('register-merges:row.stays'), value: describe(record.createdAt, language) },
      { key: t('register-merges:row.merged'), value: describeOther(other, language) },
      { key: t('register-form:reason.row'), value: draft.reason! },
    ],
    sentences: [t('register-merges:ask.means')],
    button: t('register-merges:ask.do'),
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
    return sendPage(request, reply, 'registrar/merges', {
      title: wordsFor(request)('register-merges:title'),
      section: 'merges',
      waiting,
    })
  })

  scope.get(address, { schema }, async (request, reply) =>
    sendDecision(request, reply, await findRequest(request, request.params.id), {}),
  )

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const found = await findRequest(request, request.params.id)
    const t = wordsFor(request)
    const decision = choicesOf(found, actor.by.id).find((choice) => choice === draft.decision)
    const errors = decision === undefined ? [{ field: 'decision', text: t('register-merges:decide.missing') }] : []
    const all = [...errors, ...checkReason(draft, t)]
    if (decision === undefined || all.length > 0) return sendDecision(request, reply, found, draft, all)
    await decideMerge(database, actor, { mergeId: found.id, decision, reason: draft.reason! }, clock())
    return reply.redirect('/registrar/merges', 303)
  })
}

function choicesOf({ askedById }: MergeRequest, registrarId: string): MergeDecision[] {
  return askedById === registrarId ? ['withdrawn'] : ['merged', 'refused']
}

function sendDecision(
  request: FastifyRequest,
  reply: FastifyReply,
  asked: MergeRequest,
  draft: Draft,
  errors: FieldError[] = [],
) {
  const language = languageOf(request)
  const t = translate(language)
  const askedBy = { name: asked.askedByName, time: timeInWords(asked.askedAt, language) }
  const data = {
    title: t('register-merges:decide.question', { name: asked.name }),
    section: 'merges' as const,
    rows: [
      { key: t('register-merges:row.name'), value: asked.name },
      { key: t('register-merges:row.birth-date'), value: asked.birthDate === null ? '' : dayOf(asked.birthDate, language) },
      { key: t('register-merges:row.stays'), value: describe(asked.intoCreatedAt, language) },
      { key: t('register-merges:row.merged'), value: describe(asked.fromCreatedAt, language) },
      { key: t('register-merges:row.asked-by'), value: t('register-merges:row.asked-by-value', askedBy) },
      { key: t('register-merges:row.why'), value: asked.reason },
    ],
    choices: choicesOf(asked, request.signedIn!.actor.by.id).map((value) => ({
      value,
      text: t(`register-merges:decide.choices.${value}`),
    })),
    draft,
    errors,
  }
  return sendPage(request, reply, 'registrar/decide', data, errors.length > 0 ? 422 : 200)
}
