import { readFileSync } from 'node:fs'
import type { Extracted } from './extract-text.ts'
import { readOffice, Unreadable } from './read-office.ts'
import { readPdf } from './read-pdf.ts'

// A process of its own (extract-text.ts): the media type is its argument, the file comes in, and what was found goes out as JSON.

async function read(mediaType: string, bytes: Uint8Array): Promise<Extracted> {
  try {
    if (mediaType === 'application/pdf') return { text: await readPdf(bytes) }
    if (mediaType.startsWith('application/vnd.o')) return { text: readOffice(bytes) }
    return { text: new TextDecoder().decode(bytes.subarray(0, textBytesMax)) }
  } catch (error) {
    return { failure: error instanceof Unreadable ? error.why : 'damaged' }
  }
}

const textBytesMax = 5 * 1024 * 1024
// Only the answer may come out: libraries say what they miss.
for (const say of ['log', 'warn', 'error', 'info'] as const) console[say] = () => {}
const answer = JSON.stringify(await read(process.argv[2]!, readFileSync(0)))
process.stdout.write(answer, () => process.exit(0))
