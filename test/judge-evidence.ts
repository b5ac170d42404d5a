import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Db } from '../src/database/connect.ts'
import { type AuditKeys, audit } from '../src/evidence/audit.ts'
import { parseCheckpoint } from '../src/evidence/checkpoint.ts'
import { parseNote, verifyNote } from '../src/evidence/note.ts'
import { hashesIn } from '../src/evidence/tile.ts'
import { consistencyProof, verifyConsistency } from '../src/evidence/tree.ts'

/** What those outside were told while it ran: ids of letters that were accepted, of letters that were shown, and notes of checkpoints. */
export type Told = { accepted: Set<string>; opened: Set<string>; checkpoints: Set<string> }

export const nothingTold = (): Told => ({ accepted: new Set(), opened: new Set(), checkpoints: new Set() })

const beatMs = 50

/** Waits until everything is in the log, doing `beat` meanwhile; not for ever, as the judge names what is not in it. */
export async function drain(owner: Database, waitMs: number, beat?: () => Promise<unknown>): Promise<void> {
  for (const until = performance.now() + waitMs; performance.now() < until; await sleep(beatMs)) {
    await beat?.()
    const [left] = await owner`
      select from event where xid is not null and not exists (select from evidence_seal where evidence_seal.position = event.position) limit 1`
    if (left === undefined) return
  }
}

/** No event is so young that it need not be in the log. */
const allAreLateMs = 3_600_000
const keptYears = 7

/**
 * What of the evidence in a database is not as it must be, in sentences; nothing where all is well. When it is called everything should be in
 * the log (`drain`). The same judge looks at the program and at programs that are broken on purpose, which it must find out.
 */
export async function judgeEvidence(owner: Database, keys: AuditKeys, told: Told): Promise<string[]> {
  const found = await owner.begin('isolation level repeatable read', async (sql) => {
    // These read tables whole (src/database/connect.ts).
    await sql`select set_config(name, value, true) from unnest(
      array['statement_timeout', 'enable_hashjoin', 'enable_seqscan', 'enable_mergejoin', 'plan_cache_mode'], array['0', 'on', 'on', 'on', 'auto']
    ) as setting (name, value)`
    return [
      ...(await judgeLetters(sql, told)),
      ...(await judgeSeals(sql)),
      ...(await judgeCheckpoints(sql, keys, [...told.checkpoints])),
    ]
  })
  const { findings } = await audit(owner, keys, keptYears, new Date(Date.now() + allAreLateMs))
  return [...found, ...findings.map(({ what }) => `The audit: ${what}`)]
}

type Found = { what: string; count: number }[]

const say = (found: Found) => found.filter(({ count }) => count > 0).map(({ what, count }) => `${what}: ${count}`)

/** Each letter that is in a ledger or in a mailbox, and each of which somebody was told, has each of its events once. */
async function judgeLetters(sql: Db, { accepted, opened }: Told): Promise<string[]> {
  return say(
    await sql<Found>`
    with happened as materialized (
      select message_id, count(*) filter (where type = 'message.accepted') as accepted,
             count(*) filter (where type = 'message.available') as available, count(*) filter (where type = 'message.opened') as opened
      from event group by message_id
    ),
    letter as materialized (
      select message_id, ledger.message_id is not null as in_ledger, message.id is not null as in_mailbox,
             coalesce(ledger.opened_at, message.opened_at) is not null as is_opened
      from ledger full join (select *, id as message_id from message) as message using (message_id)
    ),
    told_accepted as (select unnest(${[...accepted]}::uuid[]) as message_id),
    told_opened as (select unnest(${[...opened]}::uuid[]) as message_id)
    select 'Letters that were acknowledged and are not there' as what, count(*)::int
      from told_accepted left join letter using (message_id) where letter.message_id is null
    union all
    select 'Letters in a mailbox or a ledger alone', count(*)::int from letter where not (in_ledger and in_mailbox)
    union all
    select 'Letters without exactly one message.accepted', count(*)::int
      from letter left join happened using (message_id) where accepted is distinct from 1
    union all
    select 'Letters without exactly one message.available', count(*)::int
      from letter left join happened using (message_id) where available is distinct from 1
    union all
    select 'Letters whose openings are not told once, or told and not there', count(*)::int
      from letter left join happened using (message_id) where coalesce(happened.opened, 0) <> is_opened::int
    union all
    select 'Letters that were shown and are not opened', count(*)::int
      from told_opened left join letter using (message_id) where is_opened is not true
    union all
    select 'Acceptances of letters that are not there', count(*)::int
      from happened left join letter using (message_id) where accepted > 0 and letter.message_id is null`,
  )
}

/** Each event is sealed once, and each seal has places of the log that are its own, in its own batch. */
async function judgeSeals(sql: Db): Promise<string[]> {
  return say(
    await sql<Found>`
    with sealed as materialized (select event_id, count(*) as seals from evidence_seal group by event_id),
    leaf as materialized (
      select size, sender_leaf as index from evidence_seal
      union all
      select size, recipient_leaf from evidence_seal where recipient_leaf is not null
    )
    select 'Events without exactly one seal' as what, count(*)::int
      from event left join sealed on sealed.event_id = event.id where xid is not null and seals is distinct from 1
    union all
    select 'Seals of no event', count(*)::int from evidence_seal seal left join event on event.id = seal.event_id and event.position = seal.position
      where event.id is null
    union all
    select 'Leaves that two seals have', (count(*) - count(distinct index))::int from leaf
    union all
    select 'Leaves outside of the batch of their seal', count(*)::int
      from leaf left join log_checkpoint checkpoint using (size)
      where checkpoint.size is null or index < size_before or index >= checkpoint.size`,
  )
}

/** The checkpoints are one chain, and each that was ever served is the beginning of the log as it is now. */
async function judgeCheckpoints(sql: Db, { logKeys }: AuditKeys, served: readonly string[]): Promise<string[]> {
  const found = say(
    await sql<Found>`
    select 'Checkpoints that do not continue exactly one' as what, count(*)::int from log_checkpoint checkpoint
      where size_before <> 0 and (select count(*) from log_checkpoint before where before.size = checkpoint.size_before) <> 1
    union all
    select 'Beginnings of the log beside the first', greatest(count(*) - 1, 0)::int from log_checkpoint where size_before = 0`,
  )
  const [last] = await sql<{ size: string; root: Buffer }[]>`select size, root from log_checkpoint order by size desc limit 1`
  if (last === undefined) return [...found, ...(served.length > 0 ? ['A checkpoint was served, and there is no log.'] : [])]
  const tiles = await sql<{ level: number; index: string; bytes: Buffer }[]>`select level, index, bytes from log_tile`
  const hashAt = hashesIn(tiles.map((tile) => ({ ...tile, index: Number(tile.index) })))
  const isBeginning = (text: string) => {
    const note = parseNote(text)
    const checkpoint = note && parseCheckpoint(note.text)
    if (!checkpoint || (verifyNote(note, logKeys)?.signers.length ?? 0) === 0) return false
    try {
      const proof = consistencyProof(checkpoint.size, Number(last.size), hashAt)
      return verifyConsistency(checkpoint, { size: Number(last.size), root: last.root }, proof)
    } catch {
      // It is longer than the log, or a tile is not there.
      return false
    }
  }
  const others = served.filter((text) => !isBeginning(text)).length
  return [...found, ...say([{ what: 'Checkpoints that were served and do not begin the log', count: others }])]
}
