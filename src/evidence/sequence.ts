import { randomBytes } from 'node:crypto'
import { setImmediate as othersFirst } from 'node:timers/promises'
import type { Database, Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { digestOfCommitments, sealBatch } from './batch.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { type CommittedEvent, commitEvents, type LoggedEvent } from './commit-events.ts'
import { entriesSealedAtOnce, signJws } from './jws.ts'
import type { EvidenceKeys } from './keys.ts'
import { formatNote, signNote } from './note.ts'
import { readTiles } from './read-tiles.ts'
import { type Issuer, saltsLength } from './record.ts'
import { appendEntries, appendLeaves, edgeOf, type Tile, tileWidth } from './tile.ts'
import { leafHash } from './tree.ts'

export type SequenceOptions = {
  /** What the log is called, if this is its first start; from then on it keeps its name. */
  origin: string
  issuer: Omit<Issuer, 'log'>
  /** Whether witnesses or a time-stamping authority are to be asked (evidence/complete-checkpoints.ts). */
  isAttested: boolean
}

/** So many events in one batch, and its transaction stays short. */
const batchEventsMax = 4_000

/**
 * Puts into the log what is committed and not in it yet, one batch and one transaction: seals, tiles and checkpoint are there
 * together or not at all, so that a kill at any moment leaves nothing half done and a batch that failed is simply made anew. Of
 * two sequencers at once one does nothing; were the lock to fail, both would write the same successor of one checkpoint, and
 * the table takes only one. Answers how many events were sequenced; call again at once when that is many.
 */
export async function sequence(db: Database, keys: EvidenceKeys, options: SequenceOptions, now: Date): Promise<number> {
  return within(db, { purpose: 'evidence' }, async (sql) => {
    const state = await takeTurn(sql, options)
    if (state === undefined) return 0
    const { events, until } = await findNew(sql, state)
    if (events.length > 0) await append(sql, keys, { ...options, origin: state.origin }, events, now)
    // Else the row would be written at every beat of a quiet night.
    if (events.length > 0 || BigInt(until) - BigInt(state.xid) > 1_000n) await sql`update log_state set xid = ${until}`
    return events.length
  })
}

/** The same, until little is left: one beat. */
export async function sequenceAll(db: Database, keys: EvidenceKeys, options: SequenceOptions, now: Date): Promise<void> {
  while ((await sequence(db, keys, options, now)) >= batchEventsMax / 2);
}

type State = { origin: string; xid: string; until: string }

/** Until the end of the transaction this is the only sequencer. Undefined where another is. */
async function takeTurn(sql: Db, { origin }: SequenceOptions): Promise<State | undefined> {
  // Two statements, sent together: the state must be read in a snapshot that is taken when the lock is held, or it is that of before
  // the turn of whoever held it until now.
  const [[lock], [turn]] = await Promise.all([
    sql<{ isMine: boolean }[]>`select pg_try_advisory_xact_lock(hashtext('digital-post log')) as is_mine`,
    sql<(State & { cluster: string; known: string | null })[]>`
      select state.origin, state.xid, state.cluster as known, pg_snapshot_xmin(pg_current_snapshot())::text as until,
             (select system_identifier::text from pg_control_system()) as cluster
      from (select) as one left join log_state state on true`,
  ])
  if (!lock?.isMine || turn === undefined) return undefined
  if (turn.known === null) {
    await sql`insert into log_state (origin, xid, cluster) values (${origin}, 0, ${turn.cluster})`
    return { origin, xid: '0', until: turn.until }
  }
  if (turn.known === turn.cluster) return turn
  // Another PostgreSQL, restored from a dump say, counts transactions anew: what is not sealed counts as written by this one.
  await sql`
    update event set xid = pg_current_xact_id()::text::bigint
    where xid is not null and not exists (select from evidence_seal where evidence_seal.position = event.position)`
  const xid = turn.until
  await sql`update log_state set cluster = ${turn.cluster}, xid = ${xid}`
  return { ...turn, xid }
}

/** Committed and not in the log: transactions from `xid` on, before the first that is still under way. Whole transactions only. */
async function findNew(sql: Db, { xid, until }: State): Promise<{ events: LoggedEvent[]; until: string }> {
  const read = (from: string, to: string, limit: number | null) => sql<(LoggedEvent & { xid: string })[]>`
    select position, sender_id, id, type, at, message_id, reference, facts, xid from event
    where xid >= ${from} and xid < ${to} order by xid, position limit ${limit}`
  const rows = await read(xid, until, batchEventsMax + 1)
  if (rows.length <= batchEventsMax) return { events: rows, until }
  const cut = rows.at(-1)!.xid
  const whole = rows.filter((row) => row.xid !== cut)
  if (whole.length > 0) return { events: whole, until: cut }
  const next = String(BigInt(cut) + 1n)
  return { events: await read(cut, next, null), until: next }
}

async function append(
  sql: Db,
  keys: EvidenceKeys,
  options: SequenceOptions,
  events: readonly LoggedEvent[],
  now: Date,
): Promise<void> {
  const { origin, isAttested } = options
  const issuer = { ...options.issuer, log: origin }
  const [last] = await sql<{ size: string; at: Date }[]>`select size, at from log_checkpoint order by size desc limit 1`
  const sizeBefore = Number(last?.size ?? 0)
  // A clock that was set back does not take a checkpoint back.
  const at = last && last.at > now ? last.at : now
  const needed = edgeOf(sizeBefore)
  const [committed, edge] = [await commitEvents(sql, issuer, events), await readTiles(sql, needed)]
  const { entries, places } = shuffle(committed)
  const { size, root, tiles } = appendLeaves(edge, sizeBefore, entries.map(leafHash))
  await storeTiles(sql, tiles, appendEntries(undefined, sizeBefore, entries))
  await storeSeals(sql, committed, (commitment) => sizeBefore + places.get(commitment)!, size)
  await sealEntries(sql, keys, sizeBefore, entries)
  const text = formatCheckpoint({ origin, size, root })
  const note = formatNote({ text, signatures: [signNote(text, origin, keys.log)] })
  const inOrder = [...committed].sort((a, b) => Number(BigInt(a.event.position) - BigInt(b.event.position)))
  const digest = digestOfCommitments(inOrder.flatMap(({ commitments }) => commitments))
  const rootHex = root.toString('hex')
  const batch = await sealBatch(keys, {
    origin,
    sizeBefore,
    size,
    root: rootHex,
    at: at.toISOString(),
    events: events.length,
    digest,
    issuer,
  })
  await sql`
    insert into log_checkpoint (size, size_before, at, root, note, batch, ask_again_at)
    values (${size}, ${sizeBefore}, ${at}, ${root}, ${note}, ${batch}, ${isAttested ? at : null})`
}

/** The leaves of a batch in an order that says nothing, with others that nobody can tell from them, up to a whole tile. */
function shuffle(committed: readonly CommittedEvent[]): { entries: Buffer[]; places: Map<Buffer, number> } {
  const entries = committed.flatMap(({ commitments }) => commitments)
  const padding = (tileWidth - (entries.length % tileWidth)) % tileWidth
  const dummies = randomBytes(32 * padding)
  for (let place = 0; place < padding; place += 1) entries.push(dummies.subarray(32 * place, 32 * (place + 1)))
  const random = new BigUint64Array(Uint8Array.from(randomBytes(8 * entries.length)).buffer)
  for (let place = entries.length - 1; place > 0; place -= 1) {
    const other = Number(random[place]! % BigInt(place + 1))
    ;[entries[place], entries[other]] = [entries[other]!, entries[place]!]
  }
  return { entries, places: new Map(entries.map((entry, place) => [entry, place])) }
}

/** The driver takes a list of bytes for bytes unless it is told the type. */
const byteaArray = 1001
const byteas = (sql: Db, rows: readonly { bytes: Buffer }[]) =>
  sql.array(
    rows.map(({ bytes }) => bytes),
    byteaArray,
  )

async function storeTiles(sql: Db, tiles: readonly Tile[], bundles: readonly { index: number; bytes: Buffer }[]): Promise<void> {
  await sql`
    insert into log_tile (level, index, bytes)
    select * from unnest(${tiles.map(({ level }) => level)}::smallint[], ${tiles.map(({ index }) => index)}::bigint[], ${byteas(sql, tiles)}::bytea[])
    on conflict (level, index) do update set bytes = excluded.bytes`
  await sql`
    insert into log_entries (index, bytes)
    select * from unnest(${bundles.map(({ index }) => index)}::bigint[], ${byteas(sql, bundles)}::bytea[])`
}

async function storeSeals(
  sql: Db,
  committed: readonly CommittedEvent[],
  leafOf: (commitment: Buffer) => number,
  size: number,
): Promise<void> {
  const column = <Value>(of: (one: CommittedEvent) => Value) => committed.map(of)
  // In one piece: the driver takes as long for each item of a list of bytes as for all else of the row.
  const salts = Buffer.concat(column(({ salts }) => salts))
  await sql`
    insert into evidence_seal (position, event_id, size, previous_id, ordinal, salts, sender_leaf, recipient_leaf)
    select position, event_id, ${size}, previous_id, ordinal,
           substring(${salts} from ((place - 1) * ${saltsLength})::integer + 1 for ${saltsLength}), sender_leaf, recipient_leaf
    from unnest(
      ${column(({ event }) => event.position)}::bigint[],
      ${column(({ event }) => event.id)}::uuid[],
      ${column(({ previousId }) => previousId)}::uuid[],
      ${column(({ ordinal }) => ordinal)}::integer[],
      ${column(({ commitments }) => leafOf(commitments[0]!))}::bigint[],
      ${column(({ commitments }) => (commitments[1] ? leafOf(commitments[1]) : null))}::bigint[]
    ) with ordinality as committed (position, event_id, previous_id, ordinal, sender_leaf, recipient_leaf, place)`
}

/** One signature for so many entries, dummies among them, as they stand in the log: it tells no more than the log does. */
async function sealEntries(sql: Db, { seal }: EvidenceKeys, first: number, entries: readonly Buffer[]): Promise<void> {
  const signatures: Buffer[] = []
  for (let place = 0; place < entries.length; place += entriesSealedAtOnce) {
    if (place % (16 * entriesSealedAtOnce) === 0) await othersFirst()
    signatures.push(await signJws(seal, 'dp-evidence+jws', Buffer.concat(entries.slice(place, place + entriesSealedAtOnce))))
  }
  await sql`
    insert into evidence_jws (first_leaf, key_id, signature)
    select ${first} + (place - 1) * ${entriesSealedAtOnce}, ${seal.keyId}, signature
    from unnest(${sql.array(signatures, byteaArray)}::bytea[]) with ordinality as sealed (signature, place)`
}
