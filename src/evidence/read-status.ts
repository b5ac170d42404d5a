import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import type { Missing } from './missing.ts'
import { installationId } from './note-alive.ts'
import type { Asked } from './read-evidence.ts'

const scope = { purpose: 'evidence' } as const
const outagesShown = 200
/** A checkpoint is new for so long: what vouches for it is on its way. */
const newForMs = 60_000

export type Outage = {
  id: string
  beganAt: Date
  endedAt: Date
  why: string
  /** Of the events that prove its two ends. */
  beganEvidenceId: string
  endedEvidenceId: string
}

export type Status = {
  /** When the program was last known to take and to show post; null before the log's first start. */
  aliveAt: Date | null
  checkpoint: { size: string; at: Date } | undefined
  /** What vouches for the log from outside and is not there, though it should be by now: since when, and why. In text where it has no codes. */
  wanting: { since: Date; missing: Missing[] | string | null } | undefined
  /** The newest first. */
  outages: Outage[]
}

/** How the installation is and was, for everybody. */
export async function readStatus(db: Database, now: Date): Promise<Status> {
  const yearAgo = new Date(now)
  yearAgo.setUTCFullYear(yearAgo.getUTCFullYear() - 1)
  const [[state], [checkpoint], [wanting], outages] = await Promise.all([
    readWithin<{ aliveAt: Date | null }>(db, scope, db`select alive_at from log_state`),
    readWithin<{ size: string; at: Date }>(db, scope, db`select size, at from log_checkpoint order by size desc limit 1`),
    readWithin<{ since: Date | null; missing: Missing[] | string | null }>(
      db,
      scope,
      db`
      select min(at) as since, (array_agg(coalesce(missing_codes, to_jsonb(missing)) order by size desc) filter (where missing is not null))[1] as missing
      from log_checkpoint where ask_again_at is not null and at < ${new Date(now.getTime() - newForMs)}`,
    ),
    readWithin<Outage>(
      db,
      scope,
      db`
      select outage.id, began_at, ended_at, why, began.id as began_evidence_id, ended.id as ended_evidence_id
      from outage
      join event as began on began.sender_id = ${installationId} and began.message_id = outage.id and began.type = 'service.interrupted'
      join event as ended on ended.sender_id = ${installationId} and ended.message_id = outage.id and ended.type = 'service.restored'
      where ended_at > ${yearAgo}
      order by began_at desc limit ${outagesShown}`,
    ),
  ])
  return {
    aliveAt: state?.aliveAt ?? null,
    checkpoint,
    wanting: wanting?.since ? { since: wanting.since, missing: wanting.missing } : undefined,
    outages,
  }
}

/** The evidence of an outage, which is public, as `makeReceipt` and `listEvidence` ask for it. */
export function outageEvidence(db: Database, outageId: string): Asked {
  return { scope, mine: db`sender_id = ${installationId}`, messageId: outageId, audience: 'sender' }
}
