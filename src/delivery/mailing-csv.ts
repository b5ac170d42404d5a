import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import type { ProblemCode } from '../problems.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { asText } from './batch-errors-csv.ts'
import { listRowErrors, listRows, listUnsent } from './find-mailings.ts'
import { headerFor, type Mailing, type RowFault } from './mailing.ts'
import { utf8Mark, writeCsv } from './reconciliation.ts'

const rowsAtOnce = 5_000
type OfMailing = Pick<Mailing, 'senderId' | 'fileId'>
/** In the language of who reads the file: the names of our columns, and what a code says. */
type WordsFor<Code> = { columns: readonly string[]; inWords: (code: Code) => string }

/** Everything that is wrong with the rows of a mailing, read as it is sent. */
export async function* rowErrorsAsCsv(
  db: Db,
  actor: Actor,
  mailing: OfMailing,
  { columns, inWords }: WordsFor<RowFault>,
): AsyncGenerator<string> {
  yield utf8Mark + writeCsv([columns])
  for (let after = { row: 0, ordinal: 0 }; ; ) {
    const found = await listRowErrors(db, actor, mailing, { after, limit: rowsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!
    yield writeCsv(found.map(({ row, columnName, fault }) => [row, asText(columnName ?? ''), inWords(fault)]))
  }
}

/** Who needs paper, with all that their rows say and why, read as it is sent. */
export async function* paperAsCsv(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailing: OfMailing,
  placeholders: readonly string[],
  { columns, inWords }: WordsFor<ProblemCode>,
): AsyncGenerator<string> {
  yield utf8Mark + writeCsv([[...columns, ...headerFor(placeholders).map(asText)]])
  for (let after = 0; ; ) {
    const found = await listRows(db, keys, actor, mailing, { after, limit: rowsAtOnce, reachable: false })
    if (found.length === 0) return
    after = found.at(-1)!.row
    yield writeCsv(
      found.map(({ row, refusal, identifier: { scheme, value }, reference = '', cells }) => [
        row,
        inWords(refusal!),
        ...[scheme, value, reference, ...cells].map(asText),
      ]),
    )
  }
}

/** What a mailing that has ended did not send, with the columns of its file, to be mended and sent as another mailing; read as it is sent. */
export async function* unsentAsCsv(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailing: OfMailing & Pick<Mailing, 'id' | 'batchId'>,
  placeholders: readonly string[],
): AsyncGenerator<string> {
  yield utf8Mark + writeCsv([headerFor(placeholders).map(asText)])
  for (let after = 0; ; ) {
    const found = await listUnsent(db, keys, actor, mailing, { after, limit: rowsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!.row
    yield writeCsv(
      found.map(({ identifier: { scheme, value }, reference = '', cells }) => [scheme, value, reference, ...cells].map(asText)),
    )
  }
}
