import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { type FieldProblem, type ProblemCode, problems } from '../problems.ts'
import type { Batch } from './batch.ts'
import { listBatchErrors } from './find-batches.ts'
import { writeCsv } from './reconciliation.ts'

const errorsAtOnce = 5_000

export const errorColumns = ['line', 'reference', 'code', 'advice', 'detail', 'fields'] as const

/** In the language of who reads the file. */
type WordsFor = {
  columns: readonly string[]
  inWords: (code: ProblemCode) => string
  fieldInWords: (field: FieldProblem) => string
}
const inEnglish: WordsFor = {
  columns: errorColumns,
  inWords: (code) => problems[code][2],
  fieldInWords: ({ message }) => message,
}

/** The errors of a batch as a file, which is read as it is sent: there may be as many as there were lines. */
export async function* batchErrorsAsCsv(
  db: Db,
  actor: Actor,
  batch: Pick<Batch, 'id' | 'senderId'>,
  { columns, inWords, fieldInWords }: WordsFor = inEnglish,
): AsyncGenerator<string> {
  yield writeCsv([columns])
  for (let after = 0; ; ) {
    const found = await listBatchErrors(db, actor, batch, { after, limit: errorsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!.line
    yield writeCsv(
      found.map(({ line, reference, code, fields }) => {
        const named = (fields ?? []).map((one) => `${one.field}: ${fieldInWords(one)}`).join(' ')
        return [line, asText(reference ?? ''), code, problems[code][1], inWords(code), named]
      }),
    )
  }
}

/** What a sheet would take for a formula is kept from being one. */
export function asText(value: string): string {
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}
