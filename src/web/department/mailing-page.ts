import type { FastifyReply, FastifyRequest } from 'fastify'
import { servicesFor } from '../../access/actor.ts'
import { findMailing, listRowErrors, listRows, type MailingFound } from '../../delivery/find-mailings.ts'
import { findTemplate, type TemplateFound } from '../../delivery/find-templates.ts'
import { rowsKeptDays, takesFile, valuesOf } from '../../delivery/mailing.ts'
import { fileBytesMax } from '../../delivery/read-csv.ts'
import { listSchemes } from '../../delivery/stage-file.ts'
import { placeholdersOf } from '../../delivery/template.ts'
import { schemeName } from '../../registry/scheme.ts'
import { listServices } from '../../registry/services.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import { problemInWords, rowFaultInWords } from './problem-words.ts'
import { previewOf } from './template-form.ts'

const folder = '/department/mailings'
const errorsShown = 100

export type SendDraft = {
  leaveOut: boolean
  hold: boolean
  when: 'now' | 'later'
  day: string
  month: string
  year: string
  time: string
}
export const emptySendDraft: SendDraft = { leaveOut: false, hold: false, when: 'now', day: '', month: '', year: '', time: '' }

export type FileDraft = { scheme: string; severalAllowed: boolean }

type Shown = {
  row?: number | undefined
  errors?: FieldError[]
  send?: SendDraft
  file?: FileDraft
  status?: number
}

const numberInWords = (count: number) => count.toLocaleString('en-GB')

/** A mailing as far as it has come, with what is to be done next. */
export async function sendMailingPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { database, keys }: Pick<Surroundings, 'database' | 'keys'>,
  id: string,
  { row, errors = [], send = emptySendDraft, file = { scheme: 'link', severalAllowed: false }, status }: Shown,
): Promise<FastifyReply> {
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  const mailing = await findMailing(database, actor, id)
  const template = await findTemplate(database, actor, mailing.templateId, mailing.templateVersion)
  const [service] = await listServices(database, { ids: [mailing.senderId] })
  const placeholders = placeholdersOf(template.content)
  const mayWrite = servicesFor(actor, 'messages:write')?.includes(mailing.senderId) ?? false
  const schemes = mayWrite ? await listSchemes(database, mailing.senderId) : []
  const rowErrors =
    mailing.errors > 0 ? await listRowErrors(database, actor, mailing, { after: { row: 0, ordinal: 0 }, limit: errorsShown }) : []
  const data = {
    title: mailing.name,
    section: 'mailings' as const,
    mailing,
    template,
    service,
    href: `${folder}/${id}`,
    placeholders,
    mayWrite,
    takesFile: takesFile(mailing.state),
    schemes: schemes.map((scheme) => {
      const known = keys.schemes.get(scheme)
      return { scheme, name: known ? schemeName(known, languageOf(request)) : t('staff-mailings:form.own-number') }
    }),
    rowErrors: rowErrors.map((error) => ({ ...error, wrong: rowFaultInWords(error.fault, keys.schemes, languageOf(request)) })),
    counts: countsOf(mailing),
    waitsBecause: mailing.waitsBecause && waitingInWords(mailing.waitsBecause, t),
    canBeTakenOver: mayWrite && mailing.waitsBecause === 'access-ended',
    limits: { megabytes: fileBytesMax / 1024 / 1024, days: rowsKeptDays },
    errors,
    send,
    file,
  }
  const letter = mailing.state === 'ready' ? await findLetter(database, keys, request, mailing, template, row) : undefined
  return sendPage(request, reply, 'department/mailing', { ...data, letter }, status ?? (errors.length > 0 ? 422 : 200))
}

function countsOf(mailing: MailingFound) {
  const { rows, lookedUp, unreachable, errors, accepted, state, endedAt } = mailing
  const reachable = (rows ?? 0) - unreachable
  const unsent = rows === null || endedAt === null ? 0 : reachable - accepted
  return {
    rows: numberInWords(rows ?? 0),
    lookedUp: numberInWords(lookedUp),
    unreachable,
    unreachableInWords: numberInWords(unreachable),
    reachable,
    reachableInWords: numberInWords(reachable),
    errors: numberInWords(errors),
    accepted: numberInWords(accepted),
    unsent,
    unsentInWords: numberInWords(unsent),
    /** Of a progress bar, between 0 and 1. */
    done: state === 'checking' ? lookedUp / Math.max(1, rows ?? 1) : accepted / Math.max(1, reachable),
  }
}

function waitingInWords(code: NonNullable<MailingFound['waitsBecause']>, t: Translate): string {
  if (code === 'access-ended' || code === 'too-many-lookups' || code === 'letters-of-day-used')
    return t(`staff-mailings:waits.${code}`)
  return t('staff-mailings:waits.other', { reason: problemInWords(code, t) })
}

/** A row's letter, of those that are to be sent: the one that is asked for, or the next after it. */
async function findLetter(
  database: Surroundings['database'],
  keys: Surroundings['keys'],
  request: FastifyRequest,
  mailing: MailingFound,
  { content }: TemplateFound,
  asked = 1,
) {
  const { actor } = request.signedIn!
  const two = await listRows(database, keys, actor, mailing, { after: asked - 1, limit: 2, reachable: true })
  const [one, next] = two
  if (one === undefined) return undefined
  return {
    row: one.row,
    next: next && `${folder}/${mailing.id}?row=${next.row}#preview`,
    first: asked > 1 ? `${folder}/${mailing.id}#preview` : undefined,
    preview: previewOf(content, valuesOf(placeholdersOf(content), one.cells)),
  }
}
