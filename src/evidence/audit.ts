import type { KeyObject } from 'node:crypto'
import type { Database, Db } from '../database/connect.ts'
import { auditPost, auditUploads } from './audit-post.ts'
import { type Batch, checkBatch, digestOfCommitments } from './batch.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { commitmentsOf, type LoggedEvent } from './commit-events.ts'
import { entriesSealedAtOnce, verifyJws } from './jws.ts'
import { logVerifierKeys } from './keys.ts'
import { parseNote, type VerifierKey, verifyNote } from './note.ts'
import type { EvidenceSettings } from './open-evidence.ts'
import type { MessageFacts } from './record.ts'
import { appendLeaves, decodeEntries, type Tile, tileWidth } from './tile.ts'
import { leafHash } from './tree.ts'

/** What does not fit, in a sentence; nothing of anybody's content stands in it. */
export type Finding = { what: string; messageId?: string; evidenceId?: string }

export type AuditKeys = { sealKeys: ReadonlyMap<string, KeyObject>; logKeys: readonly VerifierKey[] }

/** An event that is older and not in the log is missing there: a transaction ends much sooner, and so does a beat. */
const lateAfterMs = 60_000

/** By which keys what `settings` say may have been sealed and signed. */
export async function auditKeysOf(db: Database, { keys, origin }: EvidenceSettings): Promise<AuditKeys> {
  const [state] = await db<{ origin: string }[]>`select origin from log_state`
  return { sealKeys: keys.sealKeys, logKeys: logVerifierKeys(keys, state?.origin ?? origin) }
}

export type Audit = { events: number; checkpoints: number; findings: Finding[] }

/** What was sealed before this may have been erased. */
async function shortestKept(db: Database, years: number, now: Date): Promise<Date> {
  const [row] = await db<{ kept: Date }[]>`
    select ${now}::timestamptz - make_interval(years => least(${years}::integer, (select min(evidence_years) from organisation))) as kept`
  return row!.kept
}

type Checkpoint = { size: string; sizeBefore: string; at: Date; root: Buffer; note: string; batch: string }
type Seal = {
  position: string
  eventId: string
  previousId: string | null
  ordinal: number
  salts: Buffer | null
  senderLeaf: string
  recipientLeaf: string | null
  erasedAt: Date | null
}

/**
 * Works out again from the database what the log says of it: every commitment from its event, every batch, every tile and
 * root from the entries, every signature; and asks whether letters, files and ledgers still are as their evidence has them. Reads
 * batch by batch, so that a log of any size fits in memory. `years` is for how long evidence is kept. `db` is of the owner of the tables, who sees them all.
 */
export async function audit(db: Database, keys: AuditKeys, years: number, now: Date): Promise<Audit> {
  const kept = await shortestKept(db, years, now)
  const findings: Finding[] = []
  let [events, checkpoints, size] = [0, 0, 0]
  let edge: Tile[] = []
  for (;;) {
    // One snapshot for a batch: the log may grow meanwhile.
    const batch = await db.begin('isolation level repeatable read', async (sql) => {
      const [checkpoint] = await sql<Checkpoint[]>`
        select size, size_before, at, root, note, batch from log_checkpoint where size > ${size} order by size limit 1`
      return checkpoint && { checkpoint, ...(await readBatchRows(sql, checkpoint)) }
    })
    if (batch === undefined) break
    const { checkpoint } = batch
    if (Number(checkpoint.sizeBefore) !== size)
      findings.push({ what: `The checkpoint of size ${checkpoint.size} does not continue one of size ${size}.` })
    findings.push(...auditBatch(batch, keys, kept))
    const appended = auditTree(batch, edge, size)
    findings.push(...appended.findings)
    edge = appended.edge
    size = Number(checkpoint.size)
    events += batch.seals.length
    checkpoints += 1
  }
  findings.push(...(await auditCounts(db, size, new Date(now.getTime() - lateAfterMs))))
  findings.push(...(await auditPost(db, kept)), ...(await auditUploads(db)))
  return { events, checkpoints, findings }
}

type BatchRows = {
  seals: Seal[]
  events: Map<string, LoggedEvent>
  accepted: Map<string, { facts: MessageFacts; at: Date }>
  entries: Buffer[]
  tiles: Tile[]
  jws: { firstLeaf: string; keyId: string; signature: Buffer }[]
}

