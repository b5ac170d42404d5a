import { type Actor, senderIdsOf } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOfSent } from '../access/scope-of.ts'
import type { Db, Fragment } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { type IdentifierKeys, openIdentifier } from '../registry/identifier.ts'
import type { BatchState } from './batch.ts'
import { type Mailing, type Row, type RowFault, referenceOf } from './mailing.ts'

/** Of a Mailing, from the table mailing. */
export const mailingColumns = (db: Db): Fragment => db`
  mailing.sender_id, mailing.id, mailing.name, template_id, template_version, mailing.state, file_id, mailing.created_at, mailing.created_by_name,
  batch_id, sent_at, sent_by, available_from, sent_to, ended_at, waits_because`

/** In a transaction of the caller's, and until its end. Throws `not-found`. */
export async function lockMailing(sql: Db, senderIds: readonly string[], id: string): Promise<Mailing> {
  const [mailing] = await sql<Mailing[]>`
    select ${mailingColumns(sql)} from mailing
    where ${own(sql, sql`sender_id = any(${senderIds as string[]}::uuid[])`)} and id = ${id} for no key update`
  if (mailing === undefined) throw new Problem('not-found')
  return mailing
}

/** The newest first, those that come after one where that is named. */
export async function listMailings(
  db: Db,
  actor: Actor,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<Mailing[]> {
  requireRight(actor, 'messages:read')
  return readWithin<Mailing>(
    db,
    scopeOfSent(actor),
    db`
    select ${mailingColumns(db)} from mailing
    where ${ownMailings(db, actor)} ${after === undefined ? db`` : db`and id < ${after}`}
    order by id desc limit ${limit}`,
  )
}

const ownMailings = (db: Db, actor: Actor): Fragment =>
  own(db, db`mailing.sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)

export type MailingFound = Mailing & {
  /** Of the file: its letters, and of those how many were looked up, and how many have a recipient who cannot be reached. */
  rows: number | null
  stagedAt: Date | null
  stagedByName: string | null
  lookedUp: number
  unreachable: number
  errors: number
  /** Of the batch that it is sent as. */
  accepted: number
  batchState: BatchState | null
  isHeld: boolean
  /** Whatever is asked for, its service holds all of its batches. */
  isAlwaysHeld: boolean
}

/** Throws `not-found`. */
export async function findMailing(db: Db, actor: Actor, id: string): Promise<MailingFound> {
  requireRight(actor, 'messages:read')
  const [found] = await readWithin<MailingFound & Record<'lookedUp' | 'unreachable' | 'errors' | 'accepted', string>>(
    db,
    scopeOfSent(actor),
    db`
    select ${mailingColumns(db)}, file.rows, file.staged_at, file.staged_by_name, batch.state as batch_state, coalesce(batch.hold, false) as is_held,
      (select hold_batches from service where service.id = mailing.sender_id) as is_always_held,
      case when looked_up_to = 0 then 0 else (
        select count(*) from mailing_row where sender_id = file.sender_id and file_id = file.id and row <= looked_up_to
      ) end as looked_up,
      (select count(*) from mailing_row where sender_id = file.sender_id and file_id = file.id and refusal is not null) as unreachable,
      (select count(*) from mailing_error where sender_id = file.sender_id and file_id = file.id) as errors,
      (select coalesce(sum(accepted), 0) from batch_count where sender_id = batch.sender_id and batch_count.batch_id = batch.id) as accepted
    from mailing
    left join mailing_file file on file.sender_id = mailing.sender_id and file.id = mailing.file_id
    left join batch on batch.sender_id = mailing.sender_id and batch.id = mailing.batch_id
    where ${ownMailings(db, actor)} and mailing.id = ${id}`,
  )
  if (found === undefined) throw new Problem('not-found')
  const { lookedUp, unreachable, errors, accepted } = found
  return {
    ...found,
    lookedUp: Number(lookedUp),
    unreachable: Number(unreachable),
    errors: Number(errors),
    accepted: Number(accepted),
  }
}

export type ErrorFound = { row: number; ordinal: number; columnName: string | null; fault: RowFault }

/** What is wrong with the rows of a mailing that the caller has found, in their order, after one. */
export async function listRowErrors(
  db: Db,
  actor: Actor,
  { senderId, fileId }: Pick<Mailing, 'senderId' | 'fileId'>,
  { after, limit }: { after: { row: number; ordinal: number }; limit: number },
): Promise<ErrorFound[]> {
  requireRight(actor, 'messages:read')
  return readWithin<ErrorFound>(
    db,
    scopeOfSent(actor),
    db`
    select row, ordinal, column_name, fault from mailing_error
    where ${own(db, db`sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)}
      and sender_id = ${senderId} and file_id = ${fileId} and (row, ordinal) > (${after.row}, ${after.ordinal})
    order by row, ordinal limit ${limit}`,
  )
}

type StagedRow = {
  row: number
  scheme: string
  identifierSealed: Buffer
  reference: string | null
  cells: string[]
  refusal: ProblemCode | null
}

export type RowFound = Row & { refusal: ProblemCode | null }

/** Rows of a mailing that the caller has found, in their order, after one; all, or those who can be reached, or those who cannot. */
export async function listRows(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailing: Pick<Mailing, 'senderId' | 'fileId'>,
  which: { after: number; limit: number; reachable?: boolean },
): Promise<RowFound[]> {
  requireRight(actor, 'messages:read')
  const mine = own(db, db`sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)
  return readRows(db, keys, mailing, which, mine)
}

/** Whether the letter of a row of mailing_row is among those of the batch as which its mailing is sent: by its reference, as `referenceOf` makes it. */
export const isAccepted = (db: Db, { id, batchId }: Pick<Mailing, 'id' | 'batchId'>): Fragment => db`exists (
  select from ledger
  where ledger.sender_id = mailing_row.sender_id and ledger.batch_id = ${batchId}
    and ledger.reference = coalesce(mailing_row.reference, ${referenceOf({ id }, '')}::text || mailing_row.row)
)`

/** Rows of a mailing that has ended whose letters were not accepted, though their recipients can be reached, in their order, after one. */
export async function listUnsent(
  db: Db,
  keys: IdentifierKeys,
  actor: Actor,
  mailing: Pick<Mailing, 'id' | 'senderId' | 'fileId' | 'batchId'>,
  which: { after: number; limit: number },
): Promise<RowFound[]> {
  requireRight(actor, 'messages:read')
  const mine = own(db, db`sender_id = any(${senderIdsOf(actor) as string[]}::uuid[])`)
  return readRows(db, keys, mailing, { ...which, reachable: true }, db`${mine} and not ${isAccepted(db, mailing)}`)
}

/** The same for the worker, which acts for who sent the mailing. */
export async function readRows(
  db: Db,
  keys: IdentifierKeys,
  { senderId, fileId }: Pick<Mailing, 'senderId' | 'fileId'>,
  { after, limit, reachable }: { after: number; limit: number; reachable?: boolean },
  also: Fragment = db`true`,
): Promise<RowFound[]> {
  const refused = reachable === undefined ? db`` : reachable ? db`and refusal is null` : db`and refusal is not null`
  const rows = await readWithin<StagedRow>(
    db,
    { senders: [senderId] },
    db`
    select row, scheme, identifier_sealed, reference, cells, refusal from mailing_row
    where ${also} and sender_id = ${senderId} and file_id = ${fileId} and row > ${after} ${refused}
    order by row limit ${limit}`,
  )
  return rows.map(({ row, scheme, identifierSealed, reference, cells, refusal }) => ({
    row,
    identifier: { scheme, value: openIdentifier(keys, senderId, identifierSealed, scheme) },
    reference: reference ?? undefined,
    cells,
    refusal,
  }))
}
