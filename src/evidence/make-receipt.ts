import type { Database, Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { type Attestors, publicKeysOf } from './attestors.ts'
import { compactJws, entriesSealedAtOnce } from './jws.ts'
import { type EvidenceKeys, logVerifierKeys } from './keys.ts'
import { formatVerifierKey, type Note, parseNote, sortSignatures, type VerifierKey } from './note.ts'
import { type Asked, leafOf, openingOf, readSealed, type Sealed } from './read-evidence.ts'
import { readTiles } from './read-tiles.ts'
import { formatReceipt } from './receipt.ts'
import { decodeEntries, hashesIn, tilesFor, tileWidth } from './tile.ts'
import { timeStampCertificates, verifyTimeStamp } from './time-stamp.ts'
import { inclusionProof, inclusionRanges } from './tree.ts'
import { toSealKey } from './trusted-keys.ts'

/** Whose keys are in a receipt, and who is to have vouched for it. */
export type Vouching = { keys: EvidenceKeys; attestors: Attestors }

/** As it is handed to whoever needs no more of it: all of this takes many files. */
export type MakeReceipt = {
  (db: Database, asked: Asked, evidenceId: string, now: Date): Promise<string>
  /** Of all that there is of a message, in order. What can have none yet is left out. */
  all: (db: Database, asked: Asked, now: Date) => Promise<{ id: string; type: Sealed['event']['type']; receipt: string }[]>
}

export function receiptMaker(vouching: Vouching): MakeReceipt {
  const one = (db: Database, asked: Asked, evidenceId: string, now: Date) => makeReceipt(db, asked, evidenceId, vouching, now)
  const all: MakeReceipt['all'] = (db, asked, now) => makeReceipts(db, asked, vouching, now)
  return Object.assign(one, { all })
}

/** A time-stamp is waited for so long, from when its checkpoint was made; then the witnesses' times must do. */
const stampAwaitedMs = 60_000

/**
 * The receipt of one event, as a file. Throws `not-found` for what is not there or not theirs, and `evidence-pending` where the log
 * does not have it yet, or whoever vouches for the log has not seen it there.
 */
export async function makeReceipt(
  db: Database,
  asked: Asked,
  evidenceId: string,
  vouching: Vouching,
  now: Date,
): Promise<string> {
  const sealed = (await readSealed(db, asked)).find(({ event }) => event.id === evidenceId)
  if (sealed === undefined) throw new Problem('not-found')
  const [receipt] = await compose(db, asked, [sealed], vouching, now)
  if (receipt === undefined) throw new Problem('evidence-pending')
  return receipt.receipt
}

async function makeReceipts(db: Database, asked: Asked, vouching: Vouching, now: Date) {
  return compose(db, asked, await readSealed(db, asked), vouching, now)
}

async function compose(db: Database, { audience }: Asked, sealed: readonly Sealed[], { keys, attestors }: Vouching, now: Date) {
  const logged = sealed.flatMap(({ event, soFar, seal }) => (seal === undefined ? [] : { event, soFar, seal }))
  if (logged.length === 0) return []
  const [publicKeys, composed] = await Promise.all([
    publicKeysOf(db, attestors),
    within(db, { purpose: 'evidence' }, (sql) =>
      Promise.all(
        logged.map(async ({ seal, ...rest }) => {
          const found = choose(await findCovering(sql, seal.size), attestors, now)
          if (found === undefined) return undefined
          const index = leafOf(seal, audience)
          const [tiles, jws] = await Promise.all([
            readTiles(sql, tilesFor(inclusionRanges(index, found.size), found.size)),
            readJws(sql, index),
          ])
          return { ...rest, seal, index, checkpoint: found, path: inclusionProof(index, found.size, hashesIn(tiles)), jws }
        }),
      ),
    ),
  ])
  return composed
    .filter((each) => each !== undefined)
    .map(({ event, soFar, seal, index, checkpoint: { note, timeStamp }, path, jws }) => {
      const { record, salt } = openingOf(audience, event, soFar, seal)
      const sealKey = keys.sealKeys.get(jws.keyId)
      if (sealKey === undefined) throw new Error(`The seal key ${jws.keyId} is gone: it belongs into formerSealKeys.`)
      const witnesses = attestors.witnesses.filter(({ key }) => isSignedBy(note, key)).map(({ key }) => formatVerifierKey(key))
      const authority = timeStamp && authorityOf(timeStamp, note, publicKeys.timeStampAuthorities)
      const receipt = formatReceipt({
        record,
        salt,
        seal: compactJws(jws.keyId, 'dp-evidence+jws', jws.payload, jws.signature),
        ...(timeStamp ? { timeStamp } : {}),
        keys: {
          seal: toSealKey(sealKey, jws.keyId),
          log: formatVerifierKey(logKeyOf(note, keys)),
          witnesses,
          ...(authority === undefined ? {} : { timeStampAuthority: authority }),
        },
        index,
        path,
        note,
      })
      return { id: event.id, type: event.type, receipt }
    })
}

/** The seal over the entries of the log among which this one is. */
async function readJws(sql: Db, index: number): Promise<{ keyId: string; signature: Buffer; payload: Buffer }> {
  const first = index - (index % entriesSealedAtOnce)
  const [row] = await sql<{ keyId: string; signature: Buffer; bytes: Buffer }[]>`
    select key_id, signature, bytes from evidence_jws join log_entries on log_entries.index = ${Math.floor(index / tileWidth)}
    where first_leaf = ${first}`
  const entries = decodeEntries(row!.bytes)!.slice(first % tileWidth, (first % tileWidth) + entriesSealedAtOnce)
  return { keyId: row!.keyId, signature: row!.signature, payload: Buffer.concat(entries) }
}

/** With the signature of the log, and those of witnesses that we know: a receipt with any other is refused. */
type Covering = { size: number; at: Date; note: Note; timeStamp: Buffer | undefined; isCosigned: boolean }

type Row = { size: string; at: Date; note: string; cosignatures: string[]; timeStamp: Buffer | null }

/**
 * Checkpoints whose trees have the batch: the first that witnesses cosigned and those after it, as the first may be by witnesses who are no
 * longer ours; the newest, which then is by those of today; and the batch's own.
 */
async function findCovering(sql: Db, size: string): Promise<Row[]> {
  const columns = sql`size, at, note, cosignatures, time_stamp`
  const cosigned = sql`select ${columns} from log_checkpoint where size >= ${size} and cosignatures <> '{}'`
  return sql<Row[]>`
    select ${columns} from log_checkpoint where size = ${size}
    union (${cosigned} and time_stamp is not null order by size limit 5)
    union (${cosigned} order by size limit 5)
    union (${cosigned} order by size desc limit 5)`
}

/** The earliest that says most: cosigned and time-stamped before cosigned. Undefined where that is still to come. */
function choose(rows: readonly Row[], { witnesses, timeStamp }: Attestors, now: Date): Covering | undefined {
  const covering = rows
    .map((row) =>
      toCovering(
        row,
        witnesses.map(({ key }) => key),
      ),
    )
    .sort((a, b) => a.size - b.size)
  if (witnesses.length === 0) return covering.find((one) => one.timeStamp !== undefined) ?? covering[0]
  const cosigned = covering.filter(({ isCosigned }) => isCosigned)
  const stamped = cosigned.find((one) => one.timeStamp !== undefined)
  if (stamped !== undefined || timeStamp === undefined) return stamped ?? cosigned[0]
  const isAwaited = cosigned[0] !== undefined && now.getTime() - cosigned[0].at.getTime() < stampAwaitedMs
  return isAwaited ? undefined : cosigned[0]
}

function toCovering({ size, at, note: logged, cosignatures, timeStamp }: Row, keys: readonly VerifierKey[]): Covering {
  const { text, signatures } = parseNote(logged)!
  const whole = parseNote(logged + cosignatures.join(''))!
  const known = sortSignatures(whole.signatures, keys).known.map(({ signature }) => signature)
  const note = { text, signatures: [...signatures, ...known] }
  return { size: Number(size), at, note, timeStamp: timeStamp ?? undefined, isCosigned: known.length > 0 }
}

function isSignedBy({ signatures }: Note, key: VerifierKey): boolean {
  return sortSignatures(signatures, [key]).known.length > 0
}

function logKeyOf(note: Note, keys: EvidenceKeys): VerifierKey {
  const origin = note.text.split('\n', 1)[0]!
  const key = logVerifierKeys(keys, origin).find((each) => isSignedBy(note, each))
  if (key === undefined) throw new Error('The log key that signed this checkpoint is gone: it belongs into formerLogKeys.')
  return key
}

/** To which the time-stamp leads: one that is trusted now, or else the last in the token itself, of an authority of before. */
function authorityOf(token: Buffer, { text }: Note, trusted: readonly string[]): string | undefined {
  const isBy = (certificate: string) => typeof verifyTimeStamp(token, Buffer.from(text), [certificate]) !== 'string'
  return trusted.find(isBy) ?? timeStampCertificates(token).findLast(isBy)
}
