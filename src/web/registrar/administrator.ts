import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { enterGrant } from '../../access/enter-grant.ts'
import type { GrantRole } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { PartyRecord } from '../../registry/read-record.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { checkReason, type Draft, findPerson, isId, personOfSearch, readDraft, readPersonQuery, toHidden } from './fields.ts'
import { grantError } from './grant-error.ts'
import { openRecord, showEnded } from './viewing.ts'
import { roleInWords } from './words.ts'

const roles = ['writer', 'reader', 'none'] as const satisfies GrantRole[]

/** A new administrator for a business that has lost its own. */
export function administratorPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }
  const address = '/registrar/records/:id/administrator'

  const openBusiness = async (request: FastifyRequest, viewId: string) => {
    const record = await openRecord(request, surroundings, viewId)
    if (record !== undefined && (record.kind !== 'business' || record.registration === 'closed')) throw new Problem('not-found')
    return record
  }

  scope.get(address, { schema }, async (request, reply) => {
    const record = await openBusiness(request, request.params.id)
    return record === undefined ? showEnded(request, reply) : sendForm(request, reply, record, { role: 'writer' })
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const record = await openBusiness(request, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const t = wordsFor(request)
    const role = roles.find((each) => each === draft.role)
    const roleMissing = { field: 'role', text: t('register-access:enter.role-missing') }
    const errors = [...readPersonQuery(draft, clock(), t).errors, roleMissing, ...checkReason(draft, t)]
    if (role === undefined) return sendForm(request, reply, record, draft, errors)
    if (draft.step !== 'do' || !isId(draft.holder)) {
      const { searchId, person, errors: personErrors } = await findPerson(database, keys, actor, draft, clock(), t)
      if (person === undefined) return sendForm(request, reply, record, draft, personErrors)
      return sendCheck(request, reply, record, { ...draft, holder: searchId! }, person.name, role)
    }
    const person = await personOfSearch(database, actor, draft.holder, clock()).catch(() => undefined)
    if (person === undefined || checkReason(draft, t).length > 0) return showEnded(request, reply)
    const grant = { giverId: record.id, holderId: person.id, kind: 'employee', role, isAdministrator: true } as const
    try {
      await enterGrant(database, actor, { ...grant, startsAt: clock(), reason: draft.reason! }, clock())
    } catch (error) {
      return sendForm(request, reply, record, draft, [grantError(error, t)])
    }
    return reply.redirect(`/registrar/records/${record.viewId}?done=administrator`, 303)
  })
}

function sendForm(request: FastifyRequest, reply: FastifyReply, record: PartyRecord, draft: Draft, errors: FieldError[] = []) {
  const t = wordsFor(request)
  const data = {
    title: t('register-access:administrator.title', { name: record.name }),
    section: 'records' as const,
    draft,
    errors,
    roles: roles.map((role) => ({ value: role, text: roleInWords({ role, isAdministrator: true }, t) })),
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/administrator', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  draft: Draft,
  name: string,
  role: GrantRole,
) {
  const t = wordsFor(request)
  return sendPage(request, reply, 'registrar/check', {
    title: t('register-access:administrator.question', { name, business: record.name }),
    section: 'records',
    rows: [
      { key: t('register-access:administrator.business'), value: record.name },
      { key: t('register-access:administrator.new'), value: name },
      { key: t('register-access:row.role'), value: roleInWords({ role, isAdministrator: true }, t) },
      { key: t('register-form:reason.row'), value: draft.reason! },
    ],
    sentences: [t('register-access:administrator.means')],
    button: t('register-access:administrator.do'),
    hidden: toHidden(draft),
    back: `/registrar/records/${record.viewId}`,
  })
}
