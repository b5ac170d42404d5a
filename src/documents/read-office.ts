import { type UnzipFileInfo, unzipSync } from 'fflate'
import { SaxesParser } from 'saxes'
import type { ExtractFailure } from './extract-text.ts'

/** Characters of text that are read of one file; what comes after is not found by searching. */
export const textLengthMax = 5 * 1024 * 1024
const entriesMax = 5_000
/** All together, unpacked: a file of a few kilobytes may say that it holds gigabytes. */
const unpackedBytesMax = 64 * 1024 * 1024

export class Unreadable extends Error {
  readonly why: ExtractFailure
  constructor(why: ExtractFailure) {
    super(why)
    this.why = why
  }
}

/** Where the text is: of docx its parts, of xlsx what cells share and what they hold themselves, of odt and ods one file. */
const withText =
  /^(word\/(document|header\d*|footer\d*|footnotes|endnotes|comments)|xl\/(sharedStrings|worksheets\/sheet\d+)|content)\.xml$/

/** The text of docx, xlsx, odt and ods, in the order in which it stands in each part. */
export function readOffice(bytes: Uint8Array): string {
  let [entries, unpacked] = [0, 0]
  const isWanted = ({ name, originalSize }: UnzipFileInfo) => {
    entries += 1
    if (entries > entriesMax) throw new Unreadable('too-large')
    if (!withText.test(name)) return false
    unpacked += originalSize
    if (unpacked > unpackedBytesMax) throw new Unreadable('too-large')
    return true
  }
  const parts = unzipSync(bytes, { filter: isWanted })
  const names = Object.keys(parts)
  // Where an office document is protected by a password, it is not a zip file at all, or its parts are no XML.
  if (names.length === 0) throw new Unreadable('damaged')
  let text = ''
  for (const name of names) {
    text += `${readXml(new TextDecoder().decode(parts[name]), name.startsWith('xl/worksheets/'), textLengthMax - text.length)}\n`
    if (text.length >= textLengthMax) break
  }
  return text
}

/** Ends of these are ends of words; between others, as letters of one word may be set differently, there is none. */
const ends = new Set([
  'w:p',
  'w:tab',
  'w:br',
  'w:tc',
  'si',
  'c',
  'row',
  'text:p',
  'text:h',
  'text:tab',
  'text:line-break',
  'text:s',
])
/** Of a sheet, cells with words of their own and numbers; the others hold places in sharedStrings. */
const cellsWithPlaces = 's'

function readXml(xml: string, isSheet: boolean, lengthMax: number): string {
  const parser = new SaxesParser()
  const pieces: string[] = []
  let [length, isPlace] = [0, false]
  const stop = new Error('enough')
  const put = (piece: string) => {
    pieces.push(piece)
    length += piece.length
    if (length > lengthMax) throw stop
  }
  parser.on('opentag', ({ name, attributes }) => {
    if (isSheet && name === 'c') isPlace = attributes.t === cellsWithPlaces
  })
  parser.on('text', (text) => {
    if (!isPlace) put(text)
  })
  parser.on('closetag', ({ name }) => {
    if (ends.has(name)) put(' ')
    if (name === 'c') isPlace = false
  })
  // A document type could define words that stand for others that stand for others: no office document needs one.
  parser.on('doctype', () => {
    throw new Unreadable('damaged')
  })
  parser.on('error', (error) => {
    throw error
  })
  try {
    parser.write(xml).close()
  } catch (error) {
    if (error !== stop) throw error
  }
  return pieces.join('')
}
