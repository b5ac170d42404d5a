import type { Database } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { askTimeStamp } from './ask-time-stamp.ts'
import { askWitness } from './ask-witness.ts'
import { type Attestors, publicKeysOf, type Witness } from './attestors.ts'
import { type Missing, missingInEnglish } from './missing.ts'
import { formatSignature, type Note, parseNote, type VerifierKey } from './note.ts'
import { readTiles } from './read-tiles.ts'
import { hashesIn, tilesFor } from './tile.ts'
import { verifyTimeStamp } from './time-stamp.ts'
import { consistencyProof, consistencyRanges } from './tree.ts'

/** So many at once, which is some seconds of asking: less than the minute for which they are ours. */
const atOnceMax = 25
const claimMs = 60_000
/** Asked again after as long as it has been wanting, within these: twice as late each time. */
const againMs = { least: 2_000, most: 3_600_000 }
/** Among so many of the newest checkpoints we look for what a witness has seen. If it saw none of them, it says itself. */
const lookedThrough = 1_000

const scope = { purpose: 'evidence' } as const

type Due = {
  size: number
  at: Date
  note: Note
  isNewest: boolean
  isStamped: boolean
  signatures: Note['signatures']
}

/**
 * Gets what checkpoints of the log do not have yet: cosignatures of the witnesses, and a time stamp over the text of each. Witnesses
 * are asked for the newest only, as whoever cosigns a tree vouches for all before it. Nobody is asked inside a transaction: who is due
 * is taken for a minute first, so that two processes at once do not ask for the same, and if they do it does no harm. What cannot be had is
 * said in `missing`, for pages in `missing_codes`, and asked for again, later each time; so is what is left when `signal` says to stop. Answers how many checkpoints
 * it looked at.
 */
export async function completeCheckpoints(db: Database, attestors: Attestors, now: Date, signal?: AbortSignal): Promise<number> {
  const due = await claim(db, now)
  if (due.length === 0) return 0
  const [cosigned, stamps] = await Promise.all([
    askWitnesses(db, attestors.witnesses, due),
    askForStamps(db, attestors, due, signal),
  ])
  await keep(db, due, cosigned, stamps, now)
  return due.length
}

/** Newest first. */
async function claim(db: Database, now: Date): Promise<Due[]> {
  type Row = { size: string; at: Date; note: string; cosignatures: string[]; isNewest: boolean; isStamped: boolean }
  const rows = await within(
    db,
    scope,
    // Materialised, so that those who are due are found by their index and not by going through all that are not.
    (sql) => sql<Row[]>`
      with due as materialized (select size from log_checkpoint where ask_again_at <= ${now}),
      taken as materialized (
        select size from log_checkpoint
        where size in (select size from due order by size desc limit ${atOnceMax}) and ask_again_at <= ${now}
        for update skip locked
      )
      update log_checkpoint set ask_again_at = ${new Date(now.getTime() + claimMs)}
      where size in (select size from taken)
      returning size, at, note, cosignatures, time_stamp is not null as is_stamped,
        size = (select max(size) from log_checkpoint) as is_newest`,
  )
  return rows
    .map(({ size, note, cosignatures, ...row }) => ({
      ...row,
      size: Number(size),
      note: parseNote(note)!,
      signatures: parseNote(note + cosignatures.join(''))!.signatures,
    }))
    .sort((a, b) => b.size - a.size)
}

/** What witnesses said to the newest checkpoint: lines to keep, why there are none of others, and the size that each has cosigned now. */
type Cosigned = { lines: string[]; why: Map<Witness, Missing>; seen: Map<Witness, number> }

async function askWitnesses(db: Database, witnesses: readonly Witness[], due: readonly Due[]): Promise<Cosigned> {
  const cosigned: Cosigned = { lines: [], why: new Map(), seen: await findSeen(db, witnesses) }
  const newest = due.find(({ isNewest }) => isNewest)
  if (newest === undefined) return cosigned
  const asked = witnesses.filter((witness) => cosigned.seen.get(witness)! < newest.size)
  await Promise.all(
    asked.map(async (witness) => {
      const answer = await askFor(db, witness, newest, cosigned.seen.get(witness)!)
      if (Array.isArray(answer)) {
        cosigned.lines.push(...answer)
        cosigned.seen.set(witness, newest.size)
      } else {
        cosigned.why.set(witness, answer)
      }
    }),
  )
  return cosigned
}

const isBy =
  ({ name, id }: VerifierKey) =>
  (signature: Note['signatures'][number]) =>
    signature.name === name && signature.id === id

