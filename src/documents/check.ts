import { hash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'
import { v7 as newId } from 'uuid'
import { Problem } from '../problems.ts'
import {
  fileProblem,
  filesMax,
  isTextual,
  messageBytesMax,
  type NewDocument,
  refuseFilename,
  type StoredDocument,
} from './document.ts'

/** Documents as they will be stored: what is known of each file, and its bytes, still in base64, under the same id. */
export type CheckedDocuments = { documents: StoredDocument[]; contents: { id: string; base64: string }[] }

/**
 * Takes documents as they come from outside, their base64 already known to be well-formed, and checks what a schema cannot:
 * names, sizes, and that each file is what it says. Throws a Problem that names the first field that is wrong.
 */
export async function checkDocuments(documents: readonly NewDocument[]): Promise<CheckedDocuments> {
  const checked: CheckedDocuments = { documents: [], contents: [] }
  if (documents.filter((document) => document.role === 'main').length > 1) throw new Problem('main-document-repeated')
  let bytesTotal = 0
  for (const [d, document] of documents.entries()) {
    const files = []
    for (const [f, file] of document.files.entries()) {
      const refused = refuseFilename(file.filename, file.mediaType)
      if (refused) throw fileProblem(refused, d, f, refused === 'file-type-not-allowed' ? 'mediaType' : 'filename')
      const bytes = Buffer.from(file.content, 'base64')
      if (bytes.length === 0) throw fileProblem('file-empty', d, f, 'content')
      bytesTotal += bytes.length
      if (bytesTotal > messageBytesMax || checked.contents.length >= filesMax) throw new Problem('too-large')
      if (!(await isWhatItSays(bytes, file.mediaType))) throw fileProblem('file-type-mismatch', d, f, 'content')
      const { filename, mediaType, language } = file
      const id = newId()
      files.push({
        id,
        filename,
        mediaType,
        language,
        size: bytes.length,
        sha256: hash('sha256', bytes),
      })
      checked.contents.push({ id, base64: file.content })
    }
    checked.documents.push({ role: document.role, title: document.title ?? files[0]!.filename, files })
  }
  return checked
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
  const detected = await fileTypeFromBuffer(bytes)
  if (isTextual(mediaType)) {
    const isOther = detected !== undefined && detected.mime !== mediaType && isWritten(detected.mime)
    return !isOther && isText(bytes)
  }
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

const utf8 = new TextDecoder('utf-8', { fatal: true })

function isText(bytes: Buffer): boolean {
  try {
    return !utf8.decode(bytes).includes('\0')
  } catch {
    return false
  }
}
