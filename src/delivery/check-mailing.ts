import { v7 as newId } from 'uuid'
import { servicesFor } from '../access/actor.ts'
import { reviveStaff } from '../access/revive-actor.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import type { ProblemCode } from '../problems.ts'
import { takeLookups } from '../registry/allow-lookups.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { type LookedUp, lookUpRecipients } from '../registry/look-up.ts'
import { readRows } from './find-mailings.ts'
import { readTemplate } from './find-templates.ts'
import type { AskedBy, Mailing, RowFault } from './mailing.ts'

const rowsAtOnce = 2_000
/** Beside the errors of rows themselves and of all rows together. */
const ordinalOfUsed = 1_002

/**
 * Looks some more recipients of a mailing up, in the name of whoever gave its file: each sees that. Answers whether to go on at once. When all are
 * known the mailing is ready, or refused.
 */
export async function checkMailing(
  db: Db,
  keys: IdentifierKeys,
  lookups: { perMinute: number; perDay: number },
  mailing: Mailing,
  now: Date,
): Promise<boolean> {
  const { senderId, fileId } = mailing
  const [file] = await readWithin<{ lookedUpTo: number; stagedBy: AskedBy }>(
    db,
    { senders: [senderId] },
    db`select looked_up_to, staged_by from mailing_file where sender_id = ${senderId} and id = ${fileId}`,
  )
  if (file === undefined) return false
  const rows = await readRows(db, keys, mailing, { after: file.lookedUpTo, limit: rowsAtOnce })
  if (rows.length === 0) return finish(db, mailing)
  const actor = await reviveStaff(db, { ...file.stagedBy, requestId: newId() })
  if (actor === undefined || !servicesFor(actor, 'recipients:read')?.includes(senderId)) return wait(db, mailing, 'access-ended')
  if ((await takeLookups(db, senderId, rows.length, lookups, now)) !== undefined) return wait(db, mailing, 'too-many-lookups')
  const identifiers = rows.map(({ identifier }) => identifier)
  const found = await lookUpRecipients(db, keys, actor, { serviceId: senderId, identifiers }, now)
  const { category } = (await readTemplate(db, [senderId], mailing.templateId, mailing.templateVersion))!
  await note(
    db,
    mailing,
    rows.map(({ row, reference }, place) => ({ row, reference, refusal: refusalFor(found[place]!, category) })),
  )
  return true
}

function refusalFor({ refusal, categories }: LookedUp, category: string): ProblemCode | undefined {
  return refusal ?? (categories === null || categories.includes(category) ? undefined : 'consent-missing')
}

type Checked = { row: number; reference: string | undefined; refusal: ProblemCode | undefined }

async function note(db: Db, { senderId, id, fileId }: Mailing, rows: readonly Checked[]): Promise<void> {
  const refused = rows.flatMap(({ row, refusal }) => (refusal === undefined ? [] : { row, refusal }))
  const referred = rows.filter(({ reference }) => reference !== undefined)
  await within(db, { senders: [senderId] }, async (sql) => {
    await noteRefusals(sql, { senderId, fileId }, refused)
    await sql`
      insert into mailing_error (sender_id, file_id, row, ordinal, column_name, fault)
      select ${senderId}, ${fileId}, asked.row, ${ordinalOfUsed}::integer, 'reference', ${sql.json({ code: 'reference-of-letter' } satisfies RowFault)}
      from unnest(${referred.map(({ row }) => row)}::integer[], ${referred.map(({ reference }) => reference!)}::text[]) as asked (row, reference)
      join ledger on ledger.sender_id = ${senderId} and ledger.reference = asked.reference
      on conflict do nothing`
    await sql`
      update mailing_file set looked_up_to = greatest(looked_up_to, ${rows.at(-1)!.row}) where sender_id = ${senderId} and id = ${fileId}`
    await sql`update mailing set waits_because = null where sender_id = ${senderId} and id = ${id} and waits_because is not null`
  })
}

/** Who of a mailing's rows needs paper, and why. */
export async function noteRefusals(
  sql: Db,
  { senderId, fileId }: Pick<Mailing, 'senderId' | 'fileId'>,
  refused: readonly { row: number; refusal: ProblemCode }[],
): Promise<void> {
  await sql`
    update mailing_row set refusal = found.refusal
    from jsonb_to_recordset(${sql.json(refused)}) as found (row integer, refusal text)
    where sender_id = ${senderId} and file_id = ${fileId} and mailing_row.row = found.row`
}

/** Of the file that was checked: there may be another by now. */
async function finish(db: Db, { senderId, id, fileId }: Mailing): Promise<false> {
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`
    update mailing set waits_because = null, state = case when exists (
      select from mailing_error where sender_id = ${senderId} and file_id = ${fileId}
    ) then 'refused' else 'ready' end
    where sender_id = ${senderId} and id = ${id} and file_id = ${fileId} and state = 'checking'`,
  )
  return false
}

/** Until the next beat, or until somebody takes it over. */
export async function wait(db: Db, { senderId, id }: Mailing, why: ProblemCode): Promise<false> {
  await within(
    db,
    { senders: [senderId] },
    (sql) =>
      sql`update mailing set waits_because = ${why} where sender_id = ${senderId} and id = ${id} and waits_because is distinct from ${why}`,
  )
  return false
}
