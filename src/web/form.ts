import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Config } from '../config.ts'
import { bodyLengthMax, subjectLengthMax } from '../delivery/message.ts'
import { filesMax, mediaTypes, messageBytesMax, type NewDocument, refuseFilename } from '../documents/document.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { kindOf } from './letter-view.ts'
import type { FieldError } from './page.ts'
import { checkFormToken } from './session.ts'
import type { Translate } from './words.ts'

type SentFile = { name: string; bytes: Buffer }
/** What a form with files held. Where the files are larger than is taken, `isTooLarge`, and they are not kept. */
export type Form = { fields: ReadonlyMap<string, string>; files: SentFile[]; isTooLarge: boolean }

/** How much a form takes: people send less than public bodies. */
export type Limits = { files: number; bytes: number }
const megabyte = 1024 * 1024

/** The installation's own, but where a contact point has others. */
export function limitsForPeople(
  { writingFiles, writingMegabytes }: Config,
  point?: { filesMax: number | null; megabytesMax: number | null },
): Limits {
  return { files: point?.filesMax ?? writingFiles, bytes: (point?.megabytesMax ?? writingMegabytes) * megabyte }
}
export const limitsForStaff: Limits = { files: 20, bytes: messageBytesMax }

/** For the scope of the pages whose forms hold files. */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  await app.register(multipart, {
    throwFileSizeLimit: false,
    limits: { fields: 30, fieldNameSize: 100, fieldSize: bodyLengthMax * 4, files: filesMax, parts: 100 },
  })
}

/** Reads a form with files and refuses one that is not ours. */
export async function readForm(request: FastifyRequest, limits: Limits): Promise<Form> {
  if (!request.isMultipart()) throw new Problem('form-expired')
  const fields = new Map<string, string>()
  const files: SentFile[] = []
  let bytesTotal = 0
  for await (const part of request.parts({ limits: { fileSize: limits.bytes + 1 } })) {
    if (part.type === 'field') {
      fields.set(part.fieldname, String(part.value ?? ''))
      continue
    }
    const chunks: Buffer[] = []
    // Read to its end even where it is too much, so that the browser gets to see our answer.
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      bytesTotal += chunk.length
      if (bytesTotal <= limits.bytes) chunks.push(chunk)
    }
    // A browser sends an empty nameless file where none was chosen.
    if (part.filename) files.push({ name: part.filename, bytes: Buffer.concat(chunks) })
  }
  checkFormToken(request, fields.get('csrf'))
  return { fields, files, isTooLarge: bytesTotal > limits.bytes }
}

/** What is in the form to write with: as it was typed, for showing it again. */
export type Draft = { reference: string; subject: string; text: string }

export function emptyDraft(): Draft {
  return { reference: newId(), subject: '', text: '' }
}

export function readDraft({ fields }: Form): Draft {
  return { reference: readReference(fields), subject: toLine(fields.get('subject')), text: toText(fields.get('text')) }
}

export function readReference(fields: Form['fields']): string {
  const reference = fields.get('reference') ?? ''
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(reference)) throw new Problem('form-expired')
  return reference
}

/** Of several lines, as the delivery takes it. */
export function toText(value = ''): string {
  return value.replaceAll('\r\n', '\n').replaceAll('\0', '').toWellFormed()
}

/** On one line, as the delivery takes it. */
export function toLine(value = ''): string {
  return value
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
}

/** What is wrong with the words, in the order of the form. */
export function checkDraft(draft: Pick<Draft, 'subject' | 'text'>, hasSubject: boolean, t: Translate): FieldError[] {
  const errors: FieldError[] = []
  if (hasSubject && draft.subject === '') errors.push({ field: 'subject', text: t('form:subject-missing') })
  if (draft.text.trim() === '') errors.push({ field: 'text', text: t('form:text-missing') })
  return [...errors, ...checkLengths(draft, t)]
}

/** What is too long even to be kept. */
export function checkLengths(draft: Pick<Draft, 'subject' | 'text'>, t: Translate): FieldError[] {
  const errors: FieldError[] = []
  if (draft.subject.length > subjectLengthMax)
    errors.push({ field: 'subject', text: t('form:subject-too-long', { max: subjectLengthMax }) })
  if (draft.text.length > bodyLengthMax)
    errors.push({ field: 'text', text: t('form:text-too-long', { max: bodyLengthMax.toLocaleString('en-GB') }) })
  return errors
}

