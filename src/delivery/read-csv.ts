import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'

/** One thing that is wrong with a file as a whole. It repeats nothing that stands below the names of its columns. */
export type Fault =
  | { code: 'empty' | 'workbook' | 'not-csv' | 'no-rows' }
  | { code: 'not-utf8' | 'unclosed'; row: number }
  | { code: 'too-large'; megabytes: number }
  | { code: 'too-many-rows'; max: number }
  | { code: 'column-missing' | 'column-repeated' | 'column-unknown'; name: string }
  | { code: 'column-unnamed'; place: number }

/** Why a file cannot be taken at all. */
export class FileFault extends Error {
  readonly faults: readonly Fault[]
  constructor(...faults: Fault[]) {
    super(faults.map(({ code }) => code).join(', '))
    this.faults = faults
  }
}

/** A row that is not empty, with its number as the spreadsheet has it: the first is 1. */
export type CsvRow = { row: number; cells: string[] }

export const fileBytesMax = 200 * 1024 * 1024
/** Longer than any letter with all its values. A quotation mark that is never closed is found out by it. */
const rowBytesMax = 1024 * 1024
/** So much is looked at to see what kind of file it is, or as much as has the first line. */
const headBytesMax = 64 * 1024

/**
 * The rows of a CSV as its bytes come, never more than one and what the stream holds in memory. In UTF-8, or in UTF-16 with its mark; cells apart by
 * commas, semicolons or tabs, whichever the first line has most. Throws FileFault.
 */
export async function* readCsv(file: AsyncIterable<Buffer>): AsyncGenerator<CsvRow> {
  const chunks = limited(file)[Symbol.asyncIterator]()
  const head = await readHead(chunks)
  refuseOtherKinds(head)
  const encoding = encodingOf(head)
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(new TextDecoder(encoding).decode(head)),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: rowBytesMax,
  })
  // Where it fails, so does the parser, whose rows are asked for below.
  const reading = pipeline(Readable.from(inUtf8(head, chunks, encoding), { objectMode: false }), parser).catch(() => {})
  let row = 0
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      row += 1
      if (cells.every((cell) => cell.trim() === '')) continue
      if (cells.some((cell) => cell.includes('\ufffd'))) throw new FileFault({ code: 'not-utf8', row })
      yield { row, cells }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new FileFault({ code: 'unclosed', row: Number(error.records) + 1 })
  } finally {
    // Whoever stops earlier has the rest of the file to themselves.
    parser.destroy()
    await reading
  }
}

async function* limited(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of file) {
    bytes += chunk.length
    if (bytes > fileBytesMax) throw new FileFault({ code: 'too-large', megabytes: fileBytesMax / 1024 / 1024 })
    yield chunk
  }
}

async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0)
  while (head.length < headBytesMax && !head.includes(0x0a) && !head.includes(0x0d)) {
    const { done, value } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  return head
}

const startsWith = (head: Buffer, ...bytes: number[]) => bytes.every((byte, place) => head[place] === byte)

function refuseOtherKinds(head: Buffer): void {
  if (head.length === 0) throw new FileFault({ code: 'empty' })
  if (startsWith(head, 0x50, 0x4b) || startsWith(head, 0xd0, 0xcf, 0x11, 0xe0)) throw new FileFault({ code: 'workbook' })
  if (encodingOf(head) === 'utf-8' && head.includes(0)) throw new FileFault({ code: 'not-csv' })
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

function encodingOf(head: Buffer): Encoding {
  if (startsWith(head, 0xff, 0xfe)) return 'utf-16le'
  return startsWith(head, 0xfe, 0xff) ? 'utf-16be' : 'utf-8'
}

function delimiterOf(head: string): string {
  const line = head.split(/[\r\n]/, 1)[0]!.replaceAll(/"[^"]*"/g, '')
  const count = (delimiter: string) => line.split(delimiter).length
  return [',', ';', '\t'].reduce((most, one) => (count(one) > count(most) ? one : most))
}

/** The parser reads bytes in UTF-8, and what is none as U+FFFD, which no name or amount has: so it is known in which row. */
async function* inUtf8(head: Buffer, chunks: AsyncIterator<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  const rest = { [Symbol.asyncIterator]: () => chunks }
  if (encoding === 'utf-8') {
    yield head
    yield* rest
    return
  }
  const decoder = new TextDecoder(encoding)
  yield Buffer.from(decoder.decode(head, { stream: true }))
  for await (const chunk of rest) yield Buffer.from(decoder.decode(chunk, { stream: true }))
  yield Buffer.from(decoder.decode())
}