async function readBatchRows(sql: Db, { size, sizeBefore }: Checkpoint): Promise<BatchRows> {
  const [seals, events, bundles, tiles, jws] = await Promise.all([
    sql<Seal[]>`
      select position, event_id, previous_id, ordinal, salts, sender_leaf, recipient_leaf, erased_at
      from evidence_seal where size = ${size} order by position`,
    sql<LoggedEvent[]>`
      select event.position, sender_id, id, type, at, message_id, reference, facts
      from evidence_seal seal join event on event.id = seal.event_id and event.position = seal.position where seal.size = ${size}`,
    sql<{ bytes: Buffer }[]>`
      select bytes from log_entries where index >= ${Number(sizeBefore) / tileWidth} and index < ${Number(size) / tileWidth} order by index`,
    sql<{ level: number; index: string; bytes: Buffer }[]>`
      select level, index, bytes from log_tile
      where index >= trunc(${sizeBefore}::numeric / power(256::numeric, level + 1)) and index < ceil(${size}::numeric / power(256::numeric, level + 1))`,
    sql<BatchRows['jws']>`
      select first_leaf, key_id, signature from evidence_jws where first_leaf >= ${sizeBefore} and first_leaf < ${size}`,
  ])
  const byId = new Map(events.map((event) => [event.id, event]))
  const messageIds = [...new Set(events.filter(({ type }) => type.startsWith('message.')).map(({ messageId }) => messageId))]
  const senderIds = [...new Set(events.map(({ senderId }) => senderId))]
  const accepted = await sql<{ messageId: string; facts: MessageFacts; at: Date }[]>`
    select message_id, facts, at from event
    where sender_id = any(${senderIds}::uuid[]) and message_id = any(${messageIds}::uuid[]) and type = 'message.accepted' and facts is not null`
  return {
    seals: [...seals],
    events: byId,
    accepted: new Map(accepted.map(({ messageId, facts, at }) => [messageId, { facts, at }])),
    entries: bundles.flatMap(({ bytes }) => decodeEntries(bytes) ?? []),
    tiles: tiles.map((tile) => ({ ...tile, index: Number(tile.index) })),
    jws: [...jws],
  }
}

/** Whether each event opens its leaves, and whether the batch holds them all. */
function auditBatch({ checkpoint, ...rows }: BatchRows & { checkpoint: Checkpoint }, keys: AuditKeys, kept: Date): Finding[] {
  const batch = checkBatch(checkpoint.batch, keys.sealKeys)
  if (batch === undefined) return [{ what: `The batch of the checkpoint of size ${checkpoint.size} has no seal of ours.` }]
  const first = Number(checkpoint.sizeBefore)
  const leaf = (index: string) => rows.entries[Number(index) - first] ?? Buffer.alloc(0)
  const committed = rows.seals.flatMap(({ senderLeaf, recipientLeaf }) => [
    leaf(senderLeaf),
    ...(recipientLeaf === null ? [] : [leaf(recipientLeaf)]),
  ])
  const isWhole = batch.events === rows.seals.length && digestOfCommitments(committed) === batch.digest
  const isSame =
    batch.size === Number(checkpoint.size) && batch.root === checkpoint.root.toString('hex') && batch.sizeBefore === first
  return [
    ...(isWhole
      ? []
      : [
          {
            what: `The batch of the checkpoint of size ${checkpoint.size} sealed ${batch.events} events, and the database has ${rows.seals.length} seals of it, or others.`,
          },
        ]),
    ...(isSame ? [] : [{ what: `The checkpoint of size ${checkpoint.size} is not the one that was sealed.` }]),
    ...auditNote(checkpoint, keys),
    ...auditJws(rows, first, keys),
    ...rows.seals.flatMap((seal) => auditSeal(seal, rows, batch, leaf, kept)),
  ]
}

/** Whether all entries of the batch, and so all its events, are sealed. */
function auditJws({ entries, jws }: BatchRows, first: number, { sealKeys }: AuditKeys): Finding[] {
  const sealed = new Map(jws.map((one) => [Number(one.firstLeaf) - first, one]))
  const isSealed = (place: number) => {
    const { keyId = '', signature = Buffer.alloc(0) } = sealed.get(place) ?? {}
    const key = sealKeys.get(keyId)
    const payload = Buffer.concat(entries.slice(place, place + entriesSealedAtOnce))
    return key !== undefined && verifyJws(key, keyId, 'dp-evidence+jws', payload, signature)
  }
  const places = Array.from({ length: entries.length / entriesSealedAtOnce }, (_, number) => number * entriesSealedAtOnce)
  const without = places.filter((place) => !isSealed(place))
  return without.length === 0 ? [] : [{ what: `Entries of the log from ${first + without[0]!} on have no seal of ours.` }]
}

