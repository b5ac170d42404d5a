import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { problems } from '../problems.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { asText } from './batch-errors-csv.ts'
import { listRowErrors, listRows, listUnsent } from './find-mailings.ts'
import { headerFor, type Mailing } from './mailing.ts'
import { writeCsv } from './reconciliation.ts'

const rowsAtOnce = 5_000
type OfMailing = Pick<Mailing, 'senderId' | 'fileId'>

/** Everything that is wrong with the rows of a mailing, read as it is sent. */
export async function* rowErrorsAsCsv(db: Db, actor: Actor, mailing: OfMailing): AsyncGenerator<string> {
  yield writeCsv([['row', 'column', 'what is wrong']])
  for (let after = { row: 0, ordinal: 0 }; ; ) {
    const found = await listRowErrors(db, actor, mailing, { after, limit: rowsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!
    yield writeCsv(found.map(({ row, columnName, message }) => [row, asText(columnName ?? ''), message]))
  }
}

/** Who needs paper, with all that their rows say and why, read as it is sent. */
export async function* paperAsCsv(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailing: OfMailing,
  placeholders: readonly string[],
): AsyncGenerator<string> {
  yield writeCsv([['row', 'why', ...headerFor(placeholders).map(asText)]])
  for (let after = 0; ; ) {
    const found = await listRows(db, keys, actor, mailing, { after, limit: rowsAtOnce, reachable: false })
    if (found.length === 0) return
    after = found.at(-1)!.row
    yield writeCsv(
      found.map(({ row, refusal, identifier: { scheme, value }, reference = '', cells }) => [
        row,
        problems[refusal!][2],
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
  // With its mark, by which Excel knows that it is in UTF-8.
  yield `\ufeff${writeCsv([headerFor(placeholders).map(asText)])}`
  for (let after = 0; ; ) {
    const found = await listUnsent(db, keys, actor, mailing, { after, limit: rowsAtOnce })
    if (found.length === 0) return
    after = found.at(-1)!.row
    yield writeCsv(
      found.map(({ identifier: { scheme, value }, reference = '', cells }) => [scheme, value, reference, ...cells].map(asText)),
    )
  }
}
