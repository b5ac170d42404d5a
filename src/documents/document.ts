import { type Static, Type } from 'typebox'
import { Problem, type ProblemCode, wrongField } from '../problems.ts'

/** One message with all its documents, in bytes of the decoded files. The documentation of the API says so too. */
export const messageBytesMax = 25 * 1024 * 1024
/** The same with what was uploaded before. Its letters are taken away as a ZIP file, which holds less than 4 GB. */
export const sharedBytesMax = 500 * 1024 * 1024
export const filesMax = 50

/** What is taken, and the endings that a name may then have: a file must open, on the reader's machine, as what it is. */
export const mediaTypes: Record<string, readonly string[]> = {
  'application/pdf': ['pdf'],
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'text/plain': ['txt', 'text'],
  'text/csv': ['csv'],
  'text/calendar': ['ics'],
  'application/json': ['json'],
  'application/xml': ['xml'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
  'application/vnd.oasis.opendocument.text': ['odt'],
  'application/vnd.oasis.opendocument.spreadsheet': ['ods'],
}

/** Of the media type alone, without parameters such as charset. */
export function isTextual(mediaType: string): boolean {
  return mediaType.startsWith('text/') || mediaType === 'application/json' || mediaType === 'application/xml'
}

/** Text that PostgreSQL, JSON and a page can all hold: no NUL, no half of a surrogate pair. */
export const Text = (maxLength: number, description: string, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: '^[^\\u0000\\ud800-\\udfff]*$', description })
/** The same, on one line. */
export const Line = (maxLength: number, description: string, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f\\u2028\\u2029\\ud800-\\udfff]*$', description })

export const Language = Type.String({ pattern: '^[a-z]{2}$', description: 'Two letters of ISO 639-1, such as en or cy.' })

const oneOfTypes = `One of ${Object.keys(mediaTypes).join(', ')}.`
export const MediaType = Type.String({ minLength: 1, maxLength: 127, description: oneOfTypes })

/** A file on its way in: with its bytes in base64, or by the id of the upload that has them. */
export type NewFile = { filename: string; language?: string } & (
  | { mediaType: string; content: string; upload?: undefined }
  | { mediaType?: string; content?: undefined; upload: string }
)

export const NewFile = Type.Unsafe<NewFile>(
  Type.Object(
    {
      filename: Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'A name without folders, with the ending of its media type.',
      }),
      mediaType: Type.Optional({ ...MediaType, description: `${oneOfTypes} Not needed with upload, which has one.` }),
      language: Type.Optional(Language),
      content: Type.Optional(
        Type.String({
          format: 'base64',
          contentEncoding: 'base64',
          description: 'The bytes, in base64 (RFC 4648 section 4). Either this or upload is needed.',
        }),
      ),
      upload: Type.Optional(
        Type.String({
          format: 'uuid',
          description: 'In place of content: the id of an upload of the same service (createUpload) that is complete.',
        }),
      ),
    },
    { additionalProperties: false, oneOf: [{ required: ['mediaType', 'content'] }, { required: ['upload'] }] },
  ),
)

const DocumentRole = Type.Enum(['main', 'additional', 'technical'], {
  description: 'main: the letter itself, at most one. additional: enclosures. technical: data for machines, not shown to people.',
})

export const NewDocument = Type.Object(
  {
    role: DocumentRole,
    title: Type.Optional(Line(256, 'What the document is called on pages. Default: the name of its first file.')),
    files: Type.Array(NewFile, { minItems: 1, maxItems: 10, description: 'The same content in several formats or languages.' }),
  },
  { additionalProperties: false },
)

export const StoredFile = Type.Object({
  id: Type.String({ format: 'uuid' }),
  filename: Type.String(),
  mediaType: Type.String(),
  language: Type.Optional(Type.String()),
  size: Type.Integer({ description: 'Bytes.' }),
  sha256: Type.String({ description: 'Of the bytes, in hexadecimal.' }),
})

export const StoredDocument = Type.Object({ role: DocumentRole, title: Type.String(), files: Type.Array(StoredFile) })

export type NewDocument = Static<typeof NewDocument>
export type StoredFile = Static<typeof StoredFile>
export type StoredDocument = Static<typeof StoredDocument>

/** An upload that is complete and checked, as a letter's files refer to it. */
export type Shared = { id: string; senderId: string; mediaType: string; size: number; sha256: string }

/** A file as evidence names it: by what its bytes are. */
export function asPart(role: StoredDocument['role'], { filename, mediaType, language, size, sha256 }: StoredFile) {
  const named = { part: role, filename, mediaType, ...(language === undefined ? {} : { language }) }
  return { ...named, size, algorithm: 'SHA-256' as const, digest: sha256 }
}

/**
 * Characters that no file name may have: those that MeMo bans (its rules of 10 September 2025) and all control characters,
 * direction marks among them, which make a name look like another.
 */
const bannedInFilename =
  /[<>:"/\\|?*\p{Cc}\p{Bidi_Control}\u00a0\u2000-\u200f\u2028-\u202e\u205f\u2060-\u206f\u3000\ufeff\ud800-\udfff]/u

/** What is wrong with a file's name and media type, before its bytes are looked at. */
export function refuseFilename(filename: string, mediaType: string): ProblemCode | undefined {
  if (bannedInFilename.test(filename) || /^[. ]|[. ]$/.test(filename)) return 'file-name-not-allowed'
  const endings = Object.hasOwn(mediaTypes, mediaType) ? mediaTypes[mediaType] : undefined
  if (endings === undefined) return 'file-type-not-allowed'
  const ending = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
  return filename.includes('.') && endings.includes(ending) ? undefined : 'file-type-mismatch'
}

/** A JSON pointer into `documents`, for the field that a problem is about. */
export function fileProblem(
  code: ProblemCode,
  document: number,
  file: number,
  field: 'filename' | 'mediaType' | 'content' | 'upload',
): Problem {
  return new Problem(code, [wrongField(`/documents/${document}/files/${file}/${field}`, { code })])
}