function auditNote({ note, size, root }: Checkpoint, { logKeys }: AuditKeys): Finding[] {
  const parsed = parseNote(note)
  const said = parsed && parseCheckpoint(parsed.text)
  const isSigned = parsed !== undefined && (verifyNote(parsed, logKeys)?.signers.length ?? 0) > 0
  if (isSigned && said?.size === Number(size) && said.root.equals(root)) return []
  return [{ what: `The note of the checkpoint of size ${size} is not what the log signs.` }]
}

function auditSeal(
  seal: Seal,
  { events, accepted }: BatchRows,
  { issuer, at }: Batch,
  leaf: (index: string) => Buffer,
  kept: Date,
): Finding[] {
  const about = { evidenceId: seal.eventId }
  if (seal.erasedAt !== null) {
    return new Date(at) < kept ? [] : [{ what: 'Evidence was erased before its time.', ...about }]
  }
  const event = events.get(seal.eventId)
  if (event === undefined) return [{ what: 'An event is sealed, and is not in the database any more.', ...about }]
  const named = { ...about, messageId: event.messageId }
  if (seal.salts === null) return [{ what: 'What opens the leaves of an event is gone.', ...named }]
  const soFar = { accepted: accepted.get(event.messageId), previousId: seal.previousId, ordinal: seal.ordinal }
  const commitments = commitmentsOf(event, soFar, issuer, seal.salts)
  const leaves = [seal.senderLeaf, seal.recipientLeaf].flatMap((index) => index ?? []).map(leaf)
  const fits = commitments.length === leaves.length && commitments.every((commitment, place) => commitment.equals(leaves[place]!))
  return fits ? [] : [{ what: `An event (${event.type}) is not as it was when it was sealed.`, ...named }]
}

/** Whether tiles and root are those of the entries. Answers the right edge for the next batch. */
function auditTree(
  { checkpoint, entries, tiles }: BatchRows & { checkpoint: Checkpoint },
  edge: Tile[],
  size: number,
): { edge: Tile[]; findings: Finding[] } {
  const missing = (what: string) => ({ edge, findings: [{ what }] })
  if (entries.length !== Number(checkpoint.size) - size)
    return missing(`Entries of the log between ${size} and ${checkpoint.size} are missing.`)
  const made = appendLeaves(edge, size, entries.map(leafHash))
  const stored = new Map(tiles.map(({ level, index, bytes }) => [`${level}/${index}`, bytes]))
  const wrong = made.tiles.filter(({ level, index, bytes }) => {
    // A tile that was filled later begins as it was.
    const kept = stored.get(`${level}/${index}`)
    return kept === undefined || !kept.subarray(0, bytes.length).equals(bytes)
  })
  return {
    edge: made.edge,
    findings: [
      ...(made.root.equals(checkpoint.root)
        ? []
        : [{ what: `The root of the checkpoint of size ${checkpoint.size} is not that of the entries.` }]),
      ...wrong.map(({ level, index }) => ({ what: `The tile ${level}/${index} of the log is not that of the entries.` })),
    ],
  }
}

/** Events that should be in the log, and seals and tiles that belong to no checkpoint. */
async function auditCounts(db: Database, size: number, before: Date): Promise<Finding[]> {
  return db.begin('isolation level repeatable read', async (sql) => {
    const late = await sql<{ id: string; messageId: string }[]>`
      select id, message_id from event
      where xid is not null and at < ${before} and not exists (select from evidence_seal where evidence_seal.position = event.position)
      limit 100`
    const loose = await sql<{ eventId: string }[]>`
      select event_id from evidence_seal where not exists (select from log_checkpoint where log_checkpoint.size = evidence_seal.size) limit 100`
    const [beyond] = await sql`select from log_entries where index >= ${size / tileWidth} limit 1`
    const [newer] = await sql`select from log_checkpoint where size > ${size} limit 1`
    return [
      ...late.map(({ id, messageId }) => ({ what: 'An event is not in the log.', evidenceId: id, messageId })),
      ...loose.map(({ eventId }) => ({ what: 'A seal belongs to no checkpoint.', evidenceId: eventId })),
      ...(beyond && !newer ? [{ what: 'The log has entries beyond its last checkpoint.' }] : []),
    ]
  })
}
