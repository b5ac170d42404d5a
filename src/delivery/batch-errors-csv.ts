import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { problems } from '../problems.ts'
import type { Batch } from './batch.ts'
import { listBatchErrors } from './find-batches.ts'
import { writeCsv } from './reconciliation.ts'

const errorsAtOnce = 5_000

/** The errors of a batch as a file, which is read as it is sent: there may be as many as there were lines. */
export async function* batchErrorsAsCsv(db: Db, actor: Actor, batch: Pick<Batch, 'id' | 'senderId'>): AsyncGenerator<string> {
  yield writeCsv([['line', 'reference', 'code', 'advice', 'detail', 'fields']])
  for (let after = 0; ; ) {
    const found = await listBatchErrors(db, actor, batch, { after, limit: errorsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!.line
    yield writeCsv(
      found.map(({ line, reference, code, fields }) => {
        const [, advice, detail] = problems[code]
        const named = (fields ?? []).map(({ field, message }) => `${field}: ${message}`).join(' ')
        return [line, asText(reference ?? ''), code, advice, detail, named]
      }),
    )
  }
}

/** What a sheet would take for a formula is kept from being one. */
export function asText(value: string): string {
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}
