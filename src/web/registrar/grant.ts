import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { endGrant } from '../../access/end-grant.ts'
import { enterGrant, type GrantDocument } from '../../access/enter-grant.ts'
import { type GrantKind, grantKinds, kindsOfClosed } from '../../access/grant.ts'
import { checkDocuments } from '../../documents/check.ts'
import { Problem } from '../../problems.ts'
import type { PartyRecord } from '../../registry/read-record.ts'
import { LetterParams } from '../address.ts'
import { dayInWords } from '../dates.ts'
import { type Form, readDocuments, toFieldError } from '../form.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import {
  checkReason,
  type Draft,
  findPerson,
  isId,
  limitsForRegistrars,
  personOfSearch,
  readDraft,
  readLastDay,
  readPersonQuery,
  toHidden,
} from './fields.ts'
import { grantError } from './grant-error.ts'
import { openRecord, showEnded } from './viewing.ts'
import { roleInWords } from './words.ts'

/** Access that is given by law: entered with a document and an end, and ended. */
export function grantPages(app: FastifyInstance, surroundings: Surroundings): void {
  enterPages(app, surroundings)
  endPages(app, surroundings)
}

function enterPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: LetterParams }
  const address = '/registrar/records/:id/grants/new'

  scope.get(address, { schema }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    return record === undefined ? showEnded(request, reply) : sendForm(request, reply, record, {})
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { form, draft } = await readDraft(request)
    const { actor } = request.signedIn!
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const t = wordsFor(request)
    const { kind, role, end, errors } = readGrant(record, draft, clock(), t)
    if (draft.step !== 'do' || !isId(draft.holder)) {
      const { searchId, person, errors: personErrors } = await findPersonOnly(errors)
      if (person === undefined) return sendForm(request, reply, record, draft, [...errors, ...personErrors])
      return sendCheck(request, reply, record, { ...draft, holder: searchId! }, person.name, end!)
    }
    const person = await personOfSearch(database, actor, draft.holder, clock()).catch(() => undefined)
    if (kind === undefined || role === undefined || end === undefined || person === undefined) return showEnded(request, reply)
    const { document, errors: fileErrors } = await readDocument(form, t)
    if (document === undefined) return sendCheck(request, reply, record, draft, person.name, end, fileErrors)
    const grant = { giverId: record.id, holderId: person.id, kind, role, isAdministrator: false, endsAt: end }
    try {
      await enterGrant(database, actor, { ...grant, startsAt: clock(), reason: draft.reason!, document }, clock())
    } catch (error) {
      return sendForm(request, reply, record, draft, [grantError(error, t)])
    }
    return reply.redirect(`/registrar/records/${record.viewId}?done=grant`, 303)

    /** Nobody is looked for while something else is wrong: each search is one that the person is told of. */
    async function findPersonOnly(others: FieldError[]): Promise<Awaited<ReturnType<typeof findPerson>>> {
      return others.length > 0 ? { errors: [] } : findPerson(database, keys, actor, draft, clock(), t)
    }
  })
}

/** The kinds by law that there are for such a party, and while its mailbox is closed. */
function kindsFor({ kind, registration }: PartyRecord): GrantKind[] {
  return (Object.keys(grantKinds) as GrantKind[]).filter(
    (each) =>
      grantKinds[each].isByLaw &&
      (grantKinds[each].givers as readonly string[]).includes(kind) &&
      (registration !== 'closed' || kindsOfClosed.includes(each)),
  )
}

const rolesFor = ({ registration }: PartyRecord) =>
  registration === 'closed' ? (['reader'] as const) : (['reader', 'writer'] as const)

function readGrant(record: PartyRecord, draft: Draft, now: Date, t: Translate) {
  const errors: FieldError[] = []
  const kind = kindsFor(record).find((each) => each === draft.kind)
  if (kind === undefined) errors.push({ field: 'kind', text: t('register-access:enter.kind-missing') })
  errors.push(...readPersonQuery(draft, now, t).errors)
  const role = rolesFor(record).find((each) => each === draft.role)
  if (role === undefined) errors.push({ field: 'role', text: t('register-access:enter.role-missing') })
  const { end, errors: endErrors } = readLastDay(draft, 'end', now, t)
  return { kind, role, end, errors: [...errors, ...endErrors, ...checkReason(draft, t)] }
}

const documentKinds = ['application/pdf', 'image/png', 'image/jpeg']

