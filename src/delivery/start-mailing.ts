import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { createBatch } from './create-batch.ts'
import { lockMailing } from './find-mailings.ts'
import { isTooFarAhead } from './message.ts'
import { askerOf } from './stage-file.ts'

/** What whoever sends has seen: the file, and how many of its letters have a recipient who can be reached. */
export type MailingToStart = { fileId: string; letters: number; hold: boolean; availableFrom: Date | undefined }

/**
 * Begins to send the letters of a mailing to whom they can reach, as a batch of its service; the worker does the rest. Again is harmless. Throws
 * `not-found`, `available-from-too-late`, or `changed-meanwhile` where it is not as it was seen.
 */
export async function startMailing(
  db: Db,
  actor: Actor,
  id: string,
  { fileId, letters, hold, availableFrom }: MailingToStart,
  now: Date,
): Promise<void> {
  requireRight(actor, 'messages:write')
  if (availableFrom !== undefined && isTooFarAhead(availableFrom, now)) throw new Problem('available-from-too-late')
  const senders = servicesFor(actor, 'messages:write') ?? []
  await within(db, { senders }, async (sql) => {
    const mailing = await lockMailing(sql, senders, id)
    if (mailing.batchId !== null && mailing.fileId === fileId) return
    const [counted] = await sql<{ letters: string }[]>`
      select count(*) as letters from mailing_row where sender_id = ${mailing.senderId} and file_id = ${fileId} and refusal is null`
    const isAsSeen = mailing.state === 'ready' && mailing.fileId === fileId && Number(counted!.letters) === letters
    if (!isAsSeen || letters === 0) throw new Problem('changed-meanwhile')
    const batch = { serviceId: mailing.senderId, reference: `mailing-${id}`, name: mailing.name, lane: 'bulk', hold } as const
    const { id: batchId } = await createBatch(sql, actor, batch, now)
    await sql`
      update mailing set state = 'sending', batch_id = ${batchId}, sent_at = ${now}, sent_by = ${sql.json(askerOf(actor))},
        available_from = ${availableFrom ?? null}
      where sender_id = ${mailing.senderId} and id = ${id}`
  })
}

/**
 * Where whoever sent a mailing may not send any more, or whoever gave its file may not look recipients up: the actor takes their place. Otherwise
 * nothing changes. Throws `not-found`.
 */
export async function takeMailingOver(db: Db, actor: Actor, id: string): Promise<void> {
  requireRight(actor, 'messages:write')
  const senders = servicesFor(actor, 'messages:write') ?? []
  await within(db, { senders }, async (sql) => {
    const { senderId, fileId, state, waitsBecause } = await lockMailing(sql, senders, id)
    if (waitsBecause !== 'access-ended') return
    const by = sql.json(askerOf(actor))
    if (state === 'checking')
      await sql`update mailing_file set staged_by = ${by} where sender_id = ${senderId} and id = ${fileId}`
    await sql`
      update mailing set waits_because = null, sent_by = case when batch_id is not null then ${by}::jsonb end
      where sender_id = ${senderId} and id = ${id}`
  })
}