/** The largest tree that each witness has cosigned, as far as we know: 0 where we know of none. */
async function findSeen(db: Database, witnesses: readonly Witness[]): Promise<Map<Witness, number>> {
  const rows = await readWithin<{ size: string; note: string }>(
    db,
    scope,
    db`
      select size, note || array_to_string(cosignatures, '') as note
      from (select size, note, cosignatures from log_checkpoint order by size desc limit ${lookedThrough}) as newest
      where cosignatures <> '{}' order by size desc limit 10`,
  )
  const cosigned = rows.map(({ size, note }) => ({ size: Number(size), signatures: parseNote(note)!.signatures }))
  return new Map(
    witnesses.map((witness) => [witness, cosigned.find(({ signatures }) => signatures.some(isBy(witness.key)))?.size ?? 0]),
  )
}

/** The lines of a witness's cosignatures, or why there are none. It may name another size than ours, once. */
async function askFor(db: Database, { url, key }: Witness, { size, note }: Due, seen: number): Promise<string[] | Missing> {
  const witness = key.name
  let oldSize = seen
  for (let times = 0; times < 2; times += 1) {
    const proof = await proveConsistency(db, oldSize, size)
    const reply = await askWitness(url, { oldSize, proof, note }, key)
    if ('code' in reply) return reply
    if (reply.kind === 'cosigned') return reply.cosignatures.map(({ signature }) => formatSignature(signature))
    if (reply.kind === 'refused') return { code: 'witness-refused', witness, status: reply.status }
    // Another process was quicker; or the database was set back, and the log forks: then it stays like this.
    if (reply.size > size) return { code: 'witness-ahead', witness, seen: reply.size, size }
    oldSize = reply.size
  }
  return { code: 'witness-unsteady', witness }
}

async function proveConsistency(db: Database, oldSize: number, size: number): Promise<Buffer[]> {
  const names = tilesFor(consistencyRanges(oldSize, size), size)
  const tiles = await within(db, scope, (sql) => readTiles(sql, names))
  return consistencyProof(oldSize, size, hashesIn(tiles))
}

/** Tokens, and why there are no more of them. Who fails once is not asked for the others now. */
type Stamps = { tokens: Map<Due, Buffer>; why?: Missing }

async function askForStamps(db: Database, attestors: Attestors, due: readonly Due[], signal?: AbortSignal): Promise<Stamps> {
  const tokens = new Map<Due, Buffer>()
  const { timeStamp } = attestors
  if (timeStamp === undefined) return { tokens }
  for (const one of due) {
    if (one.isStamped) continue
    if (signal?.aborted) return { tokens, why: { code: 'stopping' } }
    const text = Buffer.from(one.note.text)
    const token = await askTimeStamp(timeStamp.url, text)
    if (!(token instanceof Uint8Array)) return { tokens, why: token }
    const { timeStampAuthorities } = await publicKeysOf(db, attestors)
    const verdict = verifyTimeStamp(token, text, timeStampAuthorities)
    if (typeof verdict === 'string') return { tokens, why: { code: 'stamp-wrong', why: verdict } }
    tokens.set(one, Buffer.from(token))
  }
  return { tokens }
}

async function keep(db: Database, due: readonly Due[], { lines, why, seen }: Cosigned, stamps: Stamps, now: Date): Promise<void> {
  const rows = due.map((one) => {
    // Whoever has cosigned a larger tree has cosigned this one.
    const wanting = [...seen.keys()].filter(({ key }) => !one.signatures.some(isBy(key)))
    const missing = wanting
      .filter((witness) => seen.get(witness)! < one.size)
      .map((witness): Missing => (one.isNewest && why.get(witness)) || { code: 'witness-behind', witness: witness.key.name })
    const token = stamps.tokens.get(one)
    if (stamps.why && !one.isStamped && token === undefined) missing.push(stamps.why)
    const waitMs = Math.min(againMs.most, Math.max(againMs.least, now.getTime() - one.at.getTime()))
    return { size: one.size, token, missing, again: new Date(now.getTime() + waitMs) }
  })
  await within(db, scope, async (sql) => {
    const newest = due.find(({ isNewest }) => isNewest)
    if (newest && lines.length > 0) {
      await sql`update log_checkpoint set cosignatures = cosignatures || ${lines}::text[] where size = ${newest.size}`
    }
    for (const { size, token, missing, again } of rows) {
      await sql`
        update log_checkpoint set
          time_stamp = coalesce(time_stamp, ${token ?? null}),
          missing = ${missing.map(missingInEnglish).join(' ') || null},
          missing_codes = ${missing.length > 0 ? sql.json(missing) : null},
          ask_again_at = ${missing.length > 0 ? again : null}
        where size = ${size}`
    }
  })
}
