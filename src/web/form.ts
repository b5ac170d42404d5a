import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { v7 as newId } from 'uuid'
import type { Config } from '../config.ts'
import { Content, NewMessage } from '../delivery/message.ts'
import { filesMax, mediaTypes, messageBytesMax, type NewDocument, refuseFilename } from '../documents/document.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { kindOf } from './letter-view.ts'
import type { FieldError } from './page.ts'
import { checkFormToken } from './session.ts'

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

const longest = (schema: object) => (schema as { maxLength: number }).maxLength
const subjectLengthMax = longest(NewMessage.properties.subject)
const bodyLengthMax = longest(Content.properties.body)

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
  const reference = fields.get('reference') ?? ''
  if (!/^[0-9a-f-]{36}$/.test(reference)) throw new Problem('form-expired')
  return {
    reference,
    subject: toLine(fields.get('subject')),
    text: (fields.get('text') ?? '').replaceAll('\r\n', '\n').replaceAll('\0', '').toWellFormed(),
  }
}

/** On one line, as the delivery takes it. */
export function toLine(value = ''): string {
  return value
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
}

const answerPrefix = 'Answer: '

/** An answer to an answer is still one answer. */
export function subjectOfAnswer(subject: string): string {
  const answered = subject.startsWith(answerPrefix) ? subject : `${answerPrefix}${subject}`
  return answered.slice(0, subjectLengthMax).toWellFormed()
}

/** What is wrong with the words, in the order of the form. */
export function checkDraft(draft: Draft, hasSubject: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (hasSubject && draft.subject === '') errors.push({ field: 'subject', text: 'Enter a subject' })
  if (draft.subject.length > subjectLengthMax)
    errors.push({ field: 'subject', text: `Subject must be ${subjectLengthMax} characters or fewer` })
  if (draft.text.trim() === '') errors.push({ field: 'text', text: 'Enter your message' })
  if (draft.text.length > bodyLengthMax)
    errors.push({ field: 'text', text: `Message must be ${bodyLengthMax.toLocaleString('en-GB')} characters or fewer` })
  return errors
}

const mediaTypeByEnding = new Map(
  Object.entries(mediaTypes).flatMap(([mediaType, endings]) => endings.map((ending) => [ending, mediaType] as const)),
)
/** For the browser's file picker. */
export const endingsTaken = [...mediaTypeByEnding.keys()].map((ending) => `.${ending}`).join(',')

export function filesHint({ files, bytes }: Limits): string {
  const kinds = Object.keys(mediaTypes).map(kindOf)
  const howMany = files === 1 ? 'one file, no larger' : `up to ${files} files, together no larger`
  return `You can add ${howMany} than ${bytes / megabyte} MB: ${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}.`
}

/** The files as documents: their kind comes from the ending of the name, and not from what the browser says. */
export function readDocuments(form: Form, limits: Limits): { documents: NewDocument[]; errors: FieldError[] } {
  const errors: FieldError[] = []
  const wrong = (text: string) => errors.push({ field: 'files', text })
  if (form.isTooLarge) wrong(`The files are together larger than ${limits.bytes / megabyte} MB`)
  else if (form.files.length > limits.files)
    wrong(
      limits.files === 1
        ? 'Choose one file only'
        : limits.files === 0
          ? 'No files are taken here'
          : `Choose up to ${limits.files} files`,
    )
  const documents = form.files.map(({ name, bytes }): NewDocument => {
    const mediaType = mediaTypeByEnding.get(name.slice(name.lastIndexOf('.') + 1).toLowerCase()) ?? ''
    const refused = refuseFilename(name, mediaType)
    if (refused) wrong(inWords(refused, name))
    else if (bytes.length === 0 && !form.isTooLarge) wrong(inWords('file-empty', name))
    return { role: 'additional', files: [{ filename: name, mediaType, content: bytes.toString('base64') }] }
  })
  return { documents, errors }
}

/** Why delivery refused, beside the field that it is about. Throws what no field can mend. */
export function toFieldError(problem: unknown, documents: readonly NewDocument[], recipientField = 'recipient'): FieldError {
  if (!(problem instanceof Problem)) throw problem
  const place = problem.fields?.[0]?.field.match(/^\/documents\/(\d+)\//)?.[1]
  if (place !== undefined) return { field: 'files', text: inWords(problem.code, documents[Number(place)]!.files[0]!.filename) }
  const field = fieldOf[problem.code]
  if (field === undefined) throw problem
  return { field: field === 'recipient' ? recipientField : field, text: inWords(problem.code, '') }
}

const fieldOf: Partial<Record<ProblemCode, string>> = {
  'too-large': 'files',
  'reference-used': 'text',
  'recipient-not-found': 'recipient',
  'recipient-exempt': 'recipient',
  'recipient-closed': 'recipient',
  'recipient-not-yet': 'recipient',
  'consent-missing': 'recipient',
  'identifier-invalid': 'recipient',
  'reply-not-allowed': 'text',
  'reply-too-late': 'text',
}

function inWords(code: ProblemCode, filename: string): string {
  const words: Partial<Record<ProblemCode, string>> = {
    'file-empty': `“${filename}” is empty. Choose another file`,
    'file-name-not-allowed': `The name “${filename}” has a character that is not allowed, such as / \\ : * ? " < > or |. Rename the file`,
    'file-type-not-allowed': `“${filename}” is not a kind of file that we take`,
    'file-type-mismatch': `“${filename}” is damaged, or is not the kind of file that its name says`,
    'too-large': 'The files are too large together',
    'reference-used':
      'You have already sent a message from this form, and it said something else. Select Send again if you want to send this one too',
    'recipient-not-found':
      'Nobody can be reached here by this number. Check it. If it is right, write to this person another way, such as on paper',
    'recipient-exempt': 'This person is exempt from digital post. Write to them on paper instead',
    'recipient-closed': 'This mailbox is closed. Write to whoever acts for this person now, if anybody does, on paper',
    'recipient-not-yet':
      'This business was registered only days ago and cannot be reached here yet. Write to it on paper instead',
    'consent-missing': 'This person has not agreed to get this kind of post here. Write to them on paper instead',
    'reply-not-allowed': 'This letter does not take an answer. Write a new message instead',
    'reply-too-late': 'The time for an answer to this letter has passed. Write a new message instead',
  }
  return words[code] ?? new Problem(code).message
}
