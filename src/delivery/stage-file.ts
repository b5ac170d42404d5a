import { setImmediate as othersFirst } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from '../registry/identifier.ts'
import { lockMailing } from './find-mailings.ts'
import { readTemplate } from './find-templates.ts'
import {
  type AskedBy,
  errorsKept,
  type Row,
  type RowError,
  type RowRules,
  readHeader,
  readRow,
  rowsMax,
  takesFile,
} from './mailing.ts'
import { type CsvRow, FileFault, readCsv } from './read-csv.ts'
import { placeholdersOf } from './template.ts'

/** So many rows in one statement. */
const rowsAtOnce = 1_000
/** Errors of a row itself have the first numbers. */
const ordinalOf = { reference: 1_000, recipient: 1_001 }

export type FileToStage = {
  /** What kind of identifier it has where a row does not say. */
  scheme: string
  /** Whether one recipient may get several of these letters. */
  severalAllowed: boolean
  bytes: AsyncIterable<Buffer>
}

/**
 * Reads a file into the database as it comes, and checks each row. When all of it is there, and not before, it is the file of the mailing in place
 * of the one before; who is cut off sends it again. Throws `not-found`, `changed-meanwhile` where the mailing has been sent, or FileFault where
 * the file cannot be taken at all.
 */
export async function stageFile(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailingId: string,
  { scheme, severalAllowed, bytes }: FileToStage,
  now: Date,
): Promise<void> {
  requireRight(actor, 'messages:write')
  const senders = servicesFor(actor, 'messages:write') ?? []
  const mailing = await within(db, { senders }, (sql) => lockMailing(sql, senders, mailingId))
  if (!takesFile(mailing.state)) throw new Problem('changed-meanwhile')
  const { senderId, templateId, templateVersion } = mailing
  const template = (await readTemplate(db, [senderId], templateId, templateVersion))!
  const schemesAllowed = await listSchemes(db, senderId)
  if (!schemesAllowed.includes(scheme)) throw new Problem('identifier-invalid')
  const file = { id: newId(), senderId }
  const placeholders = placeholdersOf(template.content)
  const rows = readCsv(bytes)
  try {
    const { value: first, done } = await rows.next()
    if (done) throw new FileFault({ code: 'empty' })
    const columns = readHeader(first, placeholders)
    await within(
      db,
      { senders: [senderId] },
      (sql) => sql`
      insert into mailing_file (sender_id, id, mailing_id, scheme, several_allowed, staged_at, staged_by_name, staged_by)
      values (${senderId}, ${file.id}, ${mailingId}, ${scheme}, ${severalAllowed}, ${now}, ${actor.by.name}, ${sql.json(askerOf(actor))})`,
    )
    const count = await stageRows(db, keys, file, rows, {
      columns,
      template,
      placeholders,
      scheme,
      schemesAllowed,
      schemes: keys.schemes,
    })
    if (count === 0) throw new FileFault({ code: 'no-rows' })
  } finally {
    await rows.return(undefined)
  }
  await compareRows(db, file, severalAllowed)
  await within(db, { senders }, async (sql) => {
    const { state } = await lockMailing(sql, senders, mailingId)
    if (!takesFile(state)) throw new Problem('changed-meanwhile')
    await sql`
      update mailing_file set rows = (select count(*) from mailing_row where sender_id = ${senderId} and file_id = ${file.id})
      where sender_id = ${senderId} and id = ${file.id}`
    await sql`
      update mailing set file_id = ${file.id}, waits_because = null, state = case when exists (
        select from mailing_error where sender_id = ${senderId} and file_id = ${file.id}
      ) then 'refused' else 'checking' end
      where sender_id = ${senderId} and id = ${mailingId}`
  })
}

/** Who asked for something that the worker does later. */
export const askerOf = ({ by, identifiedAt, mailboxId }: Actor): AskedBy => ({
  mailboxId,
  by: { ...by, ...(identifiedAt ? { identifiedAt: identifiedAt.toISOString() } : {}) },
})

