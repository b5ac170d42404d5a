import { isUtf8 } from 'node:buffer'

/** A line of a body, with its number. Without bytes it was too long; `start` is then how it began. */
export type Line = { line: number; bytes?: Buffer; start?: Buffer }

/** Of a line that is too long, so much is kept: enough to say which it was. */
const startBytes = 4_096
const lineFeed = 0x0a

/**
 * The lines of a body as they come, those of each piece together. Empty ones count, and are left out. One that is too long is
 * passed over and not kept. What stands behind the last line feed is a line only where the body ends properly: a connection that
 * breaks throws, and leaves it out.
 */
export async function* readLines(body: AsyncIterable<Buffer>, bytesMax: number, firstLine: number): AsyncGenerator<Line[]> {
  let line = firstLine
  let pieces: Buffer[] = []
  let length = 0
  let start: Buffer | undefined

  const keep = (piece: Buffer) => {
    length += piece.length
    pieces.push(piece)
    if (length <= bytesMax) return
    start ??= Buffer.concat(pieces).subarray(0, startBytes)
    pieces = []
  }
  const end = (): Line | undefined => {
    const ended = take(line, pieces, length > bytesMax ? (start ?? Buffer.alloc(0)) : undefined)
    line += 1
    pieces = []
    length = 0
    start = undefined
    return ended
  }

  for await (const chunk of body) {
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      keep(chunk.subarray(from, at))
      from = at + 1
      const ended = end()
      if (ended) lines.push(ended)
    }
    if (from < chunk.length) keep(chunk.subarray(from))
    if (lines.length > 0) yield lines
  }
  const last = length > 0 ? end() : undefined
  if (last) yield [last]
}

function take(line: number, pieces: readonly Buffer[], start: Buffer | undefined): Line | undefined {
  if (start) return { line, start }
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  const isEmpty = bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0x0d)
  return isEmpty ? undefined : { line, bytes }
}

/** So long a part waits for its next line, and in all: a sender who waits for an answer is answered. */
const nextWaitMs = 5
const partWaitMs = 100

/** Lines in parts of so many, or of so many bytes: as many as come, while few are to be had. */
export async function* inParts(lines: AsyncIterator<Line[]>, max: { lines: number; bytes: number }): AsyncGenerator<Line[]> {
  let part: Line[] = []
  let bytes = 0
  let began = 0
  let next = lines.next()
  // Whoever waits for it hears of a failure; it is not to be called unheard meanwhile.
  next.catch(() => {})
  for (;;) {
    const isLate = part.length > 0 && performance.now() - began > partWaitMs
    const came = part.length === 0 ? await next : isLate ? undefined : await inTime(next)
    if (part.length === 0) began = performance.now()
    if (came?.done) break
    for (const line of came?.value ?? []) {
      part.push(line)
      bytes += line.bytes?.length ?? startBytes
      if (part.length < max.lines && bytes < max.bytes) continue
      yield part
      part = []
      bytes = 0
    }
    if (came) {
      next = lines.next()
      next.catch(() => {})
    } else if (part.length > 0) {
      yield part
      part = []
      bytes = 0
    }
  }
  if (part.length > 0) yield part
}

async function inTime<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  // After what the network has brought meanwhile: the program may have been busy for longer than this.
  const timer = setTimeout(() => setImmediate(resolve, undefined), nextWaitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The reference of a line that could not be read whole, where it can be seen. */
export function referenceIn(bytes: Buffer): string | undefined {
  const text = bytes.subarray(0, startBytes).toString()
  const found = /"reference"\s*:\s*("(?:[^"\\\p{Cc}]|\\.){1,256}")/u.exec(text)?.[1]
  if (found === undefined) return undefined
  try {
    const reference: string = JSON.parse(found)
    // What was no UTF-8 is nobody's reference.
    return isReference(reference) && !reference.includes('\ufffd') ? reference : undefined
  } catch {
    return undefined
  }
}

/** What may be said again, and kept: as the schema of a message has it. */
export function isReference(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{Cc}\u2028\u2029]{1,128}$/u.test(value) && value.isWellFormed()
}

/** The value of a line, or undefined where it is not JSON in UTF-8. */
export function parseLine(bytes: Buffer): { value: unknown } | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    return { value: JSON.parse(bytes.toString()) }
  } catch {
    return undefined
  }
}
