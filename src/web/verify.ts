import { createHash } from 'node:crypto'
import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { publicKeysOf } from '../evidence/attestors.ts'
import { openEvidence } from '../evidence/open-evidence.ts'
import { readOrigin } from '../evidence/read-log.ts'
import { receiptBytesMax } from '../evidence/receipt.ts'
import { trustedKeysOf } from '../evidence/trusted-keys.ts'
import { welsh } from '../evidence/verdict-welsh.ts'
import { english } from '../evidence/verdict-words.ts'
import { type GivenDocument, type Verdict, verifyReceipt } from '../evidence/verify.ts'
import { Problem } from '../problems.ts'
import { type FieldError, type Surroundings, sendPage } from './page.ts'
import { languageOf, wordsFor } from './words.ts'

const spoken = { en: english, cy: welsh }
const documentsMax = 10
/** One large document of a letter, with room to spare. Whoever has more takes the command line, or one after another. */
const megabytesMax = 130
const documentsBytesMax = megabytesMax * 1024 * 1024

/** A page on which anybody may check a receipt, without signing in. Nothing of what comes in is kept or logged. */
export function verifyPages(app: FastifyInstance, { config, database }: Surroundings): void {
  const { keys, attestors, origin } = openEvidence(config)
  app.register(async (scope) => {
    await scope.register(multipart, {
      throwFileSizeLimit: false,
      limits: { fields: 10, fieldNameSize: 100, fieldSize: 1_000, files: documentsMax + 1, parts: documentsMax + 11 },
    })

    scope.get('/verify', async (request, reply) => sendForm(request, reply, []))

    scope.post('/verify', async (request, reply) => {
      const { receipt, documents, isTooLarge } = await readFiles(request)
      const t = wordsFor(request)
      const errors: FieldError[] = []
      if (receipt === undefined) errors.push({ field: 'receipt', text: t('verify:receipt-missing') })
      if (isTooLarge) {
        errors.push({ field: 'documents', text: t('verify:too-large', { megabytes: megabytesMax }) })
      }
      if (receipt === undefined || errors.length > 0) return sendForm(request, reply, errors)
      const name = (await readOrigin(database)) ?? origin
      const trusted = trustedKeysOf(keys, name, await publicKeysOf(database, attestors))
      return sendVerdict(request, reply, verifyReceipt(receipt, documents, trusted, spoken[languageOf(request)]), name)
    })
  })
}

function sendForm(request: FastifyRequest, reply: FastifyReply, errors: readonly FieldError[]): FastifyReply {
  const limits = { documentsMax, megabytesMax }
  return sendPage(
    request,
    reply,
    'verify',
    { title: wordsFor(request)('verify:title'), errors, ...limits },
    errors.length > 0 ? 422 : 200,
  )
}

function sendVerdict(request: FastifyRequest, reply: FastifyReply, verdict: Verdict, origin: string): FastifyReply {
  const { isValid, checks, record, sentence } = verdict
  const t = wordsFor(request)
  return sendPage(request, reply, 'verdict', {
    title: t(isValid ? 'verify:valid' : 'verify:not-valid'),
    isValid,
    // Its first word is what the heading says.
    sentence: sentence.slice(sentence.indexOf(' ') + 1),
    checks: checks.map((check) => ({
      ...check,
      name: t(`verify:name.${check.name}`),
      isLookedAt: record !== undefined || check.name === 'form',
    })),
    record: record && JSON.stringify(record, null, 2),
    origin,
  })
}

type Files = { receipt: Buffer | undefined; documents: GivenDocument[]; isTooLarge: boolean }

/** The receipt, and of documents the digests only: whatever their size, no more than a piece of them is held. */
async function readFiles(request: FastifyRequest): Promise<Files> {
  if (!request.isMultipart()) throw new Problem('form-expired')
  let receipt: Buffer | undefined
  let bytesTotal = 0
  const documents: GivenDocument[] = []
  for await (const part of request.parts({ limits: { fileSize: documentsBytesMax + 1 } })) {
    if (part.type === 'field') continue
    const digest = createHash('sha256')
    const start: Buffer[] = []
    let size = 0
    // Read to its end even where it is too much, so that the browser gets to see our answer.
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      if (part.fieldname === 'receipt' && size <= receiptBytesMax) start.push(chunk)
      digest.update(chunk)
      size += chunk.length
    }
    // A browser sends an empty nameless file where none was chosen.
    if (!part.filename) continue
    if (part.fieldname === 'receipt') {
      receipt = Buffer.concat(start)
    } else {
      bytesTotal += size
      documents.push({ name: part.filename, digest: digest.digest('hex'), size })
    }
  }
  return { receipt, documents, isTooLarge: bytesTotal > documentsBytesMax }
}