/** The one document, if it is what it says. */
async function readDocument(form: Form, t: Translate): Promise<{ document?: GrantDocument; errors: FieldError[] }> {
  const { documents, errors } = readDocuments(form, limitsForRegistrars, t)
  const file = documents[0]?.files[0]
  if (errors.length > 0) return { errors }
  if (file === undefined) return { errors: [{ field: 'files', text: t('register-access:enter.document-missing') }] }
  if (file.mediaType === undefined || !documentKinds.includes(file.mediaType))
    return { errors: [{ field: 'files', text: t('register-access:enter.document-wrong') }] }
  try {
    await checkDocuments(documents)
  } catch (error) {
    return { errors: [toFieldError(error, documents, t)] }
  }
  const { filename, mediaType } = file
  return { document: { filename, mediaType, bytes: form.files[0]!.bytes }, errors: [] }
}

function sendForm(request: FastifyRequest, reply: FastifyReply, record: PartyRecord, draft: Draft, errors: FieldError[] = []) {
  const t = wordsFor(request)
  const data = {
    title: t('register-access:enter.title', { name: record.name }),
    section: 'records' as const,
    draft,
    errors,
    kinds: kindsFor(record).map((kind) => ({ value: kind, text: t(`register-access:kind.${kind}`) })),
    roles: rolesFor(record).map((role) => ({ value: role, text: t(`register-access:enter.${role}`) })),
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/grant', data, errors.length > 0 ? 422 : 200)
}

function sendCheck(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  draft: Draft,
  holderName: string,
  end: Date,
  errors: FieldError[] = [],
) {
  const t = wordsFor(request)
  const role = { role: draft.role as 'reader' | 'writer', isAdministrator: false }
  const data = {
    title: t('register-access:enter.question', { holder: holderName, name: record.name }),
    section: 'records' as const,
    rows: [
      { key: t('register-access:row.mailbox'), value: record.name },
      { key: t('register-access:row.holder'), value: holderName },
      { key: t('register-access:row.as'), value: t(`register-access:kind.${draft.kind}`) },
      { key: t('register-access:row.role'), value: roleInWords(role, t) },
      { key: t('register-access:row.until'), value: dayInWords(end, languageOf(request)) },
      { key: t('register-form:reason.row'), value: draft.reason! },
    ],
    sentences: [t('register-access:enter.means')],
    asksDocument: true,
    button: t('register-access:enter.do'),
    hidden: toHidden(draft),
    errors,
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/check', data, errors.length > 0 ? 422 : 200)
}

function endPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: Type.Object({ ...LetterParams.properties, grantId: Type.String({ format: 'uuid' }) }) }
  const address = '/registrar/records/:id/grants/:grantId/end'

  const findGrant = (record: PartyRecord, grantId: string) => {
    const isGiven = record.given.some(({ id }) => id === grantId)
    const grant = [...record.given, ...record.held].find(({ id, endedAt }) => id === grantId && endedAt === null)
    if (grant === undefined) throw new Problem('not-found')
    const [mailbox, holder] = isGiven ? [record.name, grant.name] : [grant.name, record.name]
    return { grant, mailbox, holder }
  }

  scope.get(address, { schema }, async (request, reply) => {
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    return sendEndForm(request, reply, record, findGrant(record, request.params.grantId), {})
  })

  scope.post(address, { schema }, async (request, reply) => {
    const { draft } = await readDraft(request)
    const record = await openRecord(request, surroundings, request.params.id)
    if (record === undefined) return showEnded(request, reply)
    const found = findGrant(record, request.params.grantId)
    const errors = checkReason(draft, wordsFor(request))
    if (errors.length > 0) return sendEndForm(request, reply, record, found, draft, errors)
    await endGrant(database, request.signedIn!.actor, { grantId: found.grant.id, reason: draft.reason! }, clock())
    return reply.redirect(`/registrar/records/${record.viewId}?done=ended`, 303)
  })
}

type Ended = { grant: PartyRecord['given'][number]; mailbox: string; holder: string }

function sendEndForm(
  request: FastifyRequest,
  reply: FastifyReply,
  record: PartyRecord,
  { grant, mailbox, holder }: Ended,
  draft: Draft,
  errors: FieldError[] = [],
) {
  const t = wordsFor(request)
  const data = {
    title: t('register-access:end.question', { holder, mailbox }),
    section: 'records' as const,
    rows: [
      { key: t('register-access:row.mailbox'), value: mailbox },
      { key: t('register-access:row.ended-holder'), value: holder },
      { key: t('register-access:row.as'), value: t(`register-access:kind.${grant.kind}`) },
      { key: t('register-access:row.role'), value: roleInWords(grant, t) },
    ],
    sentences: [t('register-access:end.means')],
    asksReason: true,
    draft,
    button: t('register-access:end.do'),
    isGrave: true,
    hidden: [],
    errors,
    back: `/registrar/records/${record.viewId}`,
  }
  return sendPage(request, reply, 'registrar/check', data, errors.length > 0 ? 422 : 200)
}
