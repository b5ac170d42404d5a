import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { mediaTypes } from '../../documents/document.ts'
import { isReference, parseLine, readLines } from '../lines.ts'

/** A letter to send: where it stands, its reference, and its line. What is wrong with it is said instead, before anything is sent. */
export type FoundLetter =
  | { at: string; line: number; reference: string | undefined; text: string }
  | { at: string; wrong: string }

/** A line may be longer here than the API takes: that says so itself. */
const lineBytesMax = 64 * 1024 * 1024

/** The letters of a file (.json one, .ndjson one in each line) or of a folder of .json files, in order of their names. */
export async function* findLetters(place: string): AsyncGenerator<FoundLetter> {
  const about = await stat(place)
  if (!about.isDirectory()) {
    if (place.endsWith('.ndjson')) yield* readLetterLines(place)
    else yield await readLetter(place, 1)
    return
  }
  const names = (await readdir(place)).filter((name) => name.endsWith('.json')).sort()
  for (const [index, name] of names.entries()) yield await readLetter(path.join(place, name), index + 1)
}

async function* readLetterLines(file: string): AsyncGenerator<FoundLetter> {
  for await (const lines of readLines(createReadStream(file), lineBytesMax, 1)) {
    for (const { line, bytes } of lines) {
      const at = `${file}, line ${line}`
      const reference = bytes && referenceOf(parseLine(bytes)?.value)
      if (bytes === undefined) yield { at, wrong: 'The line is too long.' }
      else yield { at, line, reference, text: `${bytes.toString().trimEnd()}\n` }
    }
  }
}

async function readLetter(file: string, line: number): Promise<FoundLetter> {
  try {
    const message = JSON.parse(await readFile(file, 'utf8'))
    await fetchDocuments(message, path.dirname(file))
    return { at: file, line, reference: referenceOf(message), text: `${JSON.stringify(message)}\n` }
  } catch (error) {
    const wrong = error instanceof SyntaxError ? `It is no JSON: ${error.message}` : (error as Error).message
    return { at: file, wrong }
  }
}

function referenceOf(message: unknown): string | undefined {
  const { reference } = (message ?? {}) as { reference?: unknown }
  return isReference(reference) ? reference : undefined
}

type FileNamed = { path?: unknown; filename?: unknown; mediaType?: unknown; content?: unknown }

/** A file of a document may be given by its path, from the letter: its bytes, name and media type are then taken from there. */
async function fetchDocuments(message: unknown, folder: string): Promise<void> {
  const { documents } = (message ?? {}) as { documents?: unknown }
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const file of (Array.isArray(document?.files) ? document.files : []) as FileNamed[]) {
      if (typeof file.path !== 'string') continue
      const { path: named, ...given } = file as FileNamed & { path: string }
      const bytes = await readFile(path.resolve(folder, named))
      delete file.path
      const found = { filename: path.basename(named), mediaType: mediaTypeOf(named), content: bytes.toString('base64') }
      Object.assign(file, found, given)
    }
  }
}

function mediaTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return Object.entries(mediaTypes).find(([, endings]) => endings.includes(ending))?.[0] ?? 'application/octet-stream'
}
