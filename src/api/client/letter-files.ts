import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { mediaTypes } from '../../documents/document.ts'
import { isReference, parseLine, readLines } from '../lines.ts'
import type { Connection } from './connection.ts'
import { ApiError } from './send-lines.ts'
import { uploadFile } from './upload-file.ts'

/** A letter to send: where it stands, its reference, and its line. What is wrong with it is said instead, before anything is sent. */
export type FoundLetter =
  | { at: string; line: number; reference: string | undefined; text: string }
  | { at: string; wrong: string }

/** A line may be longer here than the API takes: that says so itself. */
const lineBytesMax = 64 * 1024 * 1024

/** Documents that letters name by their paths: which were seen, and by which ids those are known that were uploaded. */
export type Documents = { api: Connection; service: string | undefined; seen: Set<string>; uploads: Map<string, string> }

/** The letters of a file (.json one, .ndjson one in each line) or of a folder of .json files, in order of their names. */
export async function* findLetters(place: string, documents: Documents): AsyncGenerator<FoundLetter> {
  const about = await stat(place)
  if (!about.isDirectory()) {
    if (place.endsWith('.ndjson')) yield* readLetterLines(place, documents)
    else yield await readLetter(place, 1, documents)
    return
  }
  const names = (await readdir(place)).filter((name) => name.endsWith('.json')).sort()
  for (const [index, name] of names.entries()) yield await readLetter(path.join(place, name), index + 1, documents)
}

async function* readLetterLines(file: string, documents: Documents): AsyncGenerator<FoundLetter> {
  for await (const lines of readLines(createReadStream(file), lineBytesMax, 1)) {
    for (const { line, bytes } of lines) {
      const at = `${file}, line ${line}`
      if (bytes === undefined) {
        yield { at, wrong: 'The line is too long.' }
        continue
      }
      const message = parseLine(bytes)?.value
      const reference = referenceOf(message)
      // What names no path goes as it is.
      const text = `${bytes.toString().trimEnd()}\n`
      if (!filesOf(message).some(isByPath)) yield { at, line, reference, text }
      else yield await withDocuments({ at, line, reference, message }, path.dirname(file), documents)
    }
  }
}

async function readLetter(file: string, line: number, documents: Documents): Promise<FoundLetter> {
  let message: unknown
  try {
    message = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    const wrong = error instanceof SyntaxError ? `It is no JSON: ${error.message}` : (error as Error).message
    return { at: file, wrong }
  }
  return withDocuments({ at: file, line, reference: referenceOf(message), message }, path.dirname(file), documents)
}

type Parsed = { at: string; line: number; reference: string | undefined; message: unknown }

/** A document that is missing or refused is wrong with this letter; where the API cannot be had at all, nothing more is sent. */
async function withDocuments({ message, ...found }: Parsed, folder: string, documents: Documents): Promise<FoundLetter> {
  try {
    await fetchDocuments(message, folder, documents)
    return { ...found, text: `${JSON.stringify(message)}\n` }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    const isOfDocument = error instanceof ApiError ? error.status < 500 && error.status !== 401 : syscall !== undefined
    if (!isOfDocument) throw error
    return { at: found.at, wrong: error instanceof ApiError ? `${error.message} (${code})` : (error as Error).message }
  }
}

function referenceOf(message: unknown): string | undefined {
  const { reference } = (message ?? {}) as { reference?: unknown }
  return isReference(reference) ? reference : undefined
}

const isByPath = (file: FileNamed): file is FileNamed & { path: string } => typeof file?.path === 'string'

function filesOf(message: unknown): FileNamed[] {
  const { documents } = (message ?? {}) as { documents?: unknown }
  return (Array.isArray(documents) ? documents : []).flatMap((document) =>
    Array.isArray(document?.files) ? (document.files as FileNamed[]) : [],
  )
}

/** A document of more bytes is uploaded, also where one letter only has it; and any that more than one has. */
const uploadedFromBytes = 1024 * 1024

type FileNamed = { path?: unknown; filename?: unknown; mediaType?: unknown; content?: unknown }

/** A file of a document may be given by its path, from the letter: its bytes, name and media type are then taken from there. */
async function fetchDocuments(message: unknown, folder: string, { api, service, seen, uploads }: Documents): Promise<void> {
  for (const file of filesOf(message).filter(isByPath)) {
    const { path: named, filename = path.basename(named), mediaType = mediaTypeOf(named), ...given } = file
    const place = path.resolve(folder, named)
    const { size } = await stat(place)
    delete (file as FileNamed).path
    if (size < uploadedFromBytes && !seen.has(place)) {
      seen.add(place)
      Object.assign(file, { filename, mediaType, content: await readFile(place, 'base64') }, given)
      continue
    }
    const ofLetter = (message as { service?: string }).service
    const key = JSON.stringify([place, mediaType])
    const asked = { file: place, size, mediaType: String(mediaType), service: service ?? ofLetter }
    const upload = uploads.get(key) ?? (await uploadFile(api, asked))
    uploads.set(key, upload)
    Object.assign(file, { filename, mediaType, upload }, given)
  }
}

function mediaTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return Object.entries(mediaTypes).find(([, endings]) => endings.includes(ending))?.[0] ?? 'application/octet-stream'
}
