import { createHash, hash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'
import { v7 as newId } from 'uuid'
import { Problem } from '../problems.ts'
import {
  fileProblem,
  filesMax,
  isTextual,
  messageBytesMax,
  type NewDocument,
  type NewFile,
  refuseFilename,
  type Shared,
  type StoredDocument,
  sharedBytesMax,
} from './document.ts'

/** Under the id of a file: its bytes, still in base64, or the upload that has them. */
export type FileContent = { id: string; base64?: string; upload?: Pick<Shared, 'id' | 'senderId'> }

/** Documents as they will be stored: what is known of each file, and its content. */
export type CheckedDocuments = { documents: StoredDocument[]; contents: FileContent[] }

/**
 * Takes documents as they come from outside, their base64 already known to be well-formed, and checks what a schema cannot:
 * names, sizes, and that each file is what it says. `uploads` are those that they may name, by their ids. Throws a Problem that names the first field
 * that is wrong.
 */
export async function checkDocuments(
  documents: readonly NewDocument[],
  uploads: ReadonlyMap<string, Shared> = new Map(),
): Promise<CheckedDocuments> {
  const checked: CheckedDocuments = { documents: [], contents: [] }
  if (documents.filter((document) => document.role === 'main').length > 1) throw new Problem('main-document-repeated')
  let [bytesTotal, sharedTotal] = [0, 0]
  for (const [d, document] of documents.entries()) {
    const files = []
    for (const [f, file] of document.files.entries()) {
      const { filename, language } = file
      const shared = file.upload === undefined ? undefined : findShared(file, uploads, d, f)
      const mediaType = shared?.mediaType ?? file.mediaType!
      const refused = refuseFilename(filename, mediaType)
      if (refused) throw fileProblem(refused, d, f, refused === 'file-type-not-allowed' ? 'mediaType' : 'filename')
      const bytes = Buffer.from(file.content ?? '', 'base64')
      if (shared === undefined && bytes.length === 0) throw fileProblem('file-empty', d, f, 'content')
      bytesTotal += bytes.length
      sharedTotal += shared?.size ?? bytes.length
      if (bytesTotal > messageBytesMax || sharedTotal > sharedBytesMax || checked.contents.length >= filesMax)
        throw new Problem('too-large')
      if (shared === undefined && !(await isWhatItSays(bytes, mediaType)))
        throw fileProblem('file-type-mismatch', d, f, 'content')
      const id = newId()
      const { size, sha256 } = shared ?? { size: bytes.length, sha256: hash('sha256', bytes) }
      files.push({ id, filename, mediaType, language, size, sha256 })
      checked.contents.push(shared ? { id, upload: shared } : { id, base64: file.content! })
    }
    checked.documents.push({ role: document.role, title: document.title ?? files[0]!.filename, files })
  }
  return checked
}

function findShared({ upload, mediaType }: NewFile, uploads: ReadonlyMap<string, Shared>, d: number, f: number): Shared {
  const shared = uploads.get(upload!)
  if (shared === undefined) throw fileProblem('upload-not-found', d, f, 'upload')
  if (mediaType !== undefined && mediaType !== shared.mediaType) throw fileProblem('file-type-mismatch', d, f, 'mediaType')
  return shared
}

/** So much of an upload is looked at, from its beginning, to see what it is. Where a document is smaller, all of it. */
const headBytes = 1024 * 1024

/** Takes the pieces of a document, in order, and at its end answers its SHA-256 in hexadecimal. */
export type FlowCheck = { take: (piece: Buffer) => Promise<void>; end: () => string }

/**
 * The checks of `checkDocuments` for a document that flows by and is never in memory whole. Throws `file-type-mismatch` as soon as it is
 * seen: what a document is, from its beginning; that text is text, to its end.
 */
export function checkFlow(mediaType: string, size: number): FlowCheck {
  const digest = createHash('sha256')
  const text = isTextual(mediaType) ? new TextDecoder('utf-8', { fatal: true }) : undefined
  let head: Buffer | undefined = Buffer.alloc(0)
  return {
    async take(piece) {
      digest.update(piece)
      if (text && !isText(piece, text)) throw new Problem('file-type-mismatch')
      if (head === undefined) return
      head = Buffer.concat([head, piece.subarray(0, headBytes - head.length)])
      if (head.length < Math.min(size, headBytes)) return
      if (!(await beginsAsWhatItSays(head, mediaType))) throw new Problem('file-type-mismatch')
      head = undefined
    },
    end() {
      if (text && !isText(Buffer.alloc(0), text, false)) throw new Problem('file-type-mismatch')
      return digest.digest('hex')
    },
  }
}

/**
 * One file as a person adds it to what they write; answers its SHA-256 in hexadecimal. Asks more than is asked of a public body, whose
 * systems make their files: that it is whole, and opens without a password. Throws the problem.
 */
export async function checkPersonsFile({
  filename,
  mediaType,
  bytes,
}: {
  filename: string
  mediaType: string
  bytes: Buffer
}): Promise<string> {
  const refused = refuseFilename(filename, mediaType)
  if (refused) throw new Problem(refused)
  if (bytes.length === 0) throw new Problem('file-empty')
  if (isProtected(bytes, mediaType)) throw new Problem('file-protected')
  if (!(await isWhatItSays(bytes, mediaType)) || !isWhole(bytes, mediaType)) throw new Problem('file-type-mismatch')
  return hash('sha256', bytes)
}

/** An office program puts a document with a password into the container of its older formats (a compound file). */
const compoundFile = Buffer.from('d0cf11e0a1b11ae1', 'hex')

/**
 * Whether it asks for a password, or may. A PDF says so in its trailer; one that only forbids printing does too, and is refused with
 * the others: who gets it may not be able to work with it.
 */
function isProtected(bytes: Buffer, mediaType: string): boolean {
  if (mediaType === 'application/pdf') return /\/Encrypt\s*(\d+\s+\d+\s+R|<<)/.test(bytes.toString('latin1'))
  return mediaType.startsWith('application/vnd.') && bytes.subarray(0, 8).equals(compoundFile)
}

/** How far from its end a file may have what it ends with: programs leave something after it. */
const endLength = 8_192

/** Whether its end is there: what was cut off on its way opens nowhere. */
function isWhole(bytes: Buffer, mediaType: string): boolean {
  const end = bytes.subarray(-endLength)
  if (mediaType === 'application/pdf') return end.includes('startxref')
  if (mediaType === 'image/png') return end.includes('IEND')
  if (mediaType === 'image/jpeg') return end.includes(Buffer.from([0xff, 0xd9]))
  // The directory of a zip stands at its end, behind a comment of 64 KB at most.
  return !mediaType.startsWith('application/vnd.') || bytes.subarray(-65_557).includes('PK\u0005\u0006')
}

/**
 * A file that is two things at once (a picture that is also a PDF) shows one thing to us and another to the reader, so the
 * detected type must be the declared one, and a PDF must begin as one at its first byte.
 */
async function isWhatItSays(bytes: Buffer, mediaType: string): Promise<boolean> {
  if (isTextual(mediaType) && !isText(bytes, new TextDecoder('utf-8', { fatal: true }), false)) return false
  return beginsAsWhatItSays(bytes, mediaType)
}

async function beginsAsWhatItSays(bytes: Buffer, mediaType: string): Promise<boolean> {
  const detected = await fileTypeFromBuffer(bytes)
  if (isTextual(mediaType)) return detected === undefined || detected.mime === mediaType || !isWritten(detected.mime)
  if (mediaType === 'application/pdf' && !bytes.subarray(0, 5).equals(Buffer.from('%PDF-'))) return false
  return detected?.mime === mediaType
}

/**
 * Formats that are text all through. The marks of all others are a few letters with which any text may begin ("BMW" is a
 * picture's, "ID3" a song's), and such a file is not text further on.
 */
function isWritten(mediaType: string): boolean {
  return mediaType.startsWith('text/') || /^application\/(pdf|postscript|rtf|xml)$/.test(mediaType)
}

/** With `stream`, a character may go on in the next piece. */
function isText(bytes: Buffer, utf8: InstanceType<typeof TextDecoder>, stream = true): boolean {
  try {
    utf8.decode(bytes, { stream })
    return !bytes.includes(0)
  } catch {
    return false
  }
}