const mediaTypeByEnding = new Map(
  Object.entries(mediaTypes).flatMap(([mediaType, endings]) => endings.map((ending) => [ending, mediaType] as const)),
)
/** For the browser's file picker. */
export const endingsTaken = [...mediaTypeByEnding.keys()].map((ending) => `.${ending}`).join(',')

export function mediaTypeOf(filename: string): string {
  return mediaTypeByEnding.get(filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()) ?? ''
}

export function filesHint({ files, bytes }: Limits, t: Translate): string {
  const kinds = Object.keys(mediaTypes).map(kindOf)
  const values = { max: files, megabytes: bytes / megabyte, kinds: kinds.slice(0, -1).join(', '), last: kinds.at(-1) }
  return t(files === 1 ? 'form:one-file-hint' : 'form:files-hint', values)
}

/** Files that are too large together, or too many. */
export function limitInWords(code: 'too-large' | 'too-many-files', { files, bytes }: Limits, t: Translate): string {
  if (code === 'too-large') return t('form:files-too-large', { megabytes: bytes / megabyte })
  return files > 1 ? t('form:too-many-files', { max: files }) : t(files === 1 ? 'form:one-file-only' : 'form:no-files')
}

/** The files as documents: their kind comes from the ending of the name, and not from what the browser says. */
export function readDocuments(form: Form, limits: Limits, t: Translate): { documents: NewDocument[]; errors: FieldError[] } {
  const errors: FieldError[] = []
  const wrong = (text: string) => errors.push({ field: 'files', text })
  if (form.isTooLarge) wrong(limitInWords('too-large', limits, t))
  else if (form.files.length > limits.files) wrong(limitInWords('too-many-files', limits, t))
  const documents = form.files.map(({ name, bytes }): NewDocument => {
    const mediaType = mediaTypeOf(name)
    const refused = refuseFilename(name, mediaType)
    if (refused) wrong(inWords(refused, name, t))
    else if (bytes.length === 0 && !form.isTooLarge) wrong(inWords('file-empty', name, t))
    return { role: 'additional', files: [{ filename: name, mediaType, content: bytes.toString('base64') }] }
  })
  return { documents, errors }
}

/** Why delivery refused, beside the field that it is about. Throws what no field can mend. */
export function toFieldError(
  problem: unknown,
  documents: readonly NewDocument[],
  t: Translate,
  recipientField = 'recipient',
): FieldError {
  if (!(problem instanceof Problem)) throw problem
  const place = problem.fields?.[0]?.field.match(/^\/documents\/(\d+)\//)?.[1]
  if (place !== undefined)
    return { field: 'files', text: inWords(problem.code, documents[Number(place)]?.files[0]?.filename ?? '', t) }
  const field = fieldOf[problem.code]
  if (field === undefined) throw problem
  return { field: field === 'recipient' ? recipientField : field, text: inWords(problem.code, '', t) }
}

const fieldOf: Partial<Record<ProblemCode, string>> = {
  'too-large': 'files',
  'file-empty': 'files',
  'reference-used': 'text',
  'recipient-not-found': 'recipient',
  'recipient-exempt': 'recipient',
  'recipient-closed': 'recipient',
  'recipient-not-yet': 'recipient',
  'consent-missing': 'recipient',
  'identifier-invalid': 'recipient',
  'contact-closed': 'recipient',
  'answered-not-found': 'text',
  'reply-not-allowed': 'text',
  'reply-too-late': 'text',
  'draft-changed': 'text',
}

const inForm: readonly ProblemCode[] = [
  ...(Object.keys(fieldOf) as ProblemCode[]),
  'file-name-not-allowed',
  'file-type-not-allowed',
  'file-type-mismatch',
  'file-protected',
  'access-ended',
]

/** A problem in a sentence for whoever wrote. */
export function inWords(code: ProblemCode, filename: string, t: Translate): string {
  return inForm.includes(code) ? t(`form:problems.${code}`, { filename }) : t('form:problems.other')
}