/** The kinds of identifier by which a service may write: its own numbers, and those of the installation that it is allowed. */
export async function listSchemes(db: Db, serviceId: string): Promise<string[]> {
  const rows = await readWithin<{ scheme: string }>(
    db,
    { senders: [serviceId] },
    db`select scheme from service_scheme where service_id = ${serviceId} order by scheme`,
  )
  return ['link', ...rows.map(({ scheme }) => scheme)]
}

type File = { id: string; senderId: string }
/** Several of one row are apart by their numbers. */
type NumberedError = RowError & { ordinal: number }

async function stageRows(
  db: Db,
  keys: IdentifierKeys,
  file: File,
  rows: AsyncIterable<CsvRow>,
  rules: RowRules,
): Promise<number> {
  let count = 0
  let staged: Row[] = []
  let errors: NumberedError[] = []
  let errorCount = 0
  const stage = async () => {
    await writeRows(db, keys, file, staged, errors)
    staged = []
    errors = []
    await othersFirst()
  }
  for await (const row of rows) {
    count += 1
    if (count > rowsMax) throw new FileFault({ code: 'too-many-rows', max: rowsMax })
    const { read, errors: wrong } = readRow(row, rules)
    if (read !== undefined) staged.push(read)
    if (errorCount < errorsKept) errors.push(...wrong.map((error, ordinal) => ({ ...error, ordinal })))
    errorCount += wrong.length
    if (count % rowsAtOnce === 0) await stage()
  }
  await stage()
  return count
}

async function writeRows(
  db: Db,
  keys: IdentifierKeys,
  { id, senderId }: File,
  rows: readonly Row[],
  errors: readonly NumberedError[],
): Promise<void> {
  const staged = rows.map(({ row, identifier, reference = null, cells }) => ({
    row,
    scheme: identifier.scheme,
    hash: hashIdentifier(keys, senderId, identifier).toString('hex'),
    sealed: sealIdentifier(keys, senderId, identifier.value, identifier.scheme).toString('hex'),
    reference,
    cells,
  }))
  await within(db, { senders: [senderId] }, async (sql) => {
    if (staged.length > 0)
      await sql`
        insert into mailing_row (sender_id, file_id, row, scheme, identifier_hash, identifier_sealed, reference, cells)
        select ${senderId}, ${id}, row, scheme, decode(hash, 'hex'), decode(sealed, 'hex'), reference, cells
        from jsonb_to_recordset(${sql.json(staged as never)})
          as staged (row integer, scheme text, hash text, sealed text, reference text, cells text[])`
    if (errors.length > 0)
      await sql`
        insert into mailing_error (sender_id, file_id, row, ordinal, column_name, fault)
        select ${senderId}, ${id}, row, ordinal, "column", fault
        from jsonb_to_recordset(${sql.json(errors as never)}) as wrong (row integer, ordinal integer, "column" text, fault jsonb)`
  })
}

/** What can only be seen of all rows together: a reference, or a recipient, that is there twice. Each in one pass over an index. */
async function compareRows(db: Db, { id, senderId }: File, severalAllowed: boolean): Promise<void> {
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`
    insert into mailing_error (sender_id, file_id, row, ordinal, column_name, fault)
    select ${senderId}, ${id}, row, ${ordinalOf.reference}::integer, 'reference', jsonb_build_object('code', 'reference-repeated', 'row', earlier)
    from (
      select row, lag(row) over (partition by reference order by row) as earlier from mailing_row
      where sender_id = ${senderId} and file_id = ${id} and reference is not null
    ) as rows where earlier is not null`,
  )
  if (severalAllowed) return
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`
    insert into mailing_error (sender_id, file_id, row, ordinal, column_name, fault)
    select ${senderId}, ${id}, row, ${ordinalOf.recipient}::integer, 'identifier', jsonb_build_object('code', 'recipient-repeated', 'row', earlier)
    from (
      select row, lag(row) over (partition by identifier_hash order by row) as earlier from mailing_row
      where sender_id = ${senderId} and file_id = ${id}
    ) as rows where earlier is not null`,
  )
}
